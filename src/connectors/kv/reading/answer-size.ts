/** How much may be asked for at once, so that answers stay of a size that services give and memory holds. */

/** Bytes that an answer should have at most. Services refuse 10 MB for one command. */
const WANTED_BYTES = 8_000_000;
const REFUSED_BYTES = 10 * 1024 * 1024;

/** What items of one kind cost to read, learnt from those that were read: the next ones may be of another size. */
export class AnswerSize {
  /** Of one item. */
  #bytes: number;

  /** `bytes`: of an item, as long as none was read. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** How many items may be asked for together. */
  get items(): number {
    return Math.max(1, Math.floor(WANTED_BYTES / Math.max(this.#bytes, 1)));
  }

  saw(items: number, bytes: number): void {
    const mean = bytes / Math.max(items, 1);
    // Large ones often come together, and too large an answer is billed in vain.
    this.#bytes = Math.max(mean, this.#bytes / 2);
  }

  /** So many items were too large together. */
  wasTooLarge(items: number): void {
    this.#bytes = Math.max(2 * this.#bytes, (4 * REFUSED_BYTES) / items);
  }
}
