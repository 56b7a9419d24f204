/** Repeats a call that may succeed later: bounded tries, exponential waits with full jitter, ended by the signal. */
import { setTimeout as delay } from "node:timers/promises";

export interface RetryPolicy {
  /** How often a failed call is tried again. */
  readonly retries: number;
  /** Upper bound of the first wait, in milliseconds; it doubles each time. */
  readonly firstWait: number;
  readonly longestWait: number;
}

export const DEFAULT_RETRIES: RetryPolicy = { retries: 5, firstWait: 200, longestWait: 10_000 };

/** Calls `work` until it succeeds, fails for good, or the tries are used up; `attempt` counts from 0. */
export async function retry<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  mayRetry: (error: unknown) => boolean,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (signal.aborted || attempt >= policy.retries || !mayRetry(error)) throw error;
    }
    const bound = Math.min(policy.firstWait * 2 ** attempt, policy.longestWait);
    await delay(Math.random() * bound, undefined, { signal });
  }
}
