/**
 * Repeats a call that may succeed later: bounded tries, exponential waits with full jitter, ended by the signal.
 *
 * Written by hand: p-retry knows neither a patience after the first failure nor a server's Retry-After.
 */
import { CLOCK, type Clock } from "./clock.ts";

export interface RetryPolicy {
  /** How often a failed call is tried again. */
  readonly retries: number;
  /** It is tried on, however often, until this many milliseconds after the first failure. */
  readonly patience: number;
  /** Upper bound of the first wait, in milliseconds; it doubles each time. */
  readonly firstWait: number;
  readonly longestWait: number;
}

/** A replica set takes 10 to 30 seconds to elect a new primary: patience outlasts that. */
export const DEFAULT_RETRIES: RetryPolicy = {
  retries: 5,
  patience: 45_000,
  firstWait: 200,
  longestWait: 10_000,
};

/** The default, or exactly as many retries as a person asked for. */
export function retryPolicy(retries: number | undefined): RetryPolicy {
  return retries === undefined ? DEFAULT_RETRIES : { ...DEFAULT_RETRIES, retries, patience: 0 };
}

/** Failures in a row of one piece of work. */
export class Tries {
  readonly #policy: RetryPolicy;
  readonly #clock: Clock;
  #failures = 0;
  #since = 0;

  constructor(policy: RetryPolicy, clock: Clock = CLOCK) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** Counts one more failure and says whether another try is left. */
  again(): boolean {
    if (this.#failures === 0) this.#since = this.#clock.now();
    this.#failures++;
    const { retries, patience } = this.#policy;
    return this.#failures <= retries || this.#clock.now() - this.#since < patience;
  }

  /**
   * Waits before the next try: anything up to a bound, so that many who failed at once do not come back at once.
   * `least`: milliseconds that the server asked for; the wait begins after them.
   */
  async wait(signal: AbortSignal, least = 0): Promise<void> {
    const { firstWait, longestWait } = this.#policy;
    const bound = Math.min(firstWait * 2 ** (this.#failures - 1), longestWait);
    await this.#clock.wait(least + Math.random() * bound, signal);
  }

  /** The work has moved on: what failed before no longer counts. */
  reset(): void {
    this.#failures = 0;
  }
}

/** Calls `work` until it succeeds, fails for good, or the tries are used up; `attempt` counts from 0. */
export async function retry<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  mayRetry: (error: unknown) => boolean,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  const tries = new Tries(policy);
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (signal.aborted || !mayRetry(error) || !tries.again()) throw error;
    }
    await tries.wait(signal);
  }
}
