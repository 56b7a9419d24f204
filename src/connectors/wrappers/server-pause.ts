import { CLOCK, type Clock } from "./clock.ts";

/**
 * The time before which a server wants to hear nothing, as it says when it refuses a request for coming too soon (Retry-After).
 * One for each server: it holds back whatever else is to be sent there, too.
 */
export class ServerPause {
  readonly #clock: Clock;
  #until = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock = CLOCK) {
    this.#clock = clock;
  }

  /** From now on, for so many milliseconds; what was asked for before holds besides. */
  ask(milliseconds: number): void {
    this.#until = Math.max(this.#until, this.#clock.now() + milliseconds);
  }

  /** Resolves when a request may be sent. Rejects with the signal's reason. */
  async over(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      // It may have been asked for again meanwhile, and timers may be early.
      const rest = this.#until - this.#clock.now();
      if (rest <= 0) return;
      await this.#clock.wait(Math.ceil(rest), signal).catch((error: unknown) => {
        throw signal.aborted ? signal.reason : error;
      });
    }
  }
}
