import type { Source, Target } from "../../connectors/contract.ts";
import { type MongodbAddress, openStore, type StoreAddress } from "../../connectors/registry.ts";
import { type ReadRate, rateLimited } from "../../connectors/wrappers/rate-limit.ts";

export interface Stores {
  readonly source: Source;
  readonly target: Target;
}

/** Two stores of which none is written. */
export interface ReadStores {
  readonly source: Source;
  readonly target: Source;
}

interface Opening {
  readonly retries?: number | undefined;
  /** How fast the source may be read. */
  readonly rate?: ReadRate | undefined;
}

export interface StoresOptions extends Opening {
  readonly from: StoreAddress;
  readonly to: MongodbAddress;
}

/** Opens both stores at once and closes them whatever happens. */
export async function withStores<T>(
  options: StoresOptions,
  signal: AbortSignal,
  work: (stores: Stores) => Promise<T>,
): Promise<T> {
  const opening = { ...options, signal };
  return await whileOpen(open(options.from, "source", opening), open(options.to, "target", opening), work);
}

/** The same, for those who write to neither. */
export async function withReadStores<T>(
  options: Opening & { readonly from: StoreAddress; readonly to: StoreAddress },
  signal: AbortSignal,
  work: (stores: ReadStores) => Promise<T>,
): Promise<T> {
  const opening = { ...options, signal };
  return await whileOpen(open(options.from, "source", opening), open(options.to, "target", opening), work);
}

function open(
  address: MongodbAddress,
  role: "source" | "target",
  options: Opening & { signal: AbortSignal },
): Promise<Target>;
function open(
  address: StoreAddress,
  role: "source" | "target",
  options: Opening & { signal: AbortSignal },
): Promise<Source>;
async function open(
  address: StoreAddress,
  role: "source" | "target",
  { retries, rate, signal }: Opening & { signal: AbortSignal },
): Promise<Source> {
  const store = await openStore(address, { role, signal, retries });
  // Everything that is written was read before: a limit on reading holds for both.
  return role === "target" || rate === undefined ? store : rateLimited(store, rate);
}

async function whileOpen<S extends Source, R>(
  source: Promise<Source>,
  target: Promise<S>,
  work: (stores: { source: Source; target: S }) => Promise<R>,
): Promise<R> {
  try {
    const [from, to] = await Promise.all([source, target]);
    return await work({ source: from, target: to });
  } finally {
    for (const opened of await Promise.allSettled([source, target])) {
      if (opened.status === "fulfilled") await opened.value.close();
    }
  }
}
