import type { Document } from "mongodb";
import { DualsyncError } from "../../../model/errors.ts";
import type { Run } from "../../contract.ts";
import { runRecord } from "../../control/control-records.ts";
import {
  Clocks,
  type HeldLease,
  keepLease,
  LEASE_MS,
  lockedBy,
  mayTakeOver,
} from "../../lease/lease-renewal.ts";
import type { Server } from "../connection/server.ts";
import { shapeOf } from "../failures/faults.ts";
import { countDocuments } from "../reading/count.ts";
import { CONTROL_COLLECTION, lookUps } from "../schema/collections.ts";
import { assertSpelling } from "../schema/database-spelling.ts";
import { readControl, updateControl, writeRecord } from "./control-collection.ts";

const DUPLICATE_KEY = 11000;

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
  const untouched = (await lookUps(server)(CONTROL_COLLECTION, signal)) === undefined;
  if (untouched) await assertSpelling(server, signal);
  // Not under the run's signal: interrupted half-way, it would be unknown whether the lease was taken.
  const own = new AbortController().signal;
  let taken = new Clocks();
  const expired = { $lt: [{ $ifNull: ["$until", new Date(0)] }, "$$NOW"] };
  let holder = await tryToTake(server, run, nonce, expired, own);
  if (holder !== undefined && holder.nonce !== nonce && mayTakeOver(run, holder)) {
    taken = new Clocks();
    const free = { $or: [expired, { $eq: ["$nonce", { $literal: holder.nonce }] }] };
    holder = await tryToTake(server, run, nonce, free, own);
  }
  if (holder?.nonce !== nonce) {
    const since = holder?.since instanceof Date ? holder.since : undefined;
    throw lockedBy(server.label, holder, since);
  }
  return keepLease(placeOf(server, nonce, untouched), taken);
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
  await updateControl(server, { q: { _id: "lease" }, u, upsert: true }, signal).catch((error: unknown) => {
    // Two runs that come at once may both try to insert it; then one of them finds the other's.
    if (!(error instanceof DualsyncError) || shapeOf(error.cause).code !== DUPLICATE_KEY) throw error;
  });
  return await readControl(server, "lease", signal);
}

/** `untouched`: dualsync's own collection was not there before the lease. */
function placeOf(server: Server, nonce: string, untouched: boolean): Parameters<typeof keepLease>[0] {
  const mine = { _id: "lease", nonce };
  return {
    label: server.label,
    nonce,
    async renew(signal) {
      const u = [{ $set: { until: { $add: ["$$NOW", LEASE_MS] } } }];
      const answer = await updateControl(server, { q: mine, u }, signal);
      return Number(answer.n) > 0;
    },
    record: (lastRun, signal) => writeRecord(server, runRecord(lastRun), signal),
    async release(certain, signal) {
      // Dropped while it is still held: had it been released before, another run might have taken it, and all it wrote would go.
      const alone = untouched && certain && (await holdsOnly(server, nonce, signal));
      const drop = { drop: CONTROL_COLLECTION };
      const remove = { delete: CONTROL_COLLECTION, deletes: [{ q: mine, limit: 1 }] };
      await server.run(
        { ...(alone ? drop : remove), writeConcern: { w: "majority" } },
        { signal, doing: "release the lease" },
      );
    },
  };
}

/** Whether dualsync's own collection holds nothing but this lease. */
async function holdsOnly(server: Server, nonce: string, signal: AbortSignal): Promise<boolean> {
  const lease = await readControl(server, "lease", signal);
  return lease?.nonce === nonce && (await countDocuments(server, CONTROL_COLLECTION, {}, signal)) === 1;
}
