import type { Document } from "mongodb";
import { DualsyncError } from "../../errors.ts";
import type { Holder, Lease, Run } from "../connector.ts";
import { lookUp, OWN_COLLECTION } from "./collections.ts";
import { countDocuments } from "./count.ts";
import { shapeOf } from "./faults.ts";
import { readOwn, updateOwn, writeFilled } from "./own.ts";
import type { Server } from "./server.ts";

const DUPLICATE_KEY = 11000;

/** A lease that was not renewed for this long is free; renewals come three times as often. Milliseconds, server time. */
const LEASE_MS = 60_000;

/** A lease that could not be given back after this time runs out by itself. Milliseconds. */
const RELEASE_MS = 5_000;

/** A lease as the connector itself uses it. */
export interface HeldLease extends Lease {
  /** Resolves when the right to write is certain for this moment. @throws DualsyncError `locked` when it is gone */
  hold(): Promise<void>;
}

/**
 * Takes the right to write into this database: one document, decided by the server's own clock, so that machines
 * with different clocks respect each other. A holder that is certain to be dead is not waited for.
 * @throws DualsyncError `locked` with who holds it and since when
 */
export async function takeLease(
  server: Server,
  run: Run,
  nonce: string,
  signal: AbortSignal,
): Promise<HeldLease> {
  const untouched = (await lookUp(server, OWN_COLLECTION, signal)) === undefined;
  // Not under the run's signal: broken off half-way, nobody would know whether the lease was taken.
  const own = new AbortController().signal;
  let taken = new Clocks();
  const expired = { $lt: [{ $ifNull: ["$until", new Date(0)] }, "$$NOW"] };
  let holder = await tryToTake(server, run, nonce, expired, own);
  if (holder !== undefined && holder.nonce !== nonce && run.isGone(holderOf(holder))) {
    taken = new Clocks();
    const free = { $or: [expired, { $eq: ["$nonce", { $literal: holder.nonce }] }] };
    holder = await tryToTake(server, run, nonce, free, own);
  }
  if (holder?.nonce !== nonce) throw lockedBy(server, holder);
  return keepLease(server, nonce, untouched, taken);
}

/** Writes this run into the lease where it is `free`. @returns who holds it now */
async function tryToTake(
  server: Server,
  run: Run,
  nonce: string,
  free: Document,
  signal: AbortSignal,
): Promise<Document | undefined> {
  const values = { run: run.id, nonce, command: run.command, from: run.from, ...run.holder };
  const fresh = {
    _id: "lease",
    ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { $literal: value }])),
    since: "$$NOW",
    until: { $add: ["$$NOW", LEASE_MS] },
  };
  const u = [{ $replaceWith: { $cond: [free, fresh, "$$ROOT"] } }];
  await updateOwn(server, { q: { _id: "lease" }, u, upsert: true }, signal).catch((error: unknown) => {
    // Two runs that come at once may both try to insert it; then one of them finds the other's.
    if (!(error instanceof DualsyncError) || shapeOf(error.cause).code !== DUPLICATE_KEY) throw error;
  });
  return await readOwn(server, "lease", signal);
}

/** Hostile until proved otherwise: whoever may write to the database may have written this. */
function holderOf(document: Document): Holder {
  const { host, pid, machine, started } = document;
  return {
    host: String(host),
    pid: Number(pid),
    ...(typeof machine === "string" ? { machine } : {}),
    ...(typeof started === "string" ? { started } : {}),
  };
}

function lockedBy(server: Server, holder: Document | undefined): DualsyncError {
  const since = holder?.since instanceof Date ? ` since ${holder.since.toISOString()}` : "";
  const who =
    holder === undefined
      ? "another run"
      : `dualsync ${holder.command} on ${holder.host} (process ${Number(holder.pid)})`;
  return new DualsyncError("locked", `The target ${server.label} is being written by ${who}${since}.`, {
    hint: `Wait until it is done. If that run is dead, its right to write ends by itself within ${LEASE_MS / 1000} seconds.`,
  });
}

/** How long ago something was, by the clock that stands still while a machine sleeps and by the one that may be set. */
class Clocks {
  readonly #steady = performance.now();
  readonly #wall = Date.now();

  /** Milliseconds; the longer of both, so that neither a sleep nor a clock set back makes it look recent. */
  get age(): number {
    return Math.max(performance.now() - this.#steady, Date.now() - this.#wall);
  }
}

/** Renews the lease until it is released; aborts `lost` when it was taken over or could not be renewed in time. */
function keepLease(server: Server, nonce: string, untouched: boolean, taken: Clocks): HeldLease {
  const lost = new AbortController();
  const closing = new AbortController();
  const mine = { _id: "lease", nonce };
  let renewed = taken;
  const renew = async (): Promise<void> => {
    const now = new Clocks();
    try {
      const u = [{ $set: { until: { $add: ["$$NOW", LEASE_MS] } } }];
      const answer = await updateOwn(server, { q: mine, u }, closing.signal);
      if (Number(answer.n) === 0) lost.abort(lostError(server));
      else renewed = now;
    } catch {
      // A failed renewal is not yet a lost lease; it is tried again until the lease's own time is over.
      if (renewed.age > LEASE_MS) lost.abort(lostError(server));
    }
  };
  const timer = setInterval(() => void renew(), LEASE_MS / 3);
  timer.unref();
  const hold = async (): Promise<void> => {
    // After a sleep the timers come late: whether the lease is still ours is asked before anything is written.
    if (renewed.age > LEASE_MS / 2) await renew();
    if (renewed.age > LEASE_MS) lost.abort(lostError(server));
    lost.signal.throwIfAborted();
  };
  return {
    lost: lost.signal,
    nonce,
    hold,
    async record(filled) {
      await hold();
      await writeFilled(server, filled, lost.signal);
    },
    async release() {
      clearInterval(timer);
      closing.abort();
      // The run may have been interrupted: the lease is given back all the same, but nobody waits long for that.
      const signal = AbortSignal.timeout(RELEASE_MS);
      // Dropped while it is still held: given back before, another run might have taken it, and all it wrote would go.
      const alone = untouched && renewed.age < LEASE_MS / 2 && (await holdsOnly(server, nonce, signal));
      const drop = { drop: OWN_COLLECTION };
      const remove = { delete: OWN_COLLECTION, deletes: [{ q: mine, limit: 1 }] };
      await server.run(
        { ...(alone ? drop : remove), writeConcern: { w: "majority" } },
        { signal, doing: "release the lease" },
      );
    },
  };
}

/** Whether dualsync's own collection holds nothing but this lease. */
async function holdsOnly(server: Server, nonce: string, signal: AbortSignal): Promise<boolean> {
  const lease = await readOwn(server, "lease", signal);
  return lease?.nonce === nonce && (await countDocuments(server, OWN_COLLECTION, {}, signal)) === 1;
}

function lostError(server: Server): DualsyncError {
  return new DualsyncError(
    "locked",
    `The right to write to the target ${server.label} was lost on the way.`,
    {
      hint: "This machine was suspended or cut off for too long, or another run took over. Run the same command again: it goes on.",
    },
  );
}
