import type { Document } from "mongodb";
import { DualsyncError } from "../../errors.ts";
import type { Lease, Run } from "../connector.ts";
import { lookUp, OWN_COLLECTION } from "./collections.ts";
import { isEmpty } from "./count.ts";
import { shapeOf } from "./faults.ts";
import type { Server } from "./server.ts";

const DUPLICATE_KEY = 11000;

/** A lease that was not renewed for this long is free; renewals come three times as often. Milliseconds, server time. */
const LEASE_MS = 60_000;

/**
 * Takes the right to write into this database: one document, decided by the server's own clock, so that machines
 * with different clocks respect each other.
 * @throws DualsyncError `locked` with who holds it and since when
 */
export async function takeLease(
  server: Server,
  run: Run,
  nonce: string,
  signal: AbortSignal,
): Promise<Lease> {
  const fresh = {
    _id: "lease",
    run: { $literal: run.id },
    nonce: { $literal: nonce },
    command: { $literal: run.command },
    host: { $literal: run.host },
    pid: { $literal: run.pid },
    from: { $literal: run.from },
    since: "$$NOW",
    until: { $add: ["$$NOW", LEASE_MS] },
  };
  const untouched = (await lookUp(server, OWN_COLLECTION, signal)) === undefined;
  const expired = { $lt: [{ $ifNull: ["$until", new Date(0)] }, "$$NOW"] };
  // Not under the run's signal: broken off half-way, nobody would know whether the lease was taken.
  const own = new AbortController().signal;
  const taken = [{ $replaceWith: { $cond: [expired, fresh, "$$ROOT"] } }];
  await update(server, { _id: "lease" }, taken, true, own).catch((error: unknown) => {
    // Two runs that come at once may both try to insert it; then one of them finds the other's.
    if (!(error instanceof DualsyncError) || shapeOf(error.cause).code !== DUPLICATE_KEY) throw error;
  });
  const holder = await readOwn(server, "lease", own);
  if (holder?.run !== run.id) throw lockedBy(server, holder);
  return keepLease(server, run, nonce, untouched);
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

/** Renews the lease until it is released; aborts `lost` when it was taken over or could not be renewed in time. */
function keepLease(server: Server, run: Run, nonce: string, untouched: boolean): Lease {
  const lost = new AbortController();
  const closing = new AbortController();
  let renewed = performance.now();
  const renew = async (): Promise<void> => {
    try {
      const now = [{ $set: { until: { $add: ["$$NOW", LEASE_MS] } } }];
      const answer = await update(server, { _id: "lease", run: run.id }, now, false, closing.signal);
      if (Number(answer.n) === 0) lost.abort(lostError(server));
      renewed = performance.now();
    } catch {
      // A failed renewal is not yet a lost lease; it is tried again until the lease's own time is over.
      if (performance.now() - renewed > LEASE_MS) lost.abort(lostError(server));
    }
  };
  const timer = setInterval(() => void renew(), LEASE_MS / 3);
  timer.unref();
  return {
    lost: lost.signal,
    nonce,
    record: (filled) => writeOwn(server, "filled", { ...filled, at: new Date() }, lost.signal),
    async release() {
      clearInterval(timer);
      closing.abort();
      // The run may have been interrupted: the lease is given back all the same, under a signal of its own.
      const { signal } = new AbortController();
      const mine = [{ q: { _id: "lease", run: run.id }, limit: 1 }];
      await server.run({ delete: OWN_COLLECTION, deletes: mine }, { signal, doing: "release the lease" });
      if (untouched && (await isEmpty(server, OWN_COLLECTION, signal))) {
        await server.run(
          { drop: OWN_COLLECTION, writeConcern: { w: "majority" } },
          { signal, doing: "release the lease" },
        );
      }
    },
  };
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

async function update(
  server: Server,
  q: Document,
  u: Document[],
  upsert: boolean,
  signal: AbortSignal,
): Promise<Document> {
  const answer = await server.run(
    { update: OWN_COLLECTION, updates: [{ q, u, upsert }], writeConcern: { w: "majority" } },
    { signal, doing: `write to ${OWN_COLLECTION}` },
  );
  const failed = Array.isArray(answer.writeErrors) ? answer.writeErrors[0] : undefined;
  if (failed !== undefined) throw server.fault(failed, `write to ${OWN_COLLECTION}`);
  return answer;
}

/** A document of dualsync's own collection; undefined when it is not there. */
export async function readOwn(
  server: Server,
  id: string,
  signal: AbortSignal,
): Promise<Document | undefined> {
  const answer = await server.run(
    { find: OWN_COLLECTION, filter: { _id: id }, limit: 1, singleBatch: true },
    { signal, doing: `read ${OWN_COLLECTION}` },
  );
  return (answer.cursor as { firstBatch?: Document[] } | undefined)?.firstBatch?.[0];
}

/** Replaces a document of dualsync's own collection. */
export async function writeOwn(
  server: Server,
  id: string,
  content: Document,
  signal: AbortSignal,
): Promise<void> {
  const answer = await server.run(
    {
      update: OWN_COLLECTION,
      updates: [{ q: { _id: id }, u: { _id: id, ...content }, upsert: true }],
      writeConcern: { w: "majority" },
    },
    { signal, doing: `write to ${OWN_COLLECTION}` },
  );
  const failed = Array.isArray(answer.writeErrors) ? answer.writeErrors[0] : undefined;
  if (failed !== undefined) throw server.fault(failed, `write to ${OWN_COLLECTION}`);
}
