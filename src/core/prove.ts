/** Proving that the target holds what was written, by reading it back. */
import { Batch, type Doc } from "../document.ts";
import { DualsyncError } from "../errors.ts";
import { OrderedFingerprint } from "./fingerprint.ts";
import { type CopiedRange, type Job, readOptions } from "./job.ts";
import { lookUpEach, merge } from "./walk.ts";

/** Reads a copied range back from the target; what differs is fetched from both sides and mended. */
export async function proveRange(job: Job, copied: CopiedRange): Promise<void> {
  if (copied.expected === undefined) return;
  const fingerprint = new OrderedFingerprint();
  for await (const batch of job.target.read(job.to, readOptions(job, copied.range))) {
    fingerprint.add(batch);
    batch.release();
  }
  if (fingerprint.digest() !== copied.expected) await mendRange(job, copied);
}

/**
 * Finds the documents of a range that differ and copies them again. On a busy source they may simply have changed
 * meanwhile; each is proved by itself, by reading back what was written last.
 */
async function mendRange(job: Job, copied: CopiedRange): Promise<void> {
  const options = readOptions(job, copied.range);
  const source = job.source.read(job.from, options);
  const steps = job.from.ordered
    ? merge(source, job.target.read(job.to, options))
    : lookUpEach(source, job.target, job.to.name, job.signal);
  for await (const step of steps) {
    const documents = [...step.missing, ...step.different.map(({ expected }) => expected)].filter(
      ({ id }) => !job.setAside.has(id.key),
    );
    job.tally.extra += step.extra.length;
    if (documents.length === 0) continue;
    const stored = await proveWritten(job, documents);
    job.tally.changed += stored;
  }
}

/**
 * Proves that the target holds exactly these bytes. A document that it holds otherwise is written once more; one that
 * the server still stores with other bytes is removed again and set aside by name; one that is gone although the
 * server acknowledged it fails the run.
 * @returns how many of the documents had to be written again and are now proved
 */
export async function proveWritten(job: Job, documents: readonly Doc[]): Promise<number> {
  const suspects = (await notThere(job, documents)).filter(({ id }) => !job.setAside.has(id.key));
  if (suspects.length === 0) return 0;
  const outcome = await job.target.write(job.to.name, Batch.of(suspects), "replace", job.signal);
  const refused = new Set(outcome.setAside.map(({ id }) => id.key));
  const written = suspects.filter(({ id }) => !refused.has(id.key));
  const altered = await notThere(job, written);
  const there = await job.target.find(
    job.to.name,
    altered.map(({ id }) => id),
    job.signal,
  );
  const lost = altered.filter(({ id }) => !there.has(id.key));
  if (lost.length > 0) throw lostError(job, lost);
  await job.target.remove(
    job.to.name,
    altered.map(({ id }) => id),
    job.signal,
  );
  const reason = "the target's server stores it with other bytes than it was given";
  const setAside = [...outcome.setAside, ...altered.map(({ id }) => ({ id, reason }))];
  for (const { id } of setAside) job.setAside.add(id.key);
  job.losses.addDocuments(job.from.name, setAside);
  job.tally.reclassify(setAside.length);
  return written.length - altered.length;
}

async function notThere(job: Job, documents: readonly Doc[]): Promise<Doc[]> {
  const there = await job.target.find(
    job.to.name,
    documents.map(({ id }) => id),
    job.signal,
  );
  return documents.filter(({ id, bytes }) => {
    const found = there.get(id.key);
    return found === undefined || Buffer.compare(found.bytes, bytes) !== 0;
  });
}

function lostError(job: Job, lost: readonly Doc[]): DualsyncError {
  const some = lost.length === 1 ? "a document" : `${lost.length} documents`;
  return new DualsyncError(
    "unverified",
    `The target acknowledged ${some} of ${job.to.name}, twice, and does not hold them.`,
    {
      hint: "Is another program, or a TTL index, deleting from the target? The source was not changed. Run the same command again.",
    },
  );
}
