/** A lease that is kept for as long as a run lasts: the same for every store, whatever it is made of. */
import { DualsyncError } from "../../model/errors.ts";
import type { Holder, Lease, Run } from "../contract.ts";
import type { RunRecord } from "../powers/run-history.ts";

/** A lease that was not renewed for this long is free; renewals come three times as often. Milliseconds, server time. */
export const LEASE_MS = 60_000;

/** A lease that could not be released after this time runs out by itself. Milliseconds. */
const RELEASE_MS = 5_000;

/** A lease as a connector itself uses it. */
export interface HeldLease extends Lease {
  /** Resolves when the right to write is certain for this moment. @throws DualsyncError `locked` when it is gone */
  hold(): Promise<void>;
}

/** Where a lease is held: a record in the target that only the target's own clock dates. */
export interface LeasePlace {
  /** The target, for people. */
  readonly label: string;
  readonly nonce: string;
  /** Moves the end of the lease on. False: it is no longer this run's. */
  renew(signal: AbortSignal): Promise<boolean>;
  record(lastRun: RunRecord, signal: AbortSignal): Promise<void>;
  /** `certain`: nobody else can have taken it meanwhile. */
  release(certain: boolean, signal: AbortSignal): Promise<void>;
}

/** How long ago something was, by the clock that stands still while a machine sleeps and by the one that may be set. */
export class Clocks {
  readonly #steady = performance.now();
  readonly #wall = Date.now();

  /** Milliseconds; the longer of both, so that neither a sleep nor a clock set back makes it look recent. */
  get age(): number {
    return Math.max(performance.now() - this.#steady, Date.now() - this.#wall);
  }
}

/**
 * Renews the lease until it is released; aborts `lost` when it was taken over or could not be renewed in time. `taken`: from
 * before it was asked for.
 */
export function keepLease(place: LeasePlace, taken: Clocks): HeldLease {
  const { label, nonce } = place;
  const lost = new AbortController();
  const closing = new AbortController();
  let renewed = taken;
  const renew = async (): Promise<void> => {
    const now = new Clocks();
    try {
      if (await place.renew(closing.signal)) renewed = now;
      else lost.abort(lostError(label));
    } catch {
      // A failed renewal is not yet a lost lease; it is tried again until the lease's own time is over.
      if (renewed.age > LEASE_MS) lost.abort(lostError(label));
    }
  };
  const timer = setInterval(() => void renew(), LEASE_MS / 3);
  timer.unref();
  const hold = async (): Promise<void> => {
    // Whoever still writes then writes beside whoever holds the lease by now.
    if (closing.signal.aborted)
      throw new DualsyncError("bug", `${label} was written to after its lease was released.`);
    // After a sleep the timers come late: whether the lease is still ours is asked before anything is written.
    if (renewed.age > LEASE_MS / 2) await renew();
    if (renewed.age > LEASE_MS) lost.abort(lostError(label));
    lost.signal.throwIfAborted();
  };
  return {
    lost: lost.signal,
    nonce,
    hold,
    async record(lastRun) {
      await hold();
      await place.record(lastRun, lost.signal);
    },
    async release() {
      clearInterval(timer);
      closing.abort();
      // The run may have been interrupted: the lease is released all the same, but nobody waits long for that.
      await place.release(renewed.age < LEASE_MS / 2, AbortSignal.timeout(RELEASE_MS));
    },
  };
}

/** What a lease says of itself. Hostile until proved otherwise: whoever may write to the target may have written it. */
export type LeaseRecord = Readonly<Record<string, unknown>>;

function holderOf({ host, pid, machine, started }: LeaseRecord): Holder {
  return {
    host: String(host),
    pid: Number(pid),
    ...(typeof machine === "string" ? { machine } : {}),
    ...(typeof started === "string" ? { started } : {}),
  };
}

/** Whether a lease that has not run out is nobody's any more, or this run's own. */
export function mayTakeOver({ id, beginsAgain, isGone }: Run, held: LeaseRecord): boolean {
  return isGone(holderOf(held)) || (beginsAgain === true && held.run === id);
}

/** `since`: when it was taken. */
export function lockedBy(label: string, held: LeaseRecord | undefined, since?: Date): DualsyncError {
  const when = since === undefined ? "" : ` since ${since.toISOString()}`;
  const who =
    held === undefined
      ? "another run"
      : `dualsync ${held.command} on ${held.host} (process ${Number(held.pid)})`;
  return new DualsyncError("locked", `${label} is locked by ${who}${when}.`, {
    hint: `Wait until that run finishes. If it is dead, its lock expires within ${LEASE_MS / 1000} seconds.`,
  });
}

export function lostError(label: string): DualsyncError {
  return new DualsyncError("locked", `The lock of the target ${label} was lost during the run.`, {
    hint: "This machine was suspended or cut off for too long, or another run took over. Run the same command again to resume.",
  });
}
