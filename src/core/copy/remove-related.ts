/** Removing documents from collections that refer to each other. */
import type { DocumentId } from "../../model/document.ts";
import { applyChanges } from "../change/apply-changes.ts";
import type { Outcome } from "../change/change.ts";
import { type Leaving, takeOutReferred } from "../change/leaving.ts";
import { save } from "../change/write-and-verify.ts";
import { chunksOf } from "../concurrency/chunks.ts";
import type { Extras } from "../progress/progress.ts";
import { find } from "../walk/lookup.ts";
import type { Job } from "./job.ts";
import { assertMayRemove, extrasOf, nameLeft, removalOf } from "./remove.ts";

/** Ids of a collection that are in memory together at most. */
const MOST_LEAVING = 200_000;

/** Documents that are saved at once. */
const CHUNK = { count: 500, bytes: 64_000 };

/** A segment of a collection, and what of it is to go. */
interface LeavingSegment {
  readonly job: Job;
  readonly segment: Extras;
  readonly found: number;
  readonly ids: readonly DocumentId[];
}

/**
 * Removes what the source no longer has, in collections of one store that may refer to each other; what others refer to besides stays,
 * and is named. The jobs come in the order in which their collections were filled.
 */
export async function removeRelated(jobs: readonly Job[]): Promise<void> {
  const segments: LeavingSegment[] = [];
  for (const job of jobs) segments.push(...(await segmentsOf(job)));
  if (segments.length === 0) return;
  const leaving: Leaving = new Map();
  for (const { job, ids } of segments) {
    const known = leaving.get(job.to) ?? new Map<string, DocumentId>();
    leaving.set(job.to, known);
    for (const id of ids) known.set(id.key, id);
  }
  await keepReferred(jobs, leaving);
  // All of them are saved before the first one goes: removing one may remove or alter others.
  const saved = new Map(jobs.map((job) => [job, new Map<string, string>()]));
  for (const [job, known] of saved) await saveAll(job, leaving.get(job.to), known);
  const outcomes = await removeAll(jobs, leaving, saved);
  for (const { job, segment, found, ids } of segments) {
    const gone = outcomes.get(job);
    job.progress.removed(segment, found, ids.filter(({ key }) => gone?.has(key)).length);
  }
}

async function segmentsOf(job: Job): Promise<readonly LeavingSegment[]> {
  await assertMayRemove(job);
  const found: LeavingSegment[] = [];
  let room = MOST_LEAVING;
  for (const segment of job.progress.extras) {
    const ids: DocumentId[] = [];
    let count = 0;
    for await (const step of extrasOf(job, segment)) {
      count += step.found;
      const some = step.gone.slice(0, Math.max(0, room));
      room -= some.length;
      ids.push(...some.map(({ id }) => id.copy()));
      if (some.length < step.gone.length)
        job.losses.add(
          `collection ${job.from.name}`,
          `more than ${MOST_LEAVING.toLocaleString("en-US")} documents are to be removed: run the same command again for the rest`,
        );
    }
    found.push({ job, segment, found: count, ids });
  }
  return found;
}

async function keepReferred(jobs: readonly Job[], leaving: Leaving): Promise<void> {
  const [first] = jobs;
  if (first?.target.references === undefined) return;
  const all = new Map([...leaving].map(([{ name }, ids]) => [name, new Map(ids)]));
  const staying = await takeOutReferred(first.target.references, leaving, first.signal);
  for (const { to, from, losses } of jobs) {
    const rejected = [...(staying.get(to.name) ?? [])].flatMap(([key, reason]) => {
      const id = all.get(to.name)?.get(key);
      return id === undefined ? [] : [{ id, reason: `it was not removed: ${reason}` }];
    });
    losses.addDocuments(from.name, rejected);
  }
}

async function saveAll(
  { target, to, journaling, signal }: Job,
  ids: ReadonlyMap<string, DocumentId> = new Map(),
  saved: Map<string, string>,
): Promise<void> {
  for (const chunk of chunksOf([...ids.values()], ({ element }) => element.length, CHUNK)) {
    const there = await find(target, to, chunk, signal);
    const due = chunk.map((id) => ({ change: { id }, before: there.get(id.key) }));
    const isThere = due.filter(({ before }) => before !== undefined);
    await save({ target, journaling, saved }, isThere);
  }
}

/** The last collection first, again and again, as long as that removes any. @returns the keys of what is gone, by job */
async function removeAll(
  jobs: readonly Job[],
  leaving: Leaving,
  saved: ReadonlyMap<Job, Map<string, string>>,
): Promise<ReadonlyMap<Job, ReadonlySet<string>>> {
  const gone = new Map(jobs.map((job) => [job, new Set<string>()]));
  for (let isMoving = true; isMoving; ) {
    isMoving = false;
    const left = new Map<Job, readonly Outcome[]>();
    for (const job of jobs.toReversed()) {
      const ids = leaving.get(job.to) ?? new Map<string, DocumentId>();
      const { target, journaling, altered, signal } = job;
      const all = [...ids.values()];
      const ordered = (await target.references?.referrersFirst(job.to.name, all, signal)) ?? all;
      const changes = ordered.map((id) => removalOf(id));
      const options = { journaling, altered, signal, saved: saved.get(job) };
      const outcomes = await applyChanges(job, job.to, changes, options);
      // What another removal has taken along was meant to go.
      const done = outcomes.filter(({ result }) => result === "changed" || result === "unchanged");
      for (const { change } of done) {
        ids.delete(change.id.key);
        gone.get(job)?.add(change.id.key);
      }
      isMoving ||= done.length > 0 && [...leaving.values()].some((some) => some.size > 0);
      left.set(
        job,
        outcomes.filter((one) => !done.includes(one)),
      );
    }
    if (!isMoving) for (const [job, outcomes] of left) nameLeft(job, outcomes);
  }
  return gone;
}
