import { compareIds } from "../bson/compare-ids.ts";
import { elements, isNamed, TYPE, valueEnd } from "../bson/elements.ts";
import { idKey } from "../bson/id-key.ts";
import { free } from "../heap.ts";

/**
 * The `_id` of a document. `element` is the BSON type byte followed by the value's bytes. `key` is a string that is
 * equal for two ids exactly when a MongoDB server holds them equal (1, Long 1, 1.0 and Decimal 1 are one key).
 */
export class DocumentId {
  readonly element: Uint8Array;
  #key: string | undefined;

  constructor(element: Uint8Array) {
    this.element = element;
  }

  get key(): string {
    this.#key ??= idKey(this.element);
    return this.#key;
  }

  /** The same in memory of its own: the batch that it came in may be released. */
  copy(): DocumentId {
    return new DocumentId(Uint8Array.from(this.element));
  }
}

/** A document between two stores: its BSON bytes, exactly as the store holds them, and its `_id`. */
export interface Doc {
  readonly id: DocumentId;
  readonly bytes: Uint8Array;
}

/**
 * Documents back to back in one buffer, exactly as the store holds them. `ends[i]` is where document `i` ends. Ids are
 * found when asked for: most batches are moved and compared without looking into them.
 */
export class Batch {
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
  readonly #ownsMemory: boolean;

  /** `ownsMemory`: nobody else holds a view of the memory behind `bytes`, however much larger that is. */
  constructor(bytes: Uint8Array, ends: readonly number[], ownsMemory = false) {
    this.bytes = bytes;
    this.ends = ends;
    this.#ownsMemory = ownsMemory;
  }

  static of(documents: readonly Doc[]): Batch {
    const bytes = Buffer.concat(documents.map((document) => document.bytes));
    let end = 0;
    return new Batch(
      bytes,
      documents.map((document) => {
        end += document.bytes.length;
        return end;
      }),
    );
  }

  /** Number of documents. */
  get length(): number {
    return this.ends.length;
  }

  start(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] as number);
  }

  end(index: number): number {
    return this.ends[index] as number;
  }

  bytesOf(index: number): Uint8Array {
    return this.bytes.subarray(this.start(index), this.end(index));
  }

  idOf(index: number): DocumentId {
    return new DocumentId(idElement(this.bytesOf(index)));
  }

  doc(index: number): Doc {
    const bytes = this.bytesOf(index);
    return { id: new DocumentId(idElement(bytes)), bytes };
  }

  docs(): Doc[] {
    return this.ends.map((_, index) => this.doc(index));
  }

  /** The first document from `at` on that does not come before this id; of documents in the order of their ids. */
  indexFrom(at: number, { element }: DocumentId): number {
    let low = at;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareIds(this.idOf(middle).element, element) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Gives the memory back at once, where it is the batch's own. Nothing of this batch, and no document taken from it,
   * may be used afterwards.
   */
  release(): void {
    if (this.#ownsMemory) free(this.bytes);
  }

  /** Documents `from` (included) to `to` (excluded), without copying. */
  slice(from: number, to: number): Batch {
    const base = this.start(from);
    const ends = this.ends.slice(from, to).map((end) => end - base);
    return new Batch(this.bytes.subarray(base, base + (ends.at(-1) ?? 0)), ends);
  }
}

/** Type byte and value bytes of a document's `_id`; without one, those of null (as the server indexes it). */
export function idElement(document: Uint8Array): Uint8Array {
  // Stores put `_id` first; the walk below is for the few old documents where it is not.
  if (document[5] === 0x5f && document[6] === 0x69 && document[7] === 0x64 && document[8] === 0) {
    return pack(document, document[4] as number, 9, valueEnd(document, document[4] as number, 9));
  }
  for (const element of elements(document)) {
    if (isNamed(document, element, "_id")) return pack(document, element.type, element.start, element.end);
  }
  return Uint8Array.of(TYPE.null);
}

function pack(document: Uint8Array, type: number, start: number, end: number): Uint8Array {
  const element = new Uint8Array(1 + end - start);
  element[0] = type;
  element.set(document.subarray(start, end), 1);
  return element;
}
