import type { CollectionInfo, IdRange } from "../collection.ts";

/** Reads and counts parts of a collection by their ids. Without this power a collection is read whole. */
export interface Ranges {
  /** Cuts the collection, or a range of it, into about `pieces` half-open ranges that tile every possible id of it. */
  cut(
    collection: CollectionInfo,
    pieces: number,
    signal: AbortSignal,
    within?: IdRange,
  ): Promise<readonly IdRange[]>;
}
