/** Large enough to make the cost of a round trip small; those of all ranges together stay far below the memory budget. */
export const LARGEST_BATCH = 4_000_000;
const SMALLEST_BATCH = 16_384;
/** A round trip that takes longer than this (ms) was too large. */
const SLOW = 2_000;
/** After a round trip that took no longer than this (ms) the next one may carry twice as much. */
const FAST = 500;
/** How much less is asked for after a failure than before it. */
const STEP_BACK = 8;
/** What may be tried first where a failure cannot be made good. */
const FIRST_CAUTIOUS = 256 * 1024;

/** One round trip that succeeded. */
export interface Trip {
  /** `bytes` of the pace when it began. */
  readonly asked: number;
  /** What it carried. */
  readonly bytes: number;
  readonly milliseconds: number;
}

/**
 * How many bytes the next batch to or from a server should have, so that a round trip takes a second or two on a thin
 * line and never runs into the deadline again and again. Several ranges share it: what was asked for counts, so that
 * three that were slow together make it smaller once, not three times.
 */
export class BatchPace {
  #bytes = LARGEST_BATCH;
  #proved = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** The same for what must not fail on the way: at most twice what has arrived in time before. */
  get cautiousBytes(): number {
    return Math.min(this.#bytes, Math.max(FIRST_CAUTIOUS, 2 * this.#proved));
  }

  arrived({ asked, bytes, milliseconds }: Trip): void {
    this.#proved = Math.max(this.#proved, bytes);
    if (milliseconds > SLOW) {
      this.#lower(asked / 2);
      return;
    }
    // A batch that was far from full says nothing about larger ones.
    const carried = Math.max(asked, bytes);
    if (milliseconds <= FAST && 2 * bytes >= asked)
      this.#bytes = Math.max(this.#bytes, Math.min(LARGEST_BATCH, 2 * carried));
  }

  /** Nothing came in time, the server asked for less, or the connection broke. */
  failed(asked: number): void {
    this.#proved = 0;
    this.#lower(asked / STEP_BACK);
  }

  #lower(bytes: number): void {
    this.#bytes = Math.min(this.#bytes, Math.max(SMALLEST_BATCH, Math.floor(bytes)));
  }
}
