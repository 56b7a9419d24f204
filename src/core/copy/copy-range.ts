import type { IdRange } from "../../connectors/collection.ts";
import type { Batch, DocumentId } from "../../model/document.ts";
import { segmentHash } from "../checksums/checksum-builder.ts";
import type { SegmentHash } from "../checksums/segment-hash.ts";
import { TaskPool } from "../concurrency/task-pool.ts";
import type { OpenRange, Part } from "../progress/progress.ts";
import { findExtras, inOrder, isMerged } from "../walk/merge-or-look-up.ts";
import { isBound } from "../walk/ranges.ts";
import { countExtra, type Step } from "../walk/walk.ts";
import { DUPLICATE_ID, type Job, type PartJob, partJob, readOptions, walkOf } from "./job.ts";
import { insert, insertMissing, type RangeWatches, Replacements, saveAsNew } from "./replace.ts";
import { commit } from "./still-there.ts";
import { proveRange } from "./verify.ts";

/** Batches of one range on their way to the target at once: the next one is read meanwhile, and other ranges write. */
const WRITES_PER_RANGE = 1;

/** A part of this size, in bytes, or of this age, in milliseconds, is proved before more is read. */
const PART_BYTES = 64_000_000;
const PART_AGE = 10_000;

/** Copies a range into a target that holds none of it: everything read is inserted; part after part is proved. */
export async function fillRange(job: Job, range: OpenRange): Promise<void> {
  const pool = new TaskPool(WRITES_PER_RANGE, job.stop);
  let filling = new Filling(job, range);
  let last: DocumentId | undefined;
  try {
    for await (const batch of job.source.read(job.from, readOptions(job, { ...range }))) {
      if (filling.isFull) {
        const next = batch.idOf(0);
        // Two documents under one id must stay together, or the second would replace the first unseen.
        if (isBound(job, next) && next.key !== last?.key) {
          await pool.join();
          await filling.close(next);
          filling = new Filling(job, range);
        }
      }
      last = batch.length === 0 ? last : batch.idOf(batch.length - 1);
      await filling.add(batch, pool);
    }
    await pool.join();
    await filling.close();
  } finally {
    await pool.drain();
  }
}

/** A part of a range on its way into a target that holds none of it. */
class Filling {
  readonly #range: OpenRange;
  readonly #job: PartJob;
  readonly #part: Part;
  readonly #hash: SegmentHash | undefined;
  #bytes = 0;

  constructor(job: Job, range: OpenRange) {
    this.#range = range;
    this.#part = job.progress.part();
    this.#job = partJob(job, this.#part);
    // Where the two stores have orders of their own no hash could be the same.
    this.#hash = job.verify === "content" && inOrder(job) ? segmentHash(job, range) : undefined;
  }

  /** Only documents that come in order can be parted at an id. One that holds none ends where it begins, however old. */
  get isFull(): boolean {
    if (this.#bytes === 0 || !inOrder(this.#job)) return false;
    return this.#bytes >= PART_BYTES || this.#part.age >= PART_AGE;
  }

  async add(batch: Batch, pool: TaskPool): Promise<void> {
    const job = this.#job;
    this.#hash?.add(batch);
    this.#bytes += batch.bytes.length;
    const release = await job.budget.take(batch.bytes.length, job.signal);
    // While the batch before is written.
    const saved = saveAsNew(job, batch);
    // Heard of below, where it was not given up before.
    saved.catch(() => undefined);
    await pool.add(async () => {
      try {
        await insert(job, batch, saved);
        batch.release();
      } finally {
        release();
      }
    });
  }

  /** Call when everything is acknowledged. Without `upTo` the range is done. */
  async close(upTo?: DocumentId): Promise<void> {
    const written = { from: this.#range.from, to: upTo ?? this.#range.to };
    if (this.#job.verify === "content") await proveRange(this.#job, written, this.#hash?.end(written.to));
    await commit(this.#job, this.#range, this.#part, upTo);
  }
}

/**
 * Makes a range of the target equal to the source's where the target may hold some of it already: equal documents are
 * left alone, missing ones inserted, different ones replaced. With content verification every document that is
 * written here is read back at once, so nothing remains to be proved.
 */
export async function convergeRange(job: Job, range: OpenRange): Promise<void> {
  const hash = job.checksumBuilder === undefined ? undefined : segmentHash(job, range);
  const watches = watchesOf(job, range);
  const { target: watch = watches.changes?.target, changes } = watches;
  const replacements = new Replacements(watches);
  const steps = walkOf(job, { ...range }, { onSource: changes?.source ?? hash, onTarget: watch });
  let part = job.progress.part();
  for await (const step of steps) {
    const { position } = step;
    const isOld = part.age >= PART_AGE && replacements.isEmpty;
    if (isOld && position !== undefined && isBound(job, position)) {
      await commit(job, range, part, position);
      part = job.progress.part();
    }
    await takeStep(partJob(job, part), step, replacements);
  }
  for (const one of [watch, changes?.source]) one?.end();
  await replacements.settle(partJob(job, part));
  // A run that reads only changes looks for what only the target has where it should be removed.
  const isPart = job.since !== undefined || job.ids !== undefined;
  if (!isMerged(job, { changedSince: job.since }) && (!isPart || job.delete))
    part.tally.extra = await countExtras(job, { ...range });
  await commit(job, range, part);
  if (hash !== undefined) job.checksumBuilder?.add(hash.end(range.to));
}

function watchesOf({ keeping, lastVerified }: Job, range: OpenRange): RangeWatches {
  const watch = () => lastVerified?.watch({ ...range });
  if (keeping.asksChanges !== true) return { target: watch() };
  const [source, target] = [watch(), watch()];
  return source === undefined || target === undefined ? {} : { changes: { source, target } };
}

async function takeStep(job: PartJob, step: Step, replacements: Replacements): Promise<void> {
  const { documents, bytes } = step.equal;
  job.tally.extra += countExtra(step);
  job.tally.count(documents, bytes, { written: 0, unchanged: documents, rejected: [] });
  job.meter.advance(documents, bytes);
  takeEquivalent(job, step);
  reportDuplicateIds(job, step.duplicateIds);
  await insertMissing(job, step.missing);
  await replacements.add(job, step.different);
  excludeUnequal(job, step);
}

/** What says the same is left as it is. */
function takeEquivalent(job: PartJob, { equivalent }: Step): void {
  const bytes = equivalent.reduce((sum, { expected }) => sum + expected.bytes.length, 0);
  job.tally.count(equivalent.length, bytes, { written: 0, unchanged: equivalent.length, rejected: [] });
  job.tally.equivalent += equivalent.length;
  job.meter.advance(equivalent.length, bytes);
}

/** The target holds what the source does, except what only it has and what could not be copied. */
function excludeUnequal({ checksumBuilder, rejected }: PartJob, step: Step): void {
  if (checksumBuilder === undefined) return;
  const { missing, different, equivalent, extra, duplicateIds, targetDuplicateIds } = step;
  // These hold what others wrote, too.
  const others = [...equivalent, ...different.filter(({ isMerged }) => isMerged)];
  checksumBuilder.except(others.map(({ expected: { id } }) => id));
  checksumBuilder.except([...duplicateIds, ...targetDuplicateIds, ...extra.map(({ id }) => id)]);
  // What is replaced is looked at once that is done.
  checksumBuilder.except(missing.map(({ id }) => id).filter(({ key }) => rejected.has(key)));
}

async function countExtras(job: Job, range: IdRange): Promise<number> {
  let extra = 0;
  for await (const step of findExtras(job, readOptions(job, range), { areCounted: true }))
    extra += countExtra(step);
  return extra;
}

/** Documents that cannot be copied because another one of the source has their `_id`. */
function reportDuplicateIds(job: PartJob, duplicateIds: readonly DocumentId[]): void {
  const rejected = duplicateIds.map((id) => ({ id, reason: DUPLICATE_ID }));
  job.losses.addDocuments(job.from.name, rejected);
  job.tally.count(duplicateIds.length, 0, { written: 0, unchanged: 0, rejected });
}
