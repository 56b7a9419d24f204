import type { CollectionInfo } from "../collection.ts";

/**
 * Reads only what was changed since a time (`ReadOptions.changedSince`), of collections that say when their documents were
 * changed (`CollectionInfo.changedBy`). Collections without `changedBy` are read whole. The times are those of the clock that
 * the store's identity gives.
 */
export interface Changes {
  /** How many documents were changed at this time or later. */
  count(collection: CollectionInfo, since: Date, signal: AbortSignal): Promise<number>;
}
