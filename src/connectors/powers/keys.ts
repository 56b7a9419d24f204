import type { Batch } from "../../model/document.ts";
import type { CollectionInfo, ReadOptions } from "../collection.ts";

/** Tells ids for much less than documents cost. Without this power whole documents are read. */
export interface Keys {
  /** As `Reader.read`, but documents with nothing but their `_id`. */
  read(collection: CollectionInfo, options: ReadOptions): AsyncIterable<Batch>;
}
