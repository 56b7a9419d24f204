import type { Location } from "../../connectors/connector.ts";
import type { Store } from "../../connectors/contract.ts";
import { openStore } from "../../connectors/registry.ts";
import { type ReadRate, rateLimited } from "../../connectors/wrappers/rate-limit.ts";

/** Each may be claimed, where its connector can; whoever only reads a side does not. */
export interface Stores {
  readonly source: Store;
  readonly target: Store;
}

export interface StoresOptions {
  readonly from: Location;
  readonly to: Location;
  readonly retries?: number | undefined;
  /** How fast the source may be read. */
  readonly rate?: ReadRate | undefined;
}

/** Opens both stores at once and closes them whatever happens. */
export async function withStores<T>(
  { from, to, retries, rate }: StoresOptions,
  signal: AbortSignal,
  work: (stores: Stores) => Promise<T>,
): Promise<T> {
  const source = openStore(from, { role: "source", other: to.label, retries, signal });
  const target = openStore(to, { role: "target", other: from.label, retries, signal });
  try {
    const [read, written] = await Promise.all([source, target]);
    // Everything that is written was read before: a limit on reading holds for both.
    return await work({ source: rate === undefined ? read : rateLimited(read, rate), target: written });
  } finally {
    for (const opened of await Promise.allSettled([source, target])) {
      if (opened.status === "fulfilled") await opened.value.close();
    }
  }
}
