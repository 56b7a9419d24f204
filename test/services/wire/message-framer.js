/** The largest message a MongoDB server takes; it says so in `hello.maxMessageSizeBytes`. */
export const MAX_MESSAGE_BYTES = 48_000_000;
const HEADER_BYTES = 16;

/**
 * Cuts a byte stream into MongoDB wire messages. A message that arrives in many chunks is put together once,
 * when it is complete: joining at each chunk would copy a 48 MB message hundreds of times.
 */
export class MessageFramer {
  /** @type {Buffer[]} */
  #chunks = [];
  #size = 0;

  /**
   * Takes the next chunk and yields every message that it completes, header included, in order. A yielded
   * buffer may share memory with the chunk. Throws RangeError on a length that no message can have; the
   * stream cannot be followed after that.
   *
   * @param {Buffer} chunk
   * @returns {Generator<Buffer, void>}
   */
  *push(chunk) {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    for (let length = this.#nextLength(); length <= this.#size; length = this.#nextLength()) {
      const bytes = this.#joined();
      const rest = bytes.subarray(length);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#size = rest.length;
      yield bytes.subarray(0, length);
    }
  }

  /** Length of the message that the stream is at, or Infinity while it is not known yet. */
  #nextLength() {
    if (this.#size < 4) return Number.POSITIVE_INFINITY;
    const first = this.#chunks[0];
    const length = (first !== undefined && first.length >= 4 ? first : this.#joined()).readInt32LE(0);
    if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) {
      throw new RangeError(`a wire message cannot have ${length} bytes`);
    }
    return length;
  }

  #joined() {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const joined = Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [joined];
    return joined;
  }
}
