import type { IdRange, WriteMode, WriteOutcome } from "../connectors/connector.ts";
import { Batch, type Doc, type DocumentId } from "../document.ts";
import { Flights } from "./flights.ts";
import {
  account,
  inOrder,
  type Job,
  type PartJob,
  partJob,
  readOptions,
  sourceOptions,
  TWIN,
  walkOf,
} from "./job.ts";
import { journaledWrite } from "./journaled-write.ts";
import type { OpenRange, Part } from "./progress.ts";
import { proveRange, proveWritten } from "./prove.ts";
import { isBound } from "./ranges.ts";
import { extraSteps } from "./remove.ts";
import { hashed, stretchHash } from "./seal/sealing.ts";
import type { StretchHash } from "./seal/stretch-hash.ts";
import { commit } from "./still-there.ts";
import { countExtra, type Step } from "./walk.ts";

/** Batches of one range on their way to the target at once: the next one is read meanwhile, and other ranges write. */
const WRITES_PER_RANGE = 1;

/** A part of this size, in bytes, or of this age, in milliseconds, is proved before more is read. */
const PART_BYTES = 64_000_000;
const PART_AGE = 10_000;

/** Copies a range into a target that holds none of it: everything read is inserted; part after part is proved. */
export async function fillRange(job: Job, range: OpenRange): Promise<void> {
  const flights = new Flights(WRITES_PER_RANGE, job.stop);
  let filling = new Filling(job, range);
  let last: DocumentId | undefined;
  try {
    for await (const batch of job.source.read(job.from, readOptions(job, { ...range }))) {
      if (filling.isFull) {
        const next = batch.idOf(0);
        // Two documents under one id must stay together, or the second would replace the first unseen.
        if (isBound(job.source, next) && next.key !== last?.key) {
          await flights.land();
          await filling.close(next);
          filling = new Filling(job, range);
        }
      }
      last = batch.length === 0 ? last : batch.idOf(batch.length - 1);
      await filling.add(batch, flights);
    }
    await flights.land();
    await filling.close();
  } finally {
    await flights.settle();
  }
}

/** A part of a range on its way into a target that holds none of it. */
class Filling {
  readonly #range: OpenRange;
  readonly #job: PartJob;
  readonly #part: Part;
  readonly #hash: StretchHash | undefined;
  #bytes = 0;

  constructor(job: Job, range: OpenRange) {
    this.#range = range;
    this.#part = job.progress.part();
    this.#job = partJob(job, this.#part);
    this.#hash = job.verify === "content" ? stretchHash(job, range) : undefined;
  }

  /** Only documents that come in order can be parted at an id. One that holds none ends where it begins, however old. */
  get isFull(): boolean {
    if (this.#bytes === 0 || !inOrder(this.#job)) return false;
    return this.#bytes >= PART_BYTES || this.#part.age >= PART_AGE;
  }

  async add(batch: Batch, flights: Flights): Promise<void> {
    const job = this.#job;
    this.#hash?.add(batch);
    this.#bytes += batch.bytes.length;
    const release = await job.budget.take(batch.bytes.length, job.signal);
    await flights.add(async () => {
      try {
        await put(job, batch, "insert");
        batch.release();
      } finally {
        release();
      }
    });
  }

  /** Call when everything is acknowledged. Without `upTo` the range is done. */
  async close(upTo?: DocumentId): Promise<void> {
    const written = { ...this.#range, ...(upTo === undefined ? {} : { to: upTo }) };
    if (this.#hash !== undefined) await proveRange(this.#job, written, this.#hash.end(written.to));
    await commit(this.#job, this.#range, this.#part, upTo);
  }
}

/**
 * Makes a range of the target equal to the source's where the target may hold some of it already: equal documents are
 * left alone, missing ones inserted, different ones replaced. With content verification every document that is
 * written here is read back at once, so nothing remains to be proved.
 */
export async function convergeRange(job: Job, range: OpenRange): Promise<void> {
  const hash = job.sealing === undefined ? undefined : stretchHash(job, range);
  const read = job.source.read(job.from, sourceOptions(job, { ...range }));
  const steps = walkOf(job, { ...range }, hash === undefined ? read : hashed(read, hash));
  let part = job.progress.part();
  for await (const step of steps) {
    const { position } = step;
    if (part.age >= PART_AGE && position !== undefined && isBound(job.source, position)) {
      await commit(job, range, part, position);
      part = job.progress.part();
    }
    await takeStep(partJob(job, part), step);
  }
  if (job.since !== undefined) {
    // What is only in the target is looked for where it is to be removed.
    if (job.delete) part.tally.extra = await countExtras(job, { ...range });
  } else if (!inOrder(job)) part.tally.extra = await countExtras(job, { ...range });
  await commit(job, range, part);
  if (hash !== undefined) job.sealing?.add(hash.end(range.to));
}

async function takeStep(job: PartJob, step: Step): Promise<void> {
  const { documents, bytes } = step.equal;
  job.tally.extra += countExtra(step);
  job.tally.count(documents, bytes, { written: 0, unchanged: documents, setAside: [] });
  job.meter.advance(documents, bytes);
  takeEquivalent(job, step);
  nameTwins(job, step.twins);
  await writeDocuments(job, step.missing, "insert");
  // What is replaced takes only as much more room as it has grown.
  const growth = step.different.reduce(
    (sum, { expected, found }) => sum + Math.max(0, expected.bytes.length - found.bytes.length),
    0,
  );
  await writeDocuments(
    job,
    step.different.map(({ expected }) => expected),
    "replace",
    growth,
  );
  sealAllBut(job, step);
}

/** What says the same is left as it is. */
function takeEquivalent(job: PartJob, { equivalent }: Step): void {
  const bytes = equivalent.reduce((sum, { expected }) => sum + expected.bytes.length, 0);
  job.tally.count(equivalent.length, bytes, { written: 0, unchanged: equivalent.length, setAside: [] });
  job.tally.equivalent += equivalent.length;
  job.meter.advance(equivalent.length, bytes);
}

/** The target holds what the source does, but for what only it has and what could not be copied. */
function sealAllBut({ sealing, setAside, judge }: PartJob, step: Step): void {
  if (sealing === undefined) return;
  const { missing, different, equivalent, extra, twins, targetTwins } = step;
  // These hold what others wrote, too.
  if (judge !== undefined) sealing.except([...equivalent, ...different].map(({ expected: { id } }) => id));
  sealing.except([...twins, ...targetTwins, ...extra.map(({ id }) => id)]);
  if (setAside.size === 0) return;
  const copied = [...missing, ...different.map(({ expected }) => expected)].map(({ id }) => id);
  sealing.except(copied.filter(({ key }) => setAside.has(key)));
}

/** Looking up each document of the source finds no others on the target. */
async function countExtras(job: Job, range: IdRange): Promise<number> {
  let extra = 0;
  for await (const step of extraSteps(job, range)) extra += countExtra(step);
  return extra;
}

/** Documents that cannot be copied because another one of the source has their `_id`. */
function nameTwins(job: PartJob, twins: readonly DocumentId[]): void {
  const setAside = twins.map((id) => ({ id, reason: TWIN }));
  job.losses.addDocuments(job.from.name, setAside);
  job.tally.count(twins.length, 0, { written: 0, unchanged: 0, setAside });
}

async function writeDocuments(
  job: PartJob,
  documents: readonly Doc[],
  mode: WriteMode,
  growth?: number,
): Promise<void> {
  if (documents.length === 0) return;
  if (job.journaling?.writes === true) {
    await journaledWrite(job, job.journaling, documents, growth);
    return;
  }
  await put(job, Batch.of(documents), mode, growth);
  if (job.verify === "content") await proveWritten(job, documents);
}

/** Writes one batch, which makes the target grow by so many bytes, and accounts for each of its documents. */
async function put(
  job: PartJob,
  batch: Batch,
  mode: WriteMode,
  growth = batch.bytes.length,
): Promise<WriteOutcome> {
  await job.room?.take(growth, job.signal);
  const outcome = await job.target.write(job.to.name, batch, mode, job.signal);
  account(job, batch.length, batch.bytes.length, outcome);
  return outcome;
}
