import { CLOCK, type Clock } from "./clock.ts";

/**
 * The time before which a server wants to hear nothing, as it says when it refuses a request for coming too soon (Retry-After).
 * One for each server: it holds back whatever else is to be sent there, too.
 */
export class ServerPause {
  readonly #clock: Clock;
  #until = Number.NEGATIVE_INFINITY;
  #reason: unknown;

  constructor(clock: Clock = CLOCK) {
    this.#clock = clock;
  }

  /** From now on, for so many milliseconds; what was asked for before holds besides. `reason` is what came with it. */
  ask(milliseconds: number, reason?: unknown): void {
    const until = this.#clock.now() + milliseconds;
    if (until <= this.#until) return;
    this.#until = until;
    this.#reason = reason;
  }

  /** What came with the longest time that was asked for. */
  get reason(): unknown {
    return this.#reason;
  }

  /** Milliseconds until a request may be sent; 0: now. */
  get rest(): number {
    return Math.max(0, this.#until - this.#clock.now());
  }

  /**
   * Resolves with true when a request may be sent, and with false as soon as that will take longer than `longest` milliseconds.
   * Rejects with the signal's reason.
   */
  async over(signal: AbortSignal, longest = Number.POSITIVE_INFINITY): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      // It may have been asked for again meanwhile, and timers may be early.
      const { rest } = this;
      if (rest === 0) return true;
      if (rest > longest) return false;
      await this.#clock.wait(Math.ceil(rest), signal).catch((error: unknown) => {
        throw signal.aborted ? signal.reason : error;
      });
    }
  }
}
