import type { CollectionInfo } from "../collection.ts";

/**
 * Tells a collection from a later one of its name. Without this power a collection that was replaced meanwhile counts as the
 * one that was listed. What has no `uid` is not resumed.
 */
export interface Presence {
  /** Whether the collection that was listed still exists, neither dropped nor replaced by one of the same name. */
  stillExists(collection: CollectionInfo, signal: AbortSignal): Promise<boolean>;
}
