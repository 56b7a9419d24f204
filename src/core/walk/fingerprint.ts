import { createHash, type Hash } from "node:crypto";
import { elements } from "../../bson/elements.ts";
import type { Batch } from "../../model/document.ts";

/** SHA-256 over documents in the order in which they come. */
export class OrderedFingerprint {
  readonly #hash: Hash = createHash("sha256");
  documents = 0;

  add(batch: Batch): void {
    this.#hash.update(batch.bytes);
    this.documents += batch.length;
  }

  /** Call once, at the end. */
  digest(): string {
    return `${this.documents}:${this.#hash.digest("hex")}`;
  }
}

/**
 * SHA-256 of each document, added up modulo 2^256, and their number: equal for the same documents in any order, and two
 * equal differences do not cancel each other as they would under XOR. The store promises no order of their fields, so the
 * fields are taken sorted by name.
 */
export class UnorderedFingerprint {
  readonly #sum = new Uint32Array(8);
  documents = 0;

  add(batch: Batch): void {
    for (let i = 0; i < batch.length; i++) this.#addOne(batch.bytesOf(i));
  }

  digest(): string {
    return `${this.documents}:${Buffer.from(this.#sum.buffer).toString("hex")}`;
  }

  #addOne(bytes: Uint8Array): void {
    const digest = hashAnyFieldOrder(bytes);
    let carry = 0;
    for (let lane = 0; lane < 8; lane++) {
      const sum = (this.#sum[lane] as number) + digest.readUInt32LE(lane * 4) + carry;
      this.#sum[lane] = sum % 0x1_0000_0000;
      carry = sum >= 0x1_0000_0000 ? 1 : 0;
    }
    this.documents++;
  }
}

/** SHA-256 of a document, whatever the order of its fields. */
export function hashAnyFieldOrder(document: Uint8Array): Buffer {
  const hash = createHash("sha256");
  for (const field of fieldsByName(document)) hash.update(field);
  return hash.digest();
}

/** The top-level fields, each with its type and name, sorted by name; fields of one name keep their order. */
function fieldsByName(document: Uint8Array): Uint8Array[] {
  const fields = [...elements(document)].map((element) => ({
    name: document.subarray(element.nameStart, element.nameEnd),
    bytes: document.subarray(element.nameStart - 1, element.end),
  }));
  return fields.sort((a, b) => Buffer.compare(a.name, b.name)).map(({ bytes }) => bytes);
}
