import type { Batch, DocumentId } from "../../model/document.ts";
import type { CollectionInfo, ReadOptions } from "../collection.ts";

/** Tells which documents there are for much less than they cost to read. Without this power all are read, those that nobody wants, too. */
export interface SelectiveReads {
  /** As `Reader.read`, but only those that `wants` is true of: it is asked once about each document that is there. */
  read(
    collection: CollectionInfo,
    wants: (id: DocumentId) => boolean,
    options: ReadOptions,
  ): AsyncIterable<Batch>;
}
