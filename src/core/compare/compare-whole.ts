/** Collections without a unique `_id`: compared as a whole, by a fingerprint of all documents. */
import { setTimeout as pause } from "node:timers/promises";
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import { DualsyncError } from "../../model/errors.ts";
import { assertBothExist } from "../walk/presence.ts";
import { type Fingerprinted, fingerprintOf } from "../walk/whole.ts";
import { type DiffJob, readOptions } from "./diff-job.ts";
import { noteHeld, reportShortfall } from "./pairing/held.ts";
import { reportOfCollection } from "./report-difference.ts";

/** How often reading a side is begun. */
const BEGINNINGS = 3;

/** A difference stands once both sides have been read twice and neither has changed. */
export async function compareWhole(job: DiffJob): Promise<void> {
  const { tally } = job.progress;
  await noteHeld(job);
  let before = await read(job);
  tally.source = before.source.documents;
  tally.target = before.target.documents;
  tally.bytes = before.source.bytes + before.target.bytes;
  job.meter.advance(before.source.documents, before.source.bytes);
  await reportShortfall(job);
  let rounds = 1;
  for (const delay of job.delays) {
    if (isEqual(before)) break;
    await pause(delay, undefined, { signal: job.signal }).catch(() => job.signal.throwIfAborted());
    const now = await read(job);
    rounds++;
    const stable = now.source.digest === before.source.digest && now.target.digest === before.target.digest;
    before = now;
    if (stable) return await reportContent(job, now, "stable", rounds);
  }
  if (!isEqual(before)) return await reportContent(job, before, "moving", rounds);
  tally.equal = before.source.documents;
  if (rounds > 1) tally.settled = 1;
}

interface Whole {
  readonly source: Fingerprinted;
  readonly target: Fingerprinted;
}

async function read(job: DiffJob): Promise<Whole> {
  const [source, target] = await Promise.all([
    readSide(job, job.source, job.from),
    readSide(job, job.target, job.to),
  ]);
  await assertBothExist(job);
  return { source, target };
}

/** Such a read cannot resume where a connection broke: it starts over. */
async function readSide(job: DiffJob, store: Reader, collection: CollectionInfo): Promise<Fingerprinted> {
  for (let begun = 1; ; begun++) {
    try {
      return await fingerprintOf(store, collection, readOptions(job, {}));
    } catch (error) {
      const passes = error instanceof DualsyncError && error.retryable;
      if (!passes || begun === BEGINNINGS || job.signal.aborted) throw error;
    }
  }
}

function isEqual({ source, target }: Whole): boolean {
  return source.digest === target.digest;
}

async function reportContent(
  job: DiffJob,
  { source, target }: Whole,
  state: "stable" | "moving",
  rounds: number,
): Promise<void> {
  const detail = `the documents of this ${job.from.type} collection differ (${source.documents} in the source, ${target.documents} in the target)`;
  const key = `collection ${job.from.name}`;
  await reportOfCollection(job, { key, kind: "content", sigil: "*", detail, state, rounds });
}
