/** One collection of a run that copies: what is prepared for it, how far it is, and how it ended. */
import type { PreparedCollection } from "../../connectors/contract.ts";
import type { DualsyncError } from "../../model/errors.ts";
import type { CollectionReport, Meter, Reporter, Verdict } from "../../model/reporter.ts";
import { ChecksumBuilder } from "../checksums/checksum-builder.ts";
import { LastVerified } from "../checksums/last-verified.ts";
import { isOfOneCollection, oneCollection, reasonOf } from "../concurrency/one-collection.ts";
import type { PlannedJob } from "../plan/plan.ts";
import type { Progress } from "../progress/progress.ts";
import { equivalenceOf } from "../walk/equivalence.ts";
import { keepsNoFieldOrder } from "../walk/whole.ts";
import type { Job, Transfer } from "./job.ts";

export interface PlannedTransfer extends Transfer, PlannedJob {
  /** Hears of a failure that is of this collection alone. */
  readonly onFailure: (error: DualsyncError) => void;
}

/** What became of a collection. */
export interface DoneCollection {
  readonly report: CollectionReport;
  /** Bytes of its documents that were read. */
  readonly moved: number;
}

/** What is done with a collection, in stages: what is the matter with it alone ends its stages, and no others. */
export class OpenedCollection {
  readonly planned: PlannedTransfer;
  readonly #prepared: PreparedCollection | undefined;
  readonly #progress: Progress;
  readonly #meter: Meter;
  #begun: Promise<Omit<Job, "signal" | "stop">> | undefined;
  #report: CollectionReport | undefined;

  constructor(
    planned: PlannedTransfer,
    prepared: PreparedCollection | undefined,
    progress: Progress,
    meter: Meter,
  ) {
    this.planned = planned;
    this.#prepared = prepared;
    this.#progress = progress;
    this.#meter = meter;
  }

  /** The work of one stage; a report ends the collection. Does nothing where it has ended. */
  async stage(
    work: (job: Job, prepared: PreparedCollection) => Promise<CollectionReport | undefined>,
  ): Promise<void> {
    if (this.#report !== undefined) return;
    const { planned } = this;
    this.#report = await oneCollection(
      planned,
      async (own) => {
        this.#begun ??= this.#begin(own);
        const { signal, stop } = own;
        const job = { ...(await this.#begun), signal, stop };
        const prepared = this.#prepared;
        return prepared === undefined
          ? report(job, undefined, undefined, "incomplete")
          : await work(job, prepared);
      },
      (error) => givenUp({ ...planned, progress: this.#progress }, error),
    );
  }

  get done(): DoneCollection {
    if (this.#report === undefined) throw new RangeError("a collection has not ended");
    return { report: this.#report, moved: this.#progress.tally.bytes };
  }

  close(): void {
    this.#meter.end();
  }

  async #begin(own: Transfer & PlannedJob): Promise<Job> {
    const prepared = this.#prepared;
    // What is gone from the target is not among what was changed in the source: then everything is read.
    const since = prepared?.empty === false ? own.since : undefined;
    const uids = { source: own.from.uid, target: prepared?.uid };
    return {
      ...own,
      since,
      meter: this.#meter,
      progress: this.#progress,
      lastVerified: await lastVerifiedOf(own, prepared),
      rejected: new Set(),
      journaling: journalingOf(own, prepared),
      checksumBuilder: ChecksumBuilder.of({ ...own, since }, uids),
      equivalence: equivalenceOf(own),
    };
  }
}

/** Creates or checks the target's collection, and begins its progress. */
export async function open(planned: PlannedTransfer, reporter: Reporter): Promise<OpenedCollection> {
  const prepared = await prepare(planned);
  for (const { key, reason } of prepared?.notReproduced ?? []) planned.losses.add(key, reason);
  const progress = await openProgress(planned, prepared);
  const { read, bytes } = progress.tally;
  const meter = reporter.meter(planned.from.name, planned.from.documents, { documents: read, bytes });
  return new OpenedCollection(planned, prepared, progress, meter);
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
  { journal, to, savesAll = false }: Transfer & PlannedJob,
  prepared: PreparedCollection | undefined,
): Job["journaling"] {
  if (journal === undefined || prepared === undefined) return undefined;
  const { fromEmpty, uid } = prepared;
  return { journal, collection: { name: to.name, uid }, writes: savesAll || !fromEmpty };
}

/** To be asked before anything is written: nothing is left of it then. */
async function lastVerifiedOf(
  job: Transfer & PlannedJob,
  prepared: PreparedCollection | undefined,
): Promise<LastVerified | undefined> {
  if (prepared === undefined || prepared.empty) return undefined;
  if (job.keeping.asksChanges !== true)
    return await LastVerified.of(job, { source: job.from.uid, target: prepared.uid });
  // The source is the copy, in which the run the other way has left its checksums.
  const { source: target, from: to, to: from } = job;
  return await LastVerified.of({ ...job, target, from, to }, { source: prepared.uid, target: to.uid });
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

type Reported = Pick<Job, "from" | "to" | "progress">;

export function report(
  job: Reported,
  sourceCount: number | undefined,
  targetCount: number | undefined,
  verdict: Verdict,
): CollectionReport {
  const { read, written, unchanged, equivalent, kept, rejected, deleted, extra, changed } =
    job.progress.tally;
  return {
    collection: job.from.name,
    target: job.to.name,
    kind: job.from.kind,
    type: job.from.type,
    read,
    written,
    unchanged,
    equivalent,
    kept,
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
