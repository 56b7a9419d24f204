import type { Listing } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { History } from "../../connectors/powers/run-history.ts";

/** A store as it is before anything is written. */
export interface StoreSnapshot {
  readonly label: string;
  readonly listing: Listing;
  readonly history: History;
  /** See `Reader`. */
  readonly uidsHoldNames: boolean;
}

/** Looks at a store; at what it holds of what is selected, and what it remembers of runs that wrote to it. */
export async function lookAt(
  store: Reader,
  signal: AbortSignal,
  selects?: (name: string) => boolean,
): Promise<StoreSnapshot> {
  const [listing, history] = await Promise.all([
    store.list(signal, selects),
    store.history?.read(signal) ?? { collections: new Map() },
  ]);
  return { label: store.label, listing, history, uidsHoldNames: store.uidsHoldNames === true };
}
