import type { CollectionInfo, IdRange } from "../../connectors/collection.ts";
import type { PreparedCollection, Reader } from "../../connectors/contract.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { CollectionReport, Reporter, Verdict } from "../../model/reporter.ts";
import { ChecksumBuilder } from "../checksums/checksum-builder.ts";
import { checksumsToBytes } from "../checksums/checksums.ts";
import { LastVerified } from "../checksums/last-verified.ts";
import {
  assertNotAllDenied,
  isOfOneCollection,
  oneCollection,
  reasonOf,
} from "../concurrency/one-collection.ts";
import { eachRange, sideBySide, smallAtOnce } from "../concurrency/side-by-side.ts";
import type { TaskPool } from "../concurrency/task-pool.ts";
import type { PlannedJob } from "../plan/plan.ts";
import type { OpenRange, Progress } from "../progress/progress.ts";
import { equivalenceOf } from "../walk/equivalence.ts";
import { replacedMeanwhile, replacedReason } from "../walk/presence.ts";
import { cutInto, isBound, piecesFor } from "../walk/ranges.ts";
import { shortfall } from "../walk/shortfall.ts";
import { keepsNoFieldOrder } from "../walk/whole.ts";
import { checkCounts, countBoth } from "./check-counts.ts";
import { convergeRange, fillRange } from "./copy-range.ts";
import type { Job, Transfer } from "./job.ts";
import { removeExtras } from "./remove.ts";
import { copySequence } from "./sequence.ts";
import { settleRejected } from "./settle.ts";
import { assertSourceExists, assertTargetExists, nameInexact } from "./still-there.ts";

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
  const reports = new Map<string, CollectionReport>();
  const failures: DualsyncError[] = [];
  let bytes = 0;
  const small = smallAtOnce(transfer, transfer.concurrency);
  await sideBySide(jobs, { ...transfer, small }, async (planned, gate) => {
    const onFailure = (error: DualsyncError): void => void failures.push(error);
    const { report, moved } = await transferOne({ ...transfer, ...planned, onFailure }, gate, reporter);
    reports.set(planned.from.name, report);
    bytes += moved;
  });
  assertNotAllDenied(failures, jobs.length);
  await nameReplaced(transfer, jobs, reports);
  return {
    collections: jobs
      .map((planned) => reports.get(planned.from.name))
      .filter((report) => report !== undefined),
    bytes,
  };
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

interface PlannedTransfer extends Transfer, PlannedJob {
  /** Hears of a failure that is of this collection alone. */
  readonly onFailure: (error: DualsyncError) => void;
}

async function transferOne(
  planned: PlannedTransfer,
  gate: TaskPool,
  reporter: Reporter,
): Promise<{ report: CollectionReport; moved: number }> {
  const prepared = await prepare(planned);
  for (const { key, reason } of prepared?.notReproduced ?? []) planned.losses.add(key, reason);
  const progress = await openProgress(planned, prepared);
  const { read, bytes } = progress.tally;
  const meter = reporter.meter(planned.from.name, planned.from.documents, { documents: read, bytes });
  // What is gone from the target is not among what was changed in the source: then everything is read.
  const since = prepared?.empty === false ? planned.since : undefined;
  const uids = { source: planned.from.uid, target: prepared?.uid };
  const work = async (own: Transfer & PlannedJob): Promise<CollectionReport> => {
    const job: Job = {
      ...own,
      since,
      meter,
      progress,
      lastVerified: await lastVerifiedOf(own, prepared),
      rejected: new Set(),
      journaling: journalingOf(own, prepared),
      checksumBuilder: ChecksumBuilder.of({ ...own, since }, uids),
      equivalence: equivalenceOf(own),
    };
    return await reportOf(job, prepared, gate);
  };
  try {
    const done = await oneCollection(planned, work, (error) => givenUp({ ...planned, progress }, error));
    return { report: done, moved: progress.tally.bytes };
  } finally {
    meter.end();
  }
}

/** What was copied of it stays; the next run starts it over. */
function givenUp(job: PlannedTransfer & Pick<Job, "progress">, error: DualsyncError): CollectionReport {
  job.onFailure(error);
  job.losses.merge(job.progress.losses);
  job.losses.add(`collection ${job.from.name}`, reasonOf(error));
  job.progress.forget();
  return report(job, undefined, undefined, "incomplete");
}

/** What dualsync did not write itself is saved before it is overwritten, and everything before it is removed. */
function journalingOf(
  { journal, to }: Transfer & PlannedJob,
  prepared: PreparedCollection | undefined,
): Job["journaling"] {
  if (journal === undefined || prepared === undefined) return undefined;
  const { fromEmpty, uid } = prepared;
  return { journal, collection: { name: to.name, uid }, writes: !fromEmpty };
}

/** To be asked before anything is written: nothing is left of it then. */
async function lastVerifiedOf(
  job: Transfer & PlannedJob,
  prepared: PreparedCollection | undefined,
): Promise<LastVerified | undefined> {
  if (prepared === undefined || prepared.empty) return undefined;
  return await LastVerified.of(job, { source: job.from.uid, target: prepared.uid });
}

async function reportOf(
  job: Job,
  prepared: PreparedCollection | undefined,
  gate: TaskPool,
): Promise<CollectionReport> {
  if (prepared === undefined) return report(job, undefined, undefined, "incomplete");
  if (job.from.kind === "definition")
    return report(job, undefined, undefined, prepared.notReproduced.length === 0 ? "defined" : "incomplete");
  return await fillAndProve(job, prepared, gate);
}

/** What the target cannot be given at all is named, and the other collections are copied. */
async function prepare({
  session,
  to,
  signal,
  losses,
  from,
  doubts,
  onFailure,
}: PlannedTransfer): Promise<PreparedCollection | undefined> {
  try {
    const prepared = await session.prepare(to, signal);
    return { ...prepared, notReproduced: [...doubts, ...prepared.notReproduced] };
  } catch (error) {
    signal.throwIfAborted();
    if (!isOfOneCollection(error)) throw error;
    onFailure(error);
    losses.add(`collection ${from.name}`, reasonOf(error));
    return undefined;
  }
}

/** The progress of a collection, with what a former run has done of it if that can be relied on. */
async function openProgress(
  job: Transfer & PlannedJob,
  prepared: PreparedCollection | undefined,
): Promise<Progress> {
  const { name } = job.from;
  const uids = { source: partOf(job), target: prepared?.uid };
  const progress = job.checkpoint.open(name, uids, job.losses.part());
  const former = job.checkpoint.former(name, uids);
  if (former === undefined) return progress;
  const proved = former.counts.read - former.counts.rejected;
  const held = await job.target.count(job.to.name, {}, job.signal).catch((error: unknown) => {
    // It is named as soon as its copying fails in the same way.
    if (job.signal.aborted || !isOfOneCollection(error)) throw error;
    return undefined;
  });
  if (held === undefined) return progress;
  if (held >= proved || !job.target.countsExactly) progress.restore(former);
  else
    job.note(
      `${name}: the target holds fewer documents than the interrupted run verified (${held} of ${proved}); everything is read again.`,
    );
  return progress;
}

/** What of the source is read. What a run has done of its changes alone is not what another one has to do of all of it. */
function partOf({ from: { uid }, since }: PlannedJob): string | undefined {
  return since === undefined || uid === undefined ? uid : `${uid}, changed since ${since.toISOString()}`;
}

async function fillAndProve(
  job: Job,
  prepared: PreparedCollection,
  gate: TaskPool,
): Promise<CollectionReport> {
  job.meter.phase("copying");
  let complete = true;
  if (job.from.kind === "collection") {
    complete = await copyRanges(job, prepared, gate);
  } else {
    if (job.progress.remaining === undefined) job.progress.begin([{}]);
    complete = await copySequence(job, prepared.empty);
    await assertSourceExists(job);
  }
  job.losses.merge(job.progress.losses);
  if (job.indexes) await copyIndexes(job);
  return await conclude(job, complete && !nameInexact(job, job.losses));
}

/** @returns false where the target lacks what this run did not look at */
async function copyRanges(job: Job, { empty, uid }: PreparedCollection, gate: TaskPool): Promise<boolean> {
  if (job.progress.remaining === undefined)
    job.progress.begin(job.since === undefined ? await cut(job) : [{}]);
  const held = job.since === undefined ? undefined : await countBoth(job);
  const ranges = job.progress.remaining ?? [];
  await eachRange(ranges, gate, job, (range) => copyRange(job, range, empty));
  // Of a range that this run has done it was certain when that was taken down.
  if (ranges.length === 0 || held !== undefined) await assertSourceExists(job);
  const complete = held === undefined || (await checkCounts(job, held));
  if (job.delete && !empty) await removeExtras(job);
  await settleRejected(job);
  await assertTargetExists(job, uid);
  await leaveChecksums(job);
  await leaveBlueprint(job);
  return complete;
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

/** For the day on which the source is lost, collections and all. */
async function leaveBlueprint({ source, session, from, to, signal, note }: Job): Promise<void> {
  if (source.blueprints === undefined || session.blueprints === undefined) return;
  try {
    const blueprint = await source.blueprints.of(from.name, signal);
    if (blueprint !== undefined) await session.blueprints.leave(to.name, blueprint, signal);
    else note(`${to.name}: what is needed to create it again is too long to be kept, or not known.`);
  } catch (error) {
    if (signal.aborted || !(error instanceof DualsyncError)) throw error;
    note(`${to.name}: what is needed to create it again could not be kept in the target: ${error.message}`);
  }
}

async function cut(job: Job): Promise<readonly IdRange[]> {
  const pieces = piecesFor(job.from, job.concurrency);
  const ranges = await cutInto(job.source, job.target, job.from, pieces, job.signal);
  return job.lastVerified?.aligned(ranges, (id) => isBound(job, id)) ?? ranges;
}

async function copyRange(job: Job, range: OpenRange, empty: boolean): Promise<void> {
  job.signal.throwIfAborted();
  const journaled = job.journaling?.writes === true;
  if (job.since === undefined && !journaled && (empty || (await isEmptyRange(job, range))))
    await fillRange(job, range);
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
function givenByAll({ verify, from, filter, since, progress }: Job): number | undefined {
  const isAll =
    verify === "content" && from.kind === "collection" && filter === undefined && since === undefined;
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
  if (since !== undefined || (job.verify === "none" && collection.idsAreUnique === true)) return true;
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

type Reported = Pick<Job, "from" | "to" | "progress">;

function report(
  job: Reported,
  sourceCount: number | undefined,
  targetCount: number | undefined,
  verdict: Verdict,
): CollectionReport {
  const { read, written, unchanged, equivalent, rejected, deleted, extra, changed } = job.progress.tally;
  return {
    collection: job.from.name,
    target: job.to.name,
    kind: job.from.kind,
    type: job.from.type,
    read,
    written,
    unchanged,
    equivalent,
    rejected,
    deleted,
    extra: Math.max(0, extra - deleted),
    changed,
    sourceCount,
    targetCount,
    ...(keepsNoFieldOrder(job.from) ? { anyFieldOrder: true as const } : {}),
    verdict,
  };
}
