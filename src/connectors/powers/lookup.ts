import type { Doc, DocumentId } from "../../model/document.ts";

/** Finds documents by their ids. Without this power the whole collection is read for each question. */
export interface Lookup {
  /** The documents with these ids, by `DocumentId.key`; an id that is absent is absent from the map. */
  find(
    collection: string,
    ids: readonly DocumentId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Doc>>;
  /** Whether this id can be used in a query at all; one that cannot is never in the answer of `find`. */
  canQuery(id: DocumentId): boolean;
}
