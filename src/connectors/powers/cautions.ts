import type { Doc } from "../../model/document.ts";

/** For stores that do more with documents than to keep them as they are given. */
export interface Cautions {
  /**
   * What people should know before documents of these collections are written or deleted: what that sets off in the store, and what
   * undoing it does not take back. Whole sentences, with the names of the collections; none where there is nothing to say. A collection
   * that the store has not is passed over.
   */
  before(collections: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /** Why a document of the collection that is removed could not be put back as it was, as a clause; undefined: it could. */
  irreplaceable(collection: string): string | undefined;
  /** As `irreplaceable`, for this document of the collection alone. */
  irreplaceableDocument(collection: string, document: Doc): string | undefined;
  /** What must be done to the store before anything is written to it, as a sentence; undefined where nothing is left to do. */
  unprepared(signal: AbortSignal): Promise<string | undefined>;
}
