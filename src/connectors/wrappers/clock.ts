import { setTimeout as delay } from "node:timers/promises";

/** The time of this machine since some moment; tests bring their own. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** Node takes a longer one for none at all. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const CLOCK: Clock = {
  now: () => performance.now(),
  wait: (milliseconds, signal) => delay(Math.min(milliseconds, LONGEST_TIMER), undefined, { signal }),
};
