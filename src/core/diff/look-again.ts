/** What differs is looked at again, until it stays as it is, or is equal, or time is up. */
import { setTimeout as pause } from "node:timers/promises";
import type { Doc } from "../../document.ts";
import { chunksOf } from "../chunks.ts";
import { alike, isSame } from "./alike.ts";
import type { DiffJob } from "./diff-job.ts";
import { expiredOn } from "./expired.ts";
import type { SinceVerified } from "./since.ts";
import { bytesOf, isSameSight, type Suspect, sightOf } from "./suspect.ts";
import { tellDocument } from "./tell.ts";

/** Documents and bytes, of both sides, that are read at once. */
const CHUNK = { count: 1_000, bytes: 8_000_000 };

/** Settles what became of every suspect: each is counted once, and what differs is told. */
export async function lookAgain(
  job: DiffJob,
  suspects: readonly Suspect[],
  since: SinceVerified,
): Promise<void> {
  let open = suspects;
  for (const delay of job.delays) {
    if (open.length === 0) return;
    await pause(delay, undefined, { signal: job.signal }).catch(() => job.signal.throwIfAborted());
    open = await lookOnce(job, open, since);
  }
  for (const suspect of open) await tellDocument(job, suspect, { state: "moving" });
}

/** @returns those that have changed since they were looked at last */
async function lookOnce(
  job: DiffJob,
  suspects: readonly Suspect[],
  since: SinceVerified,
): Promise<Suspect[]> {
  const open: Suspect[] = [];
  for (const chunk of chunksOf(suspects, bytesOf, CHUNK)) {
    job.signal.throwIfAborted();
    const ids = chunk.map(({ id }) => id);
    const [source, target] = await Promise.all([
      job.source.find(job.from.name, ids, job.signal),
      job.target.find(job.to.name, ids, job.signal),
    ]);
    const stable: Looked[] = [];
    for (const suspect of chunk) {
      const { key } = suspect.id;
      const again = await settle(job, suspect, source.get(key), target.get(key));
      if (again === undefined) continue;
      if (again.isStable) stable.push(again);
      else open.push(again.seen);
    }
    await tellStable(job, stable, since);
  }
  return open;
}

/** A document that differs, as it looks now. */
interface Looked {
  /** Whether it looked so before. */
  readonly isStable: boolean;
  readonly seen: Suspect;
  readonly source: Doc | undefined;
  readonly target: Doc | undefined;
}

/** Which side moved can be told of neighbours together only. */
async function tellStable(job: DiffJob, stable: readonly Looked[], since: SinceVerified): Promise<void> {
  const told = await since.of(stable.map(({ seen: { id }, source, target }) => ({ id, source, target })));
  for (const { seen, source, target } of stable) {
    await tellDocument(job, seen, { state: "stable", source, target, since: told.get(seen.id.key) });
  }
}

/** @returns how it looks now, where it still differs and can be asked for */
async function settle(
  job: DiffJob,
  suspect: Suspect,
  source: Doc | undefined,
  target: Doc | undefined,
): Promise<Looked | undefined> {
  const { tally } = job.progress;
  if (!job.source.canFind(suspect.id) || !job.target.canFind(suspect.id)) {
    await tellDocument(job, suspect, {
      state: "moving",
      unreadable: "its _id cannot be asked for, so that the difference could not be looked at twice",
    });
    return undefined;
  }
  if (isSame(alike(job, source, target))) {
    tally.settled++;
    return undefined;
  }
  if (expiredOn(job, source, target)) {
    tally.expired++;
    return undefined;
  }
  const sight = sightOf(source, target);
  const seen = { id: source?.id ?? suspect.id, sight, rounds: suspect.rounds + 1 };
  return { isStable: isSameSight(sight, suspect.sight), seen, source, target };
}
