/** Removing documents from collections that refer to each other. */
import { areNull } from "../../bson/null-fields.ts";
import type { Doc, DocumentId } from "../../model/document.ts";
import { applyChanges } from "../change/apply-changes.ts";
import type { Outcome } from "../change/change.ts";
import { type Leaving, takeOutReferred } from "../change/leaving.ts";
import { save } from "../change/write-and-verify.ts";
import { chunksOf } from "../concurrency/chunks.ts";
import type { Extras } from "../progress/progress.ts";
import { find } from "../walk/lookup.ts";
import type { Job } from "./job.ts";
import { assertMayRemove, extrasOf, nameLeft, removalOf } from "./remove.ts";

/** Ids of a collection that are in memory together at most, and bytes of documents of collections that refer to each other. */
const MOST_LEAVING = 200_000;
const MOST_BYTES = 64_000_000;

/** Documents that are saved, and removed, at once, and their bytes. */
const CHUNK = { count: 500, bytes: 8_000_000 };

/** A segment of a collection, and what of it is to go. */
interface LeavingSegment {
  readonly job: Job;
  readonly segment: Extras;
  readonly found: number;
  readonly ids: readonly DocumentId[];
  /** Bytes of each of these documents, by `DocumentId.key`. */
  readonly sizes: ReadonlyMap<string, number>;
}

/**
 * Removes what the source no longer has, in collections of one store that may refer to each other; what others refer to besides stays,
 * and is named. The jobs come in the order in which their collections were filled.
 */
export async function removeRelated(jobs: readonly Job[]): Promise<void> {
  const segments: LeavingSegment[] = [];
  const isCircle = jobs.length > 1 || jobs.some(({ to }) => to.after?.includes(to.name));
  const bytes = { left: isCircle ? MOST_BYTES : Number.POSITIVE_INFINITY };
  for (const job of jobs) segments.push(...(await segmentsOf(job, bytes)));
  if (segments.length === 0) return;
  const leaving: Leaving = new Map();
  for (const { job, ids } of segments) {
    const known = leaving.get(job.to) ?? new Map<string, DocumentId>();
    leaving.set(job.to, known);
    for (const id of ids) known.set(id.key, id);
  }
  await keepReferred(jobs, leaving);
  // All of them are saved before the first one goes: removing one may remove or alter others.
  const saved = new Map(jobs.map((job) => [job, new KnownDocuments()]));
  for (const { job, sizes } of segments)
    for (const [key, size] of sizes) saved.get(job)?.sizes.set(key, size);
  for (const [job, known] of saved) await saveAll(job, leaving.get(job.to), known, isCircle);
  const outcomes = await removeAll(jobs, leaving, saved);
  for (const { job, segment, found, ids } of segments) {
    const gone = outcomes.get(job);
    job.progress.removed(segment, found, ids.filter(({ key }) => gone?.has(key)).length);
  }
}

/** What was saved of a collection's documents, by `DocumentId.key`. */
class KnownDocuments {
  /** Bytes of the documents. */
  readonly sizes = new Map<string, number>();
  readonly hashes = new Map<string, string>();
  /** The documents themselves, where the removal of others may alter them. */
  readonly documents = new Map<string, Uint8Array>();
}

async function segmentsOf(job: Job, bytes: { left: number }): Promise<readonly LeavingSegment[]> {
  await assertMayRemove(job);
  const found: LeavingSegment[] = [];
  let room = MOST_LEAVING;
  for (const segment of job.progress.extras) {
    const ids: DocumentId[] = [];
    const sizes = new Map<string, number>();
    let count = 0;
    for await (const step of extrasOf(job, segment)) {
      count += step.found;
      const replaceable = withoutIrreplaceable(job, step.gone);
      const some = replaceable.slice(0, Math.max(0, room)).filter((one) => {
        bytes.left -= one.bytes.length;
        return bytes.left >= 0;
      });
      room -= some.length;
      for (const { id, bytes } of some) {
        ids.push(id.copy());
        sizes.set(id.key, bytes.length);
      }
      if (some.length < replaceable.length)
        job.losses.add(
          `collection ${job.from.name}`,
          "more documents are to be removed than can be at once: run the same command again for the rest",
        );
    }
    found.push({ job, segment, found: count, ids, sizes });
  }
  return found;
}

/** What could not be put back stays, where that is promised, and is named. */
function withoutIrreplaceable(
  { target, to, from, journaling, losses }: Job,
  documents: readonly Doc[],
): readonly Doc[] {
  if (journaling === undefined) return documents;
  return documents.filter((document) => {
    const why = target.cautions?.irreplaceableDocument(to.name, document);
    if (why !== undefined)
      losses.addDocuments(from.name, [
        { id: document.id, reason: `it was not removed, as it could not be put back: ${why}` },
      ]);
    return why === undefined;
  });
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

function inChunks(ids: Iterable<DocumentId>, { sizes }: KnownDocuments): Iterable<readonly DocumentId[]> {
  return chunksOf([...ids], ({ element, key }) => element.length + (sizes.get(key) ?? 0), CHUNK);
}

async function saveAll(
  { target, to, journaling, signal }: Job,
  ids: ReadonlyMap<string, DocumentId> = new Map(),
  known: KnownDocuments,
  isCircle: boolean,
): Promise<void> {
  const { hashes: saved, documents } = known;
  for (const chunk of inChunks(ids.values(), known)) {
    const there = await find(target, to, chunk, signal);
    const due = chunk.map((id) => ({ change: { id }, before: there.get(id.key) }));
    const isThere = due.filter(({ before }) => before !== undefined);
    await save({ target, journaling, saved }, isThere);
    if (!isCircle) continue;
    for (const [key, { bytes }] of there) documents.set(key, Uint8Array.from(bytes));
  }
}

/**
 * Removing one document may take the references to it out of others. What has lost nothing else is still what was saved of it, and
 * is to be put back as that.
 */
function originalOf({ target, to }: Job, { documents }: KnownDocuments, found: Doc): Uint8Array | undefined {
  const bytes = documents.get(found.id.key);
  const names = bytes && target.mapping?.differing(to.name, found, { id: found.id, bytes });
  return names !== undefined && areNull(found.bytes, names) ? bytes : undefined;
}

/** The last collection first, again and again, as long as that removes any. @returns the keys of what is gone, by job */
async function removeAll(
  jobs: readonly Job[],
  leaving: Leaving,
  saved: ReadonlyMap<Job, KnownDocuments>,
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
      const known = saved.get(job) ?? new KnownDocuments();
      const original = (found: Doc): Uint8Array | undefined => originalOf(job, known, found);
      const options = { journaling, altered, signal, saved: known.hashes, originalOf: original };
      // Where the removal of one may alter another, a new date may be this run's doing.
      const staysAsExtra = known.documents.size > 0 ? undefined : job.staysAsExtra;
      const outcomes: Outcome[] = [];
      for (const chunk of inChunks(ordered, known)) {
        const changes = chunk.map((id) => removalOf({ staysAsExtra }, id, known.sizes.get(id.key)));
        outcomes.push(...(await applyChanges(job, job.to, changes, options)));
      }
      // What another removal has taken along was meant to go.
      const isDone = ({ result }: Outcome): boolean => result === "changed" || result === "unchanged";
      const done = outcomes.filter(isDone);
      for (const { change } of done) {
        ids.delete(change.id.key);
        gone.get(job)?.add(change.id.key);
      }
      isMoving ||= done.length > 0 && [...leaving.values()].some((some) => some.size > 0);
      left.set(
        job,
        outcomes.filter((one) => !isDone(one)),
      );
    }
    if (!isMoving) for (const [job, outcomes] of left) nameLeft(job, outcomes);
  }
  return gone;
}
