import { readInt32 } from "../../../bson/elements.ts";
import { Batch } from "../../../model/document.ts";
import { LEAST_DOCUMENT_BYTES, MOST_DOCUMENT_BYTES } from "./structure.ts";

const BATCH_BYTES = 1_000_000;
/** Where a document could begin, an archive file has this behind the last one. */
export const TERMINATOR = -1;

/** What a stream of bytes says is not what it should be; a text for a sentence that begins with the file. */
export class BadDump extends RangeError {}

/** Bytes that come in chunks, taken in pieces of any length. */
export class ByteQueue {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #buffer: Uint8Array = new Uint8Array(0);
  #at = 0;
  #before = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Bytes taken so far. */
  get position(): number {
    return this.#before + this.#at;
  }

  get waiting(): number {
    return this.#buffer.length - this.#at;
  }

  /** Waits until there are so many; false when the stream ends before. */
  async ensure(wanted: number): Promise<boolean> {
    if (this.waiting >= wanted) return true;
    const parts = [this.#buffer.subarray(this.#at)];
    let length = this.waiting;
    while (length < wanted) {
      const { value, done } = await this.#chunks.next();
      if (done === true) break;
      parts.push(value);
      length += value.length;
    }
    this.#before += this.#at;
    this.#at = 0;
    this.#buffer = Buffer.concat(parts, length);
    return length >= wanted;
  }

  /** The next four bytes as a number, which were waited for. */
  peek(): number {
    return readInt32(this.#buffer, this.#at);
  }

  /** Bytes that were waited for; they are to be used before anything else is waited for. */
  take(length: number): Uint8Array {
    const taken = this.#buffer.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  /** One whole document, or a terminator. */
  async document(): Promise<Uint8Array | typeof TERMINATOR> {
    if ((await this.#nextLength()) === TERMINATOR) {
      this.take(4);
      return TERMINATOR;
    }
    return this.take(this.peek());
  }

  /** The documents that come next, about a megabyte of them; undefined before a terminator. At least one document must come. */
  async documents(): Promise<Batch | undefined> {
    if ((await this.#nextLength()) === TERMINATOR) return undefined;
    const ends: number[] = [];
    let end = 0;
    while (this.#at + end + 4 <= this.#buffer.length && end < BATCH_BYTES) {
      const length = readInt32(this.#buffer, this.#at + end);
      if (this.#at + end + length > this.#buffer.length) break;
      if (!this.#isDocument(this.#at + end, length)) break;
      end += length;
      ends.push(end);
    }
    const bytes = Buffer.allocUnsafeSlow(end);
    bytes.set(this.take(end));
    return new Batch(bytes, ends, true);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #isDocument(at: number, length: number): boolean {
    return (
      length >= LEAST_DOCUMENT_BYTES && length <= MOST_DOCUMENT_BYTES && this.#buffer[at + length - 1] === 0
    );
  }

  /** Makes sure that a whole document comes, or a terminator. */
  async #nextLength(): Promise<number> {
    if (!(await this.ensure(4)))
      throw new BadDump(`ends in the middle of a document, at byte ${this.position}`);
    const length = this.peek();
    if (length === TERMINATOR) return length;
    const isPossible = length >= LEAST_DOCUMENT_BYTES && length <= MOST_DOCUMENT_BYTES;
    if (!isPossible) throw new BadDump(`has a document with an impossible length, at byte ${this.position}`);
    if (!(await this.ensure(length)))
      throw new BadDump(`ends in the middle of a document, at byte ${this.position}`);
    if (!this.#isDocument(this.#at, length))
      throw new BadDump(`has a document that does not end where it says, at byte ${this.position}`);
    return length;
  }
}

/** All documents of a stream that holds nothing else. Throws BadDump. */
export async function* documentsIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Batch> {
  const queue = new ByteQueue(chunks);
  try {
    while (await queue.ensure(1)) {
      const batch = await queue.documents();
      if (batch === undefined)
        throw new BadDump(`has a document with an impossible length, at byte ${queue.position}`);
      yield batch;
    }
  } finally {
    await queue.close();
  }
}
