/** Collections without a unique `_id`: copied whole and in order, proved by a fingerprint. */
import { hash } from "node:crypto";

import type { Sequences } from "../../connectors/powers/sequences.ts";
import { Batch } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import { checksumsFromBytes, checksumsToBytes, HASH_BYTES } from "../checksums/checksums.ts";
import { isShrunken } from "../plan/shrink.ts";
import { type Fingerprinted, fingerprintOf, isPartOf, newFingerprint } from "../walk/whole.ts";
import { type Job, type PartJob, partJob, readOptions } from "./job.ts";
import { commit } from "./still-there.ts";

/** How often such a collection is started over when the connection breaks on the way. */
const ROUNDS = 3;

/** @returns true when the target now holds the same documents, proved unless verification is off */
export async function copySequence(job: Job, empty: boolean): Promise<boolean> {
  const [all] = job.progress.remaining ?? [];
  if (all === undefined) return true;
  const { sequences } = job.session;
  if (sequences === undefined) return notTaken(job);
  const begun = { appending: false };
  for (let round = 1; ; round++) {
    const part = job.progress.part();
    try {
      const complete = await copyAll(partJob(job, part), sequences, empty && round === 1, begun);
      // Without a mark it is looked at again next time.
      if (complete) await commit(job, all, part);
      else job.progress.leave(part);
      return complete;
    } catch (error) {
      const passes = error instanceof DualsyncError && error.retryable;
      if (!passes || round === ROUNDS || job.signal.aborted) throw error;
      job.note(`${job.from.name}: copied again from the beginning: ${error.message}`);
    }
  }
}

function notTaken(job: Job): boolean {
  job.losses.add(
    `collection ${job.from.name}`,
    `${job.target.label} does not support ${job.from.type} collections`,
  );
  return false;
}

/** `begun.appending`: this run has begun to fill it, and what it holds is this run's. */
async function copyAll(
  job: PartJob,
  sequences: Sequences,
  empty: boolean,
  begun: { appending: boolean },
): Promise<boolean> {
  if (!empty) {
    const [source, target] = await Promise.all([
      fingerprintOf(job.source, job.from, readOptions(job, {})),
      fingerprintOf(job.target, job.to, readOptions(job, {})),
    ]);
    if (source.digest === target.digest) {
      job.tally.count(source.documents, source.bytes, {
        written: 0,
        unchanged: source.documents,
        rejected: [],
      });
      job.meter.advance(source.documents, source.bytes);
      if (!(await leftBy(job))?.equals(hashOf(target.digest))) await noteWhatIsLeft(job, target);
      return true;
    }
    const objection =
      (await objectionToReplacing(job, source.documents, target.documents)) ??
      (begun.appending ? undefined : await objectionToLosing(job, target));
    if (objection !== undefined) return leave(job, objection);
    if (!(await sequences.reset(job.to, job.signal))) {
      return leave(
        job,
        "holds other documents and was not created by dualsync; rename or drop it there, then run again",
      );
    }
  }
  begun.appending = true;
  return await append(job, sequences);
}

/**
 * Such a collection can only be replaced whole. That is done for a copy that the source has outgrown; never where
 * documents would be gone from the target that are nowhere else.
 */
async function objectionToReplacing(
  job: PartJob,
  source: number,
  target: number,
): Promise<string | undefined> {
  // With a filter `target` is what it selects there: what else there is would be gone.
  if (job.filter !== undefined && (await job.target.count(job.to.name, {}, job.signal)) !== target)
    return "differs and can only be replaced as a whole, which --filter rules out";
  if (source < target && !job.delete) {
    return `holds ${target} documents and the source's holds ${source}: replacing it would remove some${job.savesAll ? ", which cannot be undone" : "; --delete allows that"}`;
  }
  if (source < target && !job.allowShrink && isShrunken(source, target)) {
    return `holds ${target} documents and the source's holds only ${source}: look at the source first; --allow-shrink allows that`;
  }
  return source === 0 ? "would be emptied; if this is intended, drop it on the target by hand" : undefined;
}

/** It would be gone with all that others wrote there since it was copied, which could not be put back. */
async function objectionToLosing(job: PartJob, target: Fingerprinted): Promise<string | undefined> {
  // What somebody else made is not reset at all.
  if (job.journaling?.writes === true && job.savesAll !== true) return undefined;
  const left = await leftBy(job);
  if (target.documents === 0 || left?.equals(hashOf(target.digest))) return undefined;
  const copy = { store: job.target, collection: job.to, options: readOptions(job, {}) };
  const original = { store: job.source, collection: job.from, options: readOptions(job, {}) };
  // What a run that was interrupted has left is not noted, and is in the source.
  if (await isPartOf(copy, target.documents, original)) return undefined;
  const what =
    left === undefined
      ? "holds documents that the source does not, and it is not known who wrote them. It"
      : "has changed since it was copied and";
  return `${what} can only be replaced as a whole; rename or drop it there, then run again`;
}

/** The hash of what the last run left in the collection, where that is noted. */
async function leftBy({ target, to, signal }: PartJob): Promise<Buffer | undefined> {
  const bytes = await target.checksums?.read(to.name, signal);
  const [whole] = (bytes === undefined ? undefined : checksumsFromBytes(bytes))?.segments ?? [];
  return whole === undefined ? undefined : Buffer.from(whole.hash);
}

/** For the next run to check whether it finds what this one leaves. */
async function noteWhatIsLeft(job: PartJob, { digest, documents }: Left): Promise<void> {
  const whole = { documents, bytes: 0, hash: hashOf(digest) };
  const checksums = checksumsToBytes({ at: new Date(), source: "", target: "", segments: [whole] });
  await job.session.checksums?.leave(job.to.name, checksums, job.signal);
}

type Left = Pick<Fingerprinted, "digest" | "documents">;

function hashOf(digest: string): Buffer {
  return hash("sha256", Buffer.from(digest), "buffer").subarray(0, HASH_BYTES);
}

function leave(job: PartJob, reason: string): boolean {
  job.losses.add(`collection ${job.from.name}`, `the target's ${job.to.type} collection ${reason}`);
  return false;
}

/** Writes everything in order, one batch at a time: a repeated batch would double documents. */
async function append(job: PartJob, sequences: Sequences): Promise<boolean> {
  const expected = newFingerprint(job.from);
  for await (const batch of job.source.read(job.from, readOptions(job, {}))) {
    await job.sizeLimit?.take(batch.bytes.length, job.signal);
    const outcome = await sequences.append(job.to.name, batch, job.signal);
    job.tally.count(batch.length, batch.bytes.length, outcome);
    job.losses.addDocuments(job.from.name, outcome.rejected);
    expected.add(without(batch, new Set(outcome.rejected.map(({ id }) => id.key))));
    job.meter.advance(batch.length, batch.bytes.length);
  }
  const written = { digest: expected.digest(), documents: expected.documents };
  if (job.verify !== "content") {
    await noteWhatIsLeft(job, written);
    return true;
  }
  job.meter.phase("verifying");
  const found = await fingerprintOf(job.target, job.to, readOptions(job, {}));
  if (found.digest === written.digest) {
    await noteWhatIsLeft(job, written);
    return true;
  }
  throw new DualsyncError(
    "unverified",
    `The ${job.to.type} collection ${job.to.name} was read back differently from how it was written.`,
    {
      hint: "It may be too small on the target, or another program writes to it. The source was not changed.",
    },
  );
}

function without(batch: Batch, keys: ReadonlySet<string>): Batch {
  return keys.size === 0 ? batch : Batch.of(batch.docs().filter(({ id }) => !keys.has(id.key)));
}
