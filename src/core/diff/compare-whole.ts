/** Collections without a unique `_id` (capped, time-series): compared as a whole, by a fingerprint of all documents. */
import { setTimeout as pause } from "node:timers/promises";
import { type Fingerprinted, fingerprintOf } from "../whole.ts";
import { type DiffJob, readOptions } from "./diff-job.ts";
import { noteHeld, tellShortfall } from "./held.ts";
import { bothMustBeThere } from "./still-there.ts";

/** A difference stands once both sides have been read twice and neither has changed. */
export async function compareWhole(job: DiffJob): Promise<void> {
  const { tally } = job.progress;
  await noteHeld(job);
  let before = await read(job);
  tally.source = before.source.documents;
  tally.target = before.target.documents;
  tally.bytes = before.source.bytes + before.target.bytes;
  job.meter.advance(before.source.documents, before.source.bytes);
  await tellShortfall(job);
  let rounds = 1;
  for (const delay of job.delays) {
    if (isEqual(before)) break;
    await pause(delay, undefined, { signal: job.signal }).catch(() => job.signal.throwIfAborted());
    const now = await read(job);
    rounds++;
    const stable = now.source.digest === before.source.digest && now.target.digest === before.target.digest;
    before = now;
    if (stable) return await tell(job, now, "stable", rounds);
  }
  if (!isEqual(before)) return await tell(job, before, "moving", rounds);
  tally.equal = before.source.documents;
  if (rounds > 1) tally.settled = 1;
}

interface Whole {
  readonly source: Fingerprinted;
  readonly target: Fingerprinted;
}

async function read(job: DiffJob): Promise<Whole> {
  const options = readOptions(job, {});
  const [source, target] = await Promise.all([
    fingerprintOf(job.source, job.from, options),
    fingerprintOf(job.target, job.to, options),
  ]);
  await bothMustBeThere(job);
  return { source, target };
}

function isEqual({ source, target }: Whole): boolean {
  return source.digest === target.digest;
}

async function tell(
  job: DiffJob,
  { source, target }: Whole,
  state: "stable" | "moving",
  rounds: number,
): Promise<void> {
  const { counted } = await job.tell({
    key: `collection ${job.from.name}`,
    kind: "content",
    sigil: "*",
    collection: job.from.name,
    targetCollection: job.to.name,
    detail: `the documents of this ${job.from.kind} collection differ (${source.documents} in the source, ${target.documents} in the target)`,
    fields: [],
    moreFields: 0,
    state,
    rounds,
  });
  const { tally } = job.progress;
  if (!counted) tally.accepted++;
  else if (state === "moving") tally.moving++;
  else tally.changed++;
}
