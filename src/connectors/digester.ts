/** The part of the contract for stores that hash what they hold, so that what is equal need not be moved. */
import type { Batch } from "../document.ts";
import type { IdRange, Selection } from "./connector.ts";

/**
 * A stretch of a collection, hashed: by one definition equal for the same documents and for no others. Two definitions
 * are never compared.
 */
export interface RangeDigest {
  readonly documents: number;
  /** Bytes of what was hashed. */
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
  /**
   * Of documents that were hashed as the records that they stand for: how many are other bytes than the store of those
   * records makes of them. No part of what is compared.
   */
  readonly equivalent?: number;
}

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
  /** Cuts a range into about so many pieces with as many records, and hashes them in one go. They tile the range. */
  digestPieces(range: IdRange, pieces: number, signal: AbortSignal): Promise<readonly HashedRange[]>;
}
