import type { CollectionInfo } from "../collection.ts";

/**
 * Tells a collection from a later one of its name. Without this power a collection that was replaced meanwhile counts as the
 * one that was listed. What has no `uid` is not resumed.
 */
export interface Presence {
  /** Whether the collection that was listed still exists, neither dropped nor replaced by one of the same name. */
  stillExists(collection: CollectionInfo, signal: AbortSignal): Promise<boolean>;
  /**
   * Of collections that were listed, those whose names stand for others by now: asked once, when everything is done. For stores
   * where `stillExists`, which is asked after each conclusion, would cost too much if it saw all that a list shows.
   */
  replaced?(collections: readonly CollectionInfo[], signal: AbortSignal): Promise<readonly CollectionInfo[]>;
}
