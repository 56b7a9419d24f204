/** What differs is looked at again, until it stays as it is, or is equal, or time is up. */
import { setTimeout as pause } from "node:timers/promises";
import type { Doc } from "../../document.ts";
import type { DiffJob } from "./diff-job.ts";
import { expiredOn } from "./expired-on.ts";
import { isEqual } from "./is-equal.ts";
import { bytesOf, isSameSight, ownId, type Suspect, sightOf } from "./suspect.ts";
import { tellDocument } from "./tell.ts";

/** Documents and bytes, of both sides, that are read at once. */
const CHUNK_DOCUMENTS = 1_000;
const CHUNK_BYTES = 8_000_000;

/** Settles what became of every suspect: each is counted once, and what differs is told. */
export async function lookAgain(job: DiffJob, suspects: readonly Suspect[]): Promise<void> {
  let open = suspects;
  for (const delay of job.delays) {
    if (open.length === 0) return;
    await pause(delay, undefined, { signal: job.signal }).catch(() => job.signal.throwIfAborted());
    open = await lookOnce(job, open);
  }
  for (const suspect of open) await tellDocument(job, suspect, { state: "moving" });
}

/** @returns those that have changed since they were looked at last */
async function lookOnce(job: DiffJob, suspects: readonly Suspect[]): Promise<Suspect[]> {
  const open: Suspect[] = [];
  for (const chunk of chunks(suspects)) {
    job.signal.throwIfAborted();
    const ids = chunk.map(({ id }) => id);
    const [source, target] = await Promise.all([
      job.source.find(job.from.name, ids, job.signal),
      job.target.find(job.to.name, ids, job.signal),
    ]);
    for (const suspect of chunk) {
      const { key } = suspect.id;
      const again = await settle(job, suspect, source.get(key), target.get(key));
      if (again !== undefined) open.push(again);
    }
  }
  return open;
}

/** @returns the suspect as it looks now, where it has changed since it was looked at last */
async function settle(
  job: DiffJob,
  suspect: Suspect,
  source: Doc | undefined,
  target: Doc | undefined,
): Promise<Suspect | undefined> {
  const { tally } = job.progress;
  if (!job.source.canFind(suspect.id) || !job.target.canFind(suspect.id)) {
    await tellDocument(job, suspect, {
      state: "moving",
      unreadable: "its _id cannot be asked for, so that the difference could not be looked at twice",
    });
    return undefined;
  }
  if (isEqual(job, source, target)) {
    tally.settled++;
    return undefined;
  }
  if (expiredOn(job, source, target)) {
    tally.expired++;
    return undefined;
  }
  const sight = sightOf(source, target);
  const id = source === undefined ? suspect.id : ownId(source.id);
  const seen = { id, sight, rounds: suspect.rounds + 1 };
  if (!isSameSight(sight, suspect.sight)) return seen;
  await tellDocument(job, seen, { state: "stable", source, target });
  return undefined;
}

function* chunks(suspects: readonly Suspect[]): Generator<readonly Suspect[]> {
  let chunk: Suspect[] = [];
  let bytes = 0;
  for (const suspect of suspects) {
    const more = bytesOf(suspect);
    if (chunk.length > 0 && (chunk.length >= CHUNK_DOCUMENTS || bytes + more > CHUNK_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(suspect);
    bytes += more;
  }
  if (chunk.length > 0) yield chunk;
}
