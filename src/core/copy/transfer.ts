import type { CollectionInfo, IdRange } from "../../connectors/collection.ts";
import type { PreparedCollection, Reader } from "../../connectors/contract.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { CollectionReport, Reporter, Verdict } from "../../model/reporter.ts";
import { checksumsToBytes } from "../checksums/checksums.ts";
import { assertNotAllDenied } from "../concurrency/one-collection.ts";
import { eachRange, sideBySide, smallAtOnce } from "../concurrency/side-by-side.ts";
import { TaskPool } from "../concurrency/task-pool.ts";
import type { ComparedDocuments, PlannedJob } from "../plan/plan.ts";
import type { OpenRange } from "../progress/progress.ts";
import { replacedMeanwhile, replacedReason } from "../walk/presence.ts";
import { cutInto, isBound, piecesFor } from "../walk/ranges.ts";
import { shortfall } from "../walk/shortfall.ts";
import { checkCounts, countBoth } from "./check-counts.ts";
import { convergeRange, fillRange } from "./copy-range.ts";
import type { Job, Transfer } from "./job.ts";
import { leaveBlueprint } from "./leave-blueprint.ts";
import { type DoneCollection, open, type PlannedTransfer, report } from "./opened-collection.ts";
import { removeExtras } from "./remove.ts";
import { copySequence } from "./sequence.ts";
import { settleRejected } from "./settle.ts";
import { assertSourceExists, assertTargetExists, nameInexact } from "./still-there.ts";
import { type Stages, transferRelated } from "./transfer-related.ts";

/** What moving all collections of a plan came to. */
export interface Transferred {
  readonly collections: readonly CollectionReport[];
  readonly bytes: number;
}

/**
 * Copies every collection of the plan, definitions last; small ones side by side, large ones in ranges, never more ranges at
 * once than `concurrency`. The first error ends the run.
 */
export async function transferAll(
  transfer: Transfer,
  jobs: readonly PlannedJob[],
  reporter: Reporter,
): Promise<Transferred> {
  const failures: DualsyncError[] = [];
  const onFailure = (error: DualsyncError): void => void failures.push(error);
  const planned = jobs.map((job) => ({ ...transfer, ...job, onFailure }));
  const done =
    transfer.session.relatedWrites === undefined
      ? await transferApart(transfer, planned, reporter)
      : await transferRelated(planned, reporter, stagesOf(transfer));
  assertNotAllDenied(failures, jobs.length);
  const reports = new Map(done.map(({ report }) => [report.collection, report]));
  await nameReplaced(transfer, jobs, reports);
  return {
    collections: jobs.map(({ from }) => reports.get(from.name)).filter((report) => report !== undefined),
    bytes: done.reduce((sum, { moved }) => sum + moved, 0),
  };
}

/** Collections that have nothing to do with each other. */
async function transferApart(
  transfer: Transfer,
  planned: readonly PlannedTransfer[],
  reporter: Reporter,
): Promise<readonly DoneCollection[]> {
  const done: DoneCollection[] = [];
  const small = smallAtOnce(transfer, transfer.concurrency);
  await sideBySide(planned, { ...transfer, small }, async (one, gate) => {
    const opened = await open(one, reporter);
    try {
      await opened.stage(async (job, prepared) => {
        await fill(job, prepared, gate);
        await settleRejected(job);
        return await end(job, prepared);
      });
      done.push(opened.done);
    } finally {
      opened.close();
    }
  });
  return done;
}

/** What was altered while or after it was copied is not known to be a copy of one and the same collection. */
async function nameReplaced(
  { source, losses, signal }: Transfer,
  jobs: readonly PlannedJob[],
  reports: Map<string, CollectionReport>,
): Promise<void> {
  const replaced = await replacedMeanwhile(
    source,
    jobs.map(({ from }) => from),
    signal,
  );
  for (const { name } of replaced) {
    const done = reports.get(name);
    if (done === undefined || done.verdict === "incomplete") continue;
    losses.add(`collection ${name}`, replacedReason("source"));
    reports.set(name, { ...done, verdict: "incomplete" });
  }
}

function stagesOf({ concurrency, stop }: Transfer): Stages {
  return {
    async fill(job, prepared) {
      const gate = new TaskPool(concurrency, stop);
      try {
        await fill(job, prepared, gate);
      } finally {
        await gate.drain();
      }
    },
    end,
  };
}

/** Moves the documents; `settleRejected` writes what others are in the way of. */
async function fill(job: Job, prepared: PreparedCollection, gate: TaskPool): Promise<void> {
  const { progress, from } = job;
  if (from.kind === "definition") return;
  job.meter.phase("copying");
  if (job.compared !== undefined) return takeCompared(job, job.compared);
  if (from.kind === "collection") return await copyRanges(job, prepared, gate);
  if (progress.remaining === undefined) progress.begin([{}]);
  progress.isWhole = await copySequence(job, prepared.empty);
  await assertSourceExists(job);
}

/** Nothing of it is to be changed. */
function takeCompared({ progress, meter }: Job, { equal, equivalent, kept, extra }: ComparedDocuments): void {
  const { tally } = progress;
  const unchanged = equal + equivalent;
  tally.count(unchanged, 0, { written: 0, unchanged, rejected: [] });
  tally.equivalent += equivalent;
  tally.keep(kept, 0);
  tally.extra += extra;
  progress.begin([]);
  meter.advance(unchanged + kept, 0);
}

/** Removes what is to go, builds what is missing around the documents, and counts. */
async function end(job: Job, prepared: PreparedCollection): Promise<CollectionReport> {
  if (job.from.kind === "definition")
    return report(job, undefined, undefined, prepared.notReproduced.length === 0 ? "defined" : "incomplete");
  if (job.from.kind === "collection") {
    await assertTargetExists(job, prepared.uid);
    await leaveChecksums(job);
    await leaveBlueprint(job, job.session.blueprints);
  }
  job.losses.merge(job.progress.losses);
  if (job.indexes) await copyIndexes(job);
  return await conclude(job, job.progress.isWhole && nameInexact(job, job.losses).length === 0);
}

/** Where the target lacks what this run did not look at, the collection is not whole. */
async function copyRanges(job: Job, { empty }: PreparedCollection, gate: TaskPool): Promise<void> {
  if (job.progress.remaining === undefined)
    job.progress.begin(job.since === undefined ? await cut(job) : [{}]);
  const held = job.since === undefined ? undefined : await countBoth(job);
  const ranges = job.progress.remaining ?? [];
  await eachRange(ranges, gate, job, (range) => copyRange(job, range, empty));
  // Of a range that this run has done it was certain when that was taken down.
  if (ranges.length === 0 || held !== undefined) await assertSourceExists(job);
  if (held !== undefined) job.progress.isWhole = await checkCounts(job, held);
  if (job.delete && !empty) await removeExtras(job);
}

/** For later comparisons, which can do without. */
async function leaveChecksums({
  session,
  to,
  checksumBuilder,
  lastVerified,
  progress: { tally },
  signal,
  note,
}: Job): Promise<void> {
  const checksums = checksumBuilder?.checksums();
  if (checksums === undefined) return;
  // Those that are there are removed before anything is written.
  const areKept = tally.written === 0 && tally.deleted === 0 && tally.rejected === 0;
  if (areKept && lastVerified?.isSame(checksums)) return;
  await session.checksums?.leave(to.name, checksumsToBytes(checksums), signal).catch((error: unknown) => {
    if (signal.aborted || !(error instanceof DualsyncError)) throw error;
    note(`${to.name}: the checksums for diff could not be saved in the target: ${error.message}`);
  });
}

async function cut(job: Job): Promise<readonly IdRange[]> {
  if (job.ids !== undefined) return [{}];
  const pieces = piecesFor(job.from, job.concurrency);
  const ranges = await cutInto(job.source, job.target, job.from, pieces, job.signal);
  return job.lastVerified?.aligned(ranges, (id) => isBound(job, id)) ?? ranges;
}

async function copyRange(job: Job, range: OpenRange, empty: boolean): Promise<void> {
  job.signal.throwIfAborted();
  const isWhole = job.since === undefined && job.ids === undefined;
  if (isWhole && (empty || (await isEmptyRange(job, range)))) await fillRange(job, range);
  else await convergeRange(job, range);
}

/** Asked of a target that holds something. An interrupted copy leaves whole ranges empty: those are filled at full speed. */
async function isEmptyRange(job: Job, range: OpenRange): Promise<boolean> {
  if (range.from === undefined && range.to === undefined) return false;
  for await (const batch of job.target.read(job.to, {
    range: { ...range },
    batchSize: 1,
    signal: job.signal,
  })) {
    if (batch.length > 0) return false;
  }
  return true;
}

async function copyIndexes(job: Job): Promise<void> {
  job.meter.phase("building indexes");
  const indexes = (await job.source.metadata?.indexes(job.from.name, job.signal)) ?? [];
  for (const { key, reason } of await job.session.finish(job.to, indexes, job.signal))
    job.losses.add(key, reason);
  await job.sizeLimit?.measure(0, job.signal);
}

async function conclude(job: Job, complete: boolean): Promise<CollectionReport> {
  if (job.verify === "none") {
    const isWhole = complete && (await gaveAll(job));
    return report(job, undefined, undefined, isWhole ? "not verified" : "incomplete");
  }
  const [sourceCount, targetCount] = await Promise.all([
    countOf(job, job.source, job.from, givenByAll(job)),
    countOf(job, job.target, job.to, heldByTarget(job)),
  ]);
  const isWhole = complete && (await gaveAll(job, sourceCount));
  return report(job, sourceCount, targetCount, verdictOf(job, isWhole, sourceCount, targetCount));
}

/** `seen`: what is known without counting. */
async function countOf(
  { filter, signal }: Job,
  store: Reader,
  { name }: CollectionInfo,
  seen: number | undefined,
): Promise<number | undefined> {
  if (!store.countsExactly) return undefined;
  return seen ?? (await store.count(name, { filter }, signal));
}

/** What the source gave in this run, where that is as many as it held when it was listed. */
function givenByAll({ verify, from, filter, ids, since, progress }: Job): number | undefined {
  const isAll =
    verify === "content" &&
    from.kind === "collection" &&
    [filter, ids, since].every((part) => part === undefined);
  const { read } = progress.tally;
  return isAll && !progress.isResumed && read === from.documents ? read : undefined;
}

/** What the target holds, where this run has read all of it and found nothing to change. */
function heldByTarget(job: Job): number | undefined {
  const { read, unchanged, extra } = job.progress.tally;
  return unchanged === read && extra === 0 ? givenByAll(job) : undefined;
}

/** @returns false, with a loss named, where the source gave other documents than it counts */
async function gaveAll(job: Job, counted?: number): Promise<boolean> {
  const { source: store, from: collection, filter, signal, since, losses, progress } = job;
  // Of what was not changed nothing was read; what the store itself guarantees need not be counted for that alone.
  if (
    since !== undefined ||
    job.ids !== undefined ||
    (job.verify === "none" && collection.idsAreUnique === true)
  )
    return true;
  const known = filter === undefined ? { before: collection.documents } : { filter };
  const giver = { store, role: "source", collection, signal, ...known } as const;
  const found = await shortfall({ ...giver, counted }, progress.tally.read);
  if (found === undefined) return true;
  losses.add(`collection ${collection.name}`, found);
  progress.forget();
  return false;
}

function verdictOf(
  job: Job,
  complete: boolean,
  sourceCount: number | undefined,
  targetCount: number | undefined,
): Verdict {
  const kept =
    Math.max(0, job.progress.tally.extra - job.progress.tally.deleted) - job.progress.tally.rejected;
  // On a busy source its count now may differ from what was read.
  const agrees =
    targetCount === undefined ||
    targetCount === job.progress.tally.read + kept ||
    (sourceCount !== undefined && targetCount === sourceCount + kept);
  // Of what was not read, what is only in the target was not counted.
  if (complete && job.verify === "counts" && job.since === undefined && !agrees) return "failed";
  if (!complete || job.progress.tally.rejected > 0) return "incomplete";
  if (job.verify === "content") return "verified";
  return targetCount === undefined ? "not verified" : "counts match";
}
