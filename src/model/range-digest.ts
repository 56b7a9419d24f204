import { hash } from "node:crypto";
import { TYPE, writeInt32 } from "../bson/elements.ts";
import type { Batch } from "./document.ts";

/**
 * A segment of a collection, hashed: by one definition equal for the same documents and for no others. Two definitions
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
  readonly equivalent?: number | undefined;
}

const SHA256_BYTES = 32;
const SHA256 = "sha256";

/**
 * The digest of documents, which are added in the order of their `_id`: the SHA-256 of the BSON document `{h: [...]}`
 * that holds the SHA-256 of each document's bytes as a binary (subtype 0). A MongoDB server can compute the same.
 */
export class RangeHash {
  #hashes = Buffer.allocUnsafeSlow(64 * SHA256_BYTES);
  #documents = 0;
  #bytes = 0;

  add(batch: Batch): void {
    this.#reserve(batch.length);
    for (let i = 0; i < batch.length; i++) {
      this.#hashes.set(hash(SHA256, batch.bytesOf(i), "buffer"), this.#documents * SHA256_BYTES);
      this.#documents++;
    }
    this.#bytes += batch.bytes.length;
  }

  digest(): RangeDigest {
    const sha256 = hash(SHA256, listOf(this.#hashes, this.#documents));
    return { documents: this.#documents, bytes: this.#bytes, sha256 };
  }

  #reserve(more: number): void {
    const needed = (this.#documents + more) * SHA256_BYTES;
    if (needed <= this.#hashes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#hashes.length));
    grown.set(this.#hashes);
    this.#hashes = grown;
  }
}

/** Whether both are of the same documents. */
export function isSameDigest(a: RangeDigest, b: RangeDigest): boolean {
  return a.documents === b.documents && a.bytes === b.bytes && a.sha256 === b.sha256;
}

export function digestOf(batches: Iterable<Batch>): RangeDigest {
  const range = new RangeHash();
  for (const batch of batches) range.add(batch);
  return range.digest();
}

/** Bytes of the document before the elements of its array: two lengths, a type and the name `h`. */
const HEAD = 4 + 1 + 2 + 4;

/** `{h: [...]}` with the first `count` of the hashes. */
function listOf(hashes: Uint8Array, count: number): Uint8Array {
  const longestName = String(count).length;
  const list = Buffer.allocUnsafeSlow(HEAD + count * (1 + longestName + 1 + 5 + SHA256_BYTES) + 2);
  list[4] = TYPE.array;
  list.write("h\0", 5, "latin1");
  let at = HEAD;
  for (let i = 0; i < count; i++) {
    list[at++] = TYPE.binary;
    at += list.write(`${i}\0`, at, "latin1");
    writeInt32(list, SHA256_BYTES, at);
    list[at + 4] = 0;
    list.set(hashes.subarray(i * SHA256_BYTES, (i + 1) * SHA256_BYTES), at + 5);
    at += 5 + SHA256_BYTES;
  }
  list[at++] = 0; // ends the array
  list[at++] = 0; // ends the document
  writeInt32(list, at - 1 - (HEAD - 4), HEAD - 4);
  writeInt32(list, at, 0);
  return list.subarray(0, at);
}
