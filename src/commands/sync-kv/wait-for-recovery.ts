/** What to do while KV is down or limited: to look now and then, cheaply, until it serves again. */
import type { StoreRole } from "../../connectors/connector.ts";
import type { Clock } from "../../connectors/wrappers/clock.ts";
import { DualsyncError } from "../../model/errors.ts";
import { duration } from "../../reporting/text/format.ts";

/** Milliseconds before the first look, which double with each that fails. */
const SOON = 1_000;
/** The same where a quota is used up: that does not come back within seconds. */
const LATER = 2 * 60_000;
const LONGEST = 15 * 60_000;

/** Looks in a row that must succeed, and milliseconds between them: what has just come back may go again. */
const GOOD_LOOKS = 2;
const BETWEEN = 1_000;

export interface RecoveryOptions {
  /** Of the store that is waited for. */
  readonly role: StoreRole;
  readonly clock: Clock;
  /** Ends every wait; its reason is what this fails with. */
  readonly signal: AbortSignal;
  readonly note: (message: string) => void;
  /** Resolves when the store serves reads and writes. */
  probe(): Promise<void>;
}

/** Whether a store of this role does not serve now, and may do so later without anybody's doing. */
export function isOutage(error: unknown, role: StoreRole): error is DualsyncError {
  if (!(error instanceof DualsyncError) || error.exit !== role) return false;
  return error.retryable || error.reason === "quota" || error.reason === "throttled";
}

/** Resolves when the store serves again. @throws DualsyncError where it never will by itself, as for a refused token */
export async function waitForRecovery(failure: DualsyncError, options: RecoveryOptions): Promise<void> {
  const { clock, signal, note, role, probe } = options;
  let last = failure;
  let good = 0;
  let failed = 1;
  note(`${failure.message} Waiting until KV serves again.`);
  while (good < GOOD_LOOKS) {
    const pause = good > 0 ? BETWEEN : pauseAfter(last, failed);
    if (pause >= LATER / 2) note(`The next look at KV is in about ${duration(pause)}.`);
    await clock.wait(pause, signal).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
    try {
      await probe();
      good++;
    } catch (error) {
      signal.throwIfAborted();
      // A service that comes back may answer with anything for a while; but a refused token stays refused.
      if (!(error instanceof DualsyncError) || error.exit !== role) throw error;
      good = 0;
      failed++;
      last = error;
    }
  }
}

/** Whoever asks to wait is not disturbed before; else up to a bound, so that many who failed at once do not come back at once. */
function pauseAfter({ reason, retryAfter = 0 }: DualsyncError, failed: number): number {
  const first = reason === "quota" ? LATER : SOON;
  const bound = Math.min(first * 2 ** (failed - 1), LONGEST);
  return Math.max(retryAfter, bound / 2) + (Math.random() * bound) / 2;
}
