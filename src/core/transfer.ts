import type { CollectionInfo, IdRange } from "../connectors/connector.ts";
import { DualsyncError } from "../errors.ts";
import type { CollectionReport, Reporter, Verdict } from "../reporting/reporter.ts";
import { convergeRange, fillRange } from "./copy.ts";
import { Flights } from "./flights.ts";
import type { CopiedRange, Job, Transfer } from "./job.ts";
import type { PlannedJob } from "./plan.ts";
import { proveRange } from "./prove.ts";
import { piecesFor } from "./ranges.ts";
import { removeExtras } from "./remove.ts";
import { copySequence } from "./sequence.ts";
import { Tally } from "./tally.ts";

/** What moving all collections of a plan came to. */
export interface Transferred {
  readonly collections: readonly CollectionReport[];
  readonly bytes: number;
}

/**
 * Copies every collection of the plan, views last; small ones side by side, large ones in ranges, never more ranges at
 * once than `concurrency`. The first error ends the run.
 */
export async function transferAll(
  transfer: Transfer,
  jobs: readonly PlannedJob[],
  reporter: Reporter,
): Promise<Transferred> {
  const gate = new Flights(transfer.concurrency, transfer.stop);
  const collections = new Flights(transfer.concurrency, transfer.stop);
  const reports = new Map<string, CollectionReport>();
  let bytes = 0;
  const start = (planned: PlannedJob) => async (): Promise<void> => {
    const meter = reporter.meter(planned.from.name, planned.from.documents);
    const job: Job = { ...transfer, ...planned, meter, tally: new Tally(), setAside: new Set() };
    try {
      reports.set(planned.from.name, await transferOne(job, gate));
      bytes += job.tally.bytes;
    } finally {
      meter.end();
    }
  };
  try {
    const ordered = [...jobs].sort(
      (a, b) =>
        Number(a.from.kind === "view") - Number(b.from.kind === "view") || b.from.bytes - a.from.bytes,
    );
    for (const planned of ordered) {
      // A view is defined on collections that must be there before it.
      if (planned.from.kind === "view") await collections.land();
      await collections.add(start(planned));
    }
    await collections.land();
  } finally {
    await collections.settle();
    await gate.settle();
  }
  return {
    collections: jobs
      .map((planned) => reports.get(planned.from.name))
      .filter((report) => report !== undefined),
    bytes,
  };
}

async function transferOne(job: Job, gate: Flights): Promise<CollectionReport> {
  const prepared = await job.target.prepare(job.to, job.signal);
  for (const { key, reason } of prepared.notReproduced) job.losses.add(key, reason);
  if (job.from.kind === "view")
    return report(job, undefined, undefined, prepared.notReproduced.length === 0 ? "defined" : "set aside");
  job.meter.phase("copying");
  let complete = true;
  if (job.from.kind === "collection") {
    await copyRanges(job, prepared.empty, gate);
  } else {
    complete = await copySequence(job, prepared.empty);
    await mustStillBeThere(job);
  }
  if (job.indexes) await copyIndexes(job);
  return await conclude(job, complete);
}

async function copyRanges(job: Job, empty: boolean, gate: Flights): Promise<void> {
  const ranges = await job.source.ranges(job.from, piecesFor(job.from, job.concurrency), job.signal);
  const withExtras: IdRange[] = [];
  const own = new Flights(job.concurrency, job.stop);
  try {
    for (const range of ranges) {
      await own.add(() =>
        inGate(gate, async () => {
          const copied = await copyRange(job, range, empty);
          if (copied.extra > 0) withExtras.push(range);
          job.tally.extra += copied.extra;
        }),
      );
    }
    await own.land();
  } finally {
    await own.settle();
  }
  await mustStillBeThere(job);
  if (job.delete && !empty) await removeExtras(job, withExtras);
}

/** A collection that is dropped while it is read looks like one that ends early, or is empty. */
async function mustStillBeThere(job: Job): Promise<void> {
  if (await job.source.isStillThere(job.from, job.signal)) return;
  throw new DualsyncError(
    "source",
    `The collection ${job.from.name} was dropped or replaced in the source during the run.`,
    {
      hint: "Its copy may be incomplete. Run the same command again when the source is at rest.",
    },
  );
}

/** Runs `work` when the gate has a place, and fails as it fails: the gate is shared, its failures are not. */
function inGate(gate: Flights, work: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    gate.add(() => work().then(resolve, reject)).catch(reject);
  });
}

async function copyRange(job: Job, range: IdRange, empty: boolean): Promise<CopiedRange> {
  job.signal.throwIfAborted();
  const copied =
    empty || (await isEmptyRange(job, range)) ? await fillRange(job, range) : await convergeRange(job, range);
  await proveRange(job, copied);
  return copied;
}

/** An interrupted copy leaves whole ranges empty: those are filled at full speed. */
async function isEmptyRange(job: Job, range: IdRange): Promise<boolean> {
  for await (const batch of job.target.read(job.to, { range, batchSize: 1, signal: job.signal })) {
    if (batch.length > 0) return false;
  }
  return true;
}

async function copyIndexes(job: Job): Promise<void> {
  job.meter.phase("building indexes");
  const indexes = await job.source.indexes(job.from.name, job.signal);
  for (const { key, reason } of await job.target.finish(job.to, indexes, job.signal))
    job.losses.add(key, reason);
}

async function conclude(job: Job, complete: boolean): Promise<CollectionReport> {
  const filter = job.filter === undefined ? {} : { filter: job.filter };
  if (job.verify === "none")
    return report(job, undefined, undefined, complete ? "not verified" : "set aside");
  const count = (store: Transfer["source"], collection: CollectionInfo): Promise<number> =>
    store.count(collection.name, filter, job.signal);
  const [sourceCount, targetCount] = await Promise.all([
    count(job.source, job.from),
    count(job.target, job.to),
  ]);
  return report(job, sourceCount, targetCount, verdictOf(job, complete, sourceCount, targetCount));
}

function verdictOf(job: Job, complete: boolean, sourceCount: number, targetCount: number): Verdict {
  const kept = Math.max(0, job.tally.extra - job.tally.deleted) - job.tally.setAside;
  // On a busy source its count now may differ from what was read.
  const agrees = targetCount === sourceCount + kept || targetCount === job.tally.read + kept;
  if (complete && job.verify === "counts" && !agrees) return "failed";
  if (!complete || job.tally.setAside > 0) return "set aside";
  return job.verify === "content" ? "verified" : "counts match";
}

function report(
  job: Job,
  sourceCount: number | undefined,
  targetCount: number | undefined,
  verdict: Verdict,
): CollectionReport {
  const { read, written, unchanged, setAside, deleted, extra, changed } = job.tally;
  return {
    collection: job.from.name,
    target: job.to.name,
    kind: job.from.kind,
    read,
    written,
    unchanged,
    setAside,
    deleted,
    extra: Math.max(0, extra - deleted),
    changed,
    sourceCount,
    targetCount,
    verdict,
  };
}
