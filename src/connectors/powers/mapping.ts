/** How documents stand to what a store makes them of, where it holds something else: rows, for example. */
import type { Doc } from "../../model/document.ts";
import type { CollectionInfo } from "../collection.ts";
import type { RecordDigester } from "./digests.ts";

/**
 * What two documents under one `_id` that are not equal byte for byte are to a store whose documents are made from
 * something else, rows for example. `equivalent`: what the store can hold of both is the same; numbers of another type, or
 * fields that nothing in the store stands for. `lossy-equal`: the same except for what the other one cannot hold (`Mapping.lossy`).
 * `different`: all else.
 */
export type Classification = "equivalent" | "lossy-equal" | "different";

/** What a document cannot hold of a value that it was made from, for people. */
export interface LossyWords {
  /** As the note on a field: "microseconds". */
  readonly note: string;
  /** After "the same except for": "the microseconds of a time". */
  readonly what: string;
}

/** How the documents that a store makes of its own records stand to documents that others wrote. */
export interface Mapping {
  /** Present where `classify` answers `lossy-equal`. */
  readonly lossy?: LossyWords;
  /** `own` was made by this store. Asked only of documents that are not equal byte for byte. */
  classify(collection: string, own: Doc, other: Doc): Classification;
  /** Names of the fields that make them different; undefined where `other` cannot be read as one of this store's at all. */
  differing(collection: string, own: Doc, other: Doc): readonly string[] | undefined;
  /** What is to take the place of `other`: `own`, followed by the fields of `other` that nothing in this store stands for. */
  merged(collection: string, own: Doc, other: Doc): Doc;
  /** As `Digests.digester`, of what the documents are made from. */
  digester?(collection: CollectionInfo, signal: AbortSignal): Promise<RecordDigester | undefined>;
}
