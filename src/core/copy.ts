import type { IdRange, WriteMode, WriteOutcome } from "../connectors/connector.ts";
import { Batch, type Doc, type DocumentId } from "../document.ts";
import { OrderedFingerprint } from "./fingerprint.ts";
import { Flights } from "./flights.ts";
import { type CopiedRange, type Job, readOptions, TWIN } from "./job.ts";
import { proveWritten } from "./prove.ts";
import { findExtras, lookUpEach, merge, type Step } from "./walk.ts";

/** Batches of one range on their way to the target at once: the next one is read meanwhile, and other ranges write. */
const WRITES_PER_RANGE = 1;

/** Copies a range into a target that holds none of it: everything read is inserted, several batches in flight. */
export async function fillRange(job: Job, range: IdRange): Promise<CopiedRange> {
  const fingerprint = new OrderedFingerprint();
  const flights = new Flights(WRITES_PER_RANGE, job.stop);
  const proving = job.verify === "content";
  try {
    for await (const batch of job.source.read(job.from, readOptions(job, range))) {
      if (proving) fingerprint.add(batch);
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
    await flights.land();
  } finally {
    await flights.settle();
  }
  return { range, expected: proving ? fingerprint.digest() : undefined, extra: 0 };
}

/**
 * Makes a range of the target equal to the source's where the target may hold some of it already: equal documents are
 * left alone, missing ones inserted, different ones replaced. With content verification every document that is
 * written here is read back at once, so nothing remains to be proved.
 */
export async function convergeRange(job: Job, range: IdRange): Promise<CopiedRange> {
  const options = readOptions(job, range);
  const source = job.source.read(job.from, options);
  const steps = job.from.ordered
    ? merge(source, job.target.read(job.to, options))
    : lookUpEach(source, job.target, job.to.name, job.signal);
  let extra = 0;
  for await (const step of steps) {
    extra += step.extra.length;
    job.tally.count(step.equal.documents, step.equal.bytes, {
      written: 0,
      unchanged: step.equal.documents,
      setAside: [],
    });
    job.meter.advance(step.equal.documents, step.equal.bytes);
    nameTwins(job, step.twins);
    await writeStep(job, step);
  }
  if (!job.from.ordered) extra = await countExtras(job, range);
  return { range, expected: undefined, extra };
}

/** Looking up each document of the source finds no others on the target: those are looked up the other way round. */
async function countExtras(job: Job, range: IdRange): Promise<number> {
  const target = job.target.read(job.to, readOptions(job, range));
  let extra = 0;
  for await (const step of findExtras(target, job.source, job.from.name, job.signal))
    extra += step.extra.length;
  return extra;
}

/** Documents that cannot be copied because another one of the source has their `_id`. */
function nameTwins(job: Job, twins: readonly DocumentId[]): void {
  const setAside = twins.map((id) => ({ id, reason: TWIN }));
  job.losses.addDocuments(job.from.name, setAside);
  job.tally.count(twins.length, 0, { written: 0, unchanged: 0, setAside });
}

async function writeStep(job: Job, step: Step): Promise<void> {
  await writeDocuments(job, step.missing, "insert");
  await writeDocuments(
    job,
    step.different.map(({ expected }) => expected),
    "replace",
  );
}

async function writeDocuments(job: Job, documents: readonly Doc[], mode: WriteMode): Promise<void> {
  if (documents.length === 0) return;
  await put(job, Batch.of(documents), mode);
  if (job.verify === "content") await proveWritten(job, documents);
}

/** Writes one batch and accounts for each of its documents. */
async function put(job: Job, batch: Batch, mode: WriteMode): Promise<WriteOutcome> {
  const outcome = await job.target.write(job.to.name, batch, mode, job.signal);
  job.tally.count(batch.length, batch.bytes.length, outcome);
  for (const { id } of outcome.setAside) job.setAside.add(id.key);
  job.losses.addDocuments(job.from.name, outcome.setAside);
  job.meter.advance(batch.length, batch.bytes.length);
  return outcome;
}
