import type { Source, Target } from "../connectors/connector.ts";
import { openStore, type StoreAddress } from "../connectors/index.ts";
import { type ReadRate, rateLimited } from "../connectors/rate-limit.ts";

export interface Stores {
  readonly source: Source;
  readonly target: Target;
}

export interface StoresOptions {
  readonly from: StoreAddress;
  readonly to: StoreAddress;
  readonly retries?: number;
  /** How fast the source may be read. */
  readonly rate?: ReadRate;
}

/** Opens both stores at once and closes them whatever happens. */
export async function withStores<T>(
  options: StoresOptions,
  signal: AbortSignal,
  work: (stores: Stores) => Promise<T>,
): Promise<T> {
  const retries = options.retries === undefined ? {} : { retries: options.retries };
  const opening = [
    openStore(options.from, { role: "source", signal, ...retries }),
    openStore(options.to, { role: "target", signal, ...retries }),
  ] as const;
  try {
    const [source, target] = await Promise.all(opening);
    // Everything that is written was read before: a limit on reading holds for both.
    const paced = options.rate === undefined ? source : rateLimited(source, options.rate);
    return await work({ source: paced, target });
  } finally {
    for (const opened of await Promise.allSettled(opening)) {
      if (opened.status === "fulfilled") await opened.value.close();
    }
  }
}
