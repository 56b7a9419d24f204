/** The part of the contract for stores that hash what they hold, so that what is equal need not be moved. */
import type { Batch } from "../../model/document.ts";
import type { RangeDigest } from "../../model/range-digest.ts";
import type { CollectionInfo, IdRange, Selection } from "../collection.ts";

/** A store that hashes its own documents, as they are stored: the digest that `digestOf` in range-digest.ts defines. */
export interface Digester {
  digest(selection: Selection, signal: AbortSignal): Promise<RangeDigest>;
}

/** Hashes documents, which are added in the order of their `_id`. */
export interface DocumentsHash {
  add(batch: Batch): void;
  digest(): RangeDigest;
}

/** A range and what it holds. */
export interface HashedRange {
  readonly range: IdRange;
  readonly digest: RangeDigest;
}

/**
 * A store that hashes its own records, by a definition of its own: two documents hash the same when they stand for the same
 * record, in every text, whatever their bytes. What is not a record hashes as nothing that this store holds.
 */
export interface RecordDigester extends Digester {
  /** Computes the same of documents, of this store or another one. */
  hash(): DocumentsHash;
  /** Cuts a range into about so many pieces with as many records, and hashes them at once. They tile the range. */
  digestPieces(range: IdRange, pieces: number, signal: AbortSignal): Promise<readonly HashedRange[]>;
}

/** For stores that hash what they hold. Without this power every byte is read. */
export interface Digests {
  /**
   * A way to let the store hash the collection by itself; undefined unless it has proved, on documents that it holds,
   * that it computes exactly what `digestOf` defines. Asked of the server each time, never of its version.
   */
  digester(collection: CollectionInfo, signal: AbortSignal): Promise<Digester | undefined>;
}
