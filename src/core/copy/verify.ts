/** Proving that the target holds what was written, by reading it back. */
import { printId } from "../../bson/print-id.ts";
import type { IdRange } from "../../connectors/collection.ts";
import type { Rejected } from "../../connectors/write-outcome.ts";
import { Batch, type Doc, type DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import { save } from "../change/change.ts";
import { segmentHash } from "../checksums/checksum-builder.ts";
import { areSame, type Segment } from "../checksums/segment.ts";
import { isHeldAs } from "../walk/equivalence.ts";
import { find } from "../walk/lookup.ts";
import { countExtra } from "../walk/walk.ts";
import { DUPLICATE_ID, type PartJob, readOptions, walkOf } from "./job.ts";
import { newerReason } from "./newer.ts";

/** Reads a range back from the target, where it must be the same; what differs is fetched from both sides and copied again. */
export async function proveRange(job: PartJob, range: IdRange, expected: readonly Segment[]): Promise<void> {
  const hash = segmentHash(job, range);
  for await (const batch of job.target.read(job.to, readOptions(job, range))) {
    hash.add(batch);
    batch.release();
  }
  if (areSame(hash.end(range.to), expected)) job.checksumBuilder?.add(expected);
  else await rewriteRange(job, range);
}

/**
 * Finds the documents of a range that differ and copies them again. On a busy source they may simply have changed
 * meanwhile; each is proved by itself, by reading back what was written last.
 */
async function rewriteRange(job: PartJob, range: IdRange): Promise<void> {
  for await (const step of walkOf(job, range)) {
    const documents = [...step.missing, ...step.different.map(({ expected }) => expected)].filter(
      ({ id }) => !job.rejected.has(id.key),
    );
    job.tally.extra += countExtra(step);
    reportDuplicateIds(job, step.duplicateIds);
    if (documents.length === 0) continue;
    nameChanged(job, await proveWritten(job, documents));
  }
}

/** The second of two documents under one `_id` counted as written, unless it was rejected for another reason. */
function reportDuplicateIds(job: PartJob, ids: readonly DocumentId[]): void {
  const duplicateIds = ids.filter((id) => !job.rejected.has(id.key));
  job.losses.addDocuments(
    job.from.name,
    duplicateIds.map((id) => ({ id, reason: DUPLICATE_ID })),
  );
  job.tally.reclassify(duplicateIds.length);
}

function nameChanged(job: PartJob, changed: readonly Doc[]): void {
  if (changed.length === 0) return;
  job.tally.changed += changed.length;
  const some = changed.slice(0, 5).map(({ id }) => printId(id.element));
  const more = changed.length > some.length ? ` and ${changed.length - some.length} more` : "";
  job.note(
    `${job.from.name}: changed in the source during the run and copied again: ${some.join(", ")}${more}.`,
  );
}

/** How often a document is written again before the target counts as changed by somebody else. */
const ROUNDS = 3;

/**
 * Proves that the target holds exactly these bytes, or what its own mapping calls equivalent. What it holds otherwise is
 * written again; a document that the server stores with the same other bytes each time is altered by the server: it is
 * removed again and rejected by name. One that is gone although it was acknowledged, or that is something else each
 * time, fails the run. Where the store's own rules alter documents (`WriteSession.alters`), it stays and is rejected by name.
 * @returns the documents that had to be written again and are now proved
 */
export async function proveWritten(job: PartJob, documents: readonly Doc[]): Promise<readonly Doc[]> {
  const proved: Doc[] = [];
  let held = await findOn(job, documents);
  let candidates: readonly Doc[] = documents.filter(
    (document) => !job.rejected.has(document.id.key) && !isHeld(job, held, document),
  );
  for (let round = 1; candidates.length > 0; round++) {
    candidates = leaveNewer(job, candidates, held);
    await saveHeld(job, candidates, held);
    const written = await writeAgain(job, candidates);
    const before = held;
    held = await findOn(job, written);
    proved.push(...written.filter((document) => isHeld(job, held, document)));
    const other = written.filter((document) => !isHeld(job, held, document));
    const { alters } = job.session;
    const altered = other.filter(({ id }) =>
      alters ? held.has(id.key) : isSame(before.get(id.key), held.get(id.key)),
    );
    if (alters) nameAltered(job, altered, madeAnother(job));
    else await takeBack(job, altered);
    candidates = other.filter((document) => !altered.includes(document));
    if (candidates.length > 0 && round === ROUNDS) throw unprovable(job, candidates, held);
  }
  return proved;
}

/** What the target holds in their place may be somebody else's work by now. */
async function saveHeld(job: PartJob, documents: readonly Doc[], held: HeldDocuments): Promise<void> {
  if (job.journaling === undefined) return;
  const changes = documents.map(({ id, bytes }) => ({ id, wanted: bytes, accepts: () => true }));
  const due = changes.map((change) => ({ change, before: held.get(change.id.key) }));
  await save(
    { journaling: job.journaling, saved: new Map() },
    due.filter(({ before }) => before !== undefined),
  );
}

/** @returns those that are not newer in the target; the others are named */
function leaveNewer(job: PartJob, documents: readonly Doc[], held: HeldDocuments): readonly Doc[] {
  const rejected: Rejected[] = [];
  const others = documents.filter((expected) => {
    const found = held.get(expected.id.key);
    const field = found === undefined ? undefined : job.newerBy.newer({ expected, found });
    if (field !== undefined) rejected.push({ id: expected.id, reason: newerReason(field) });
    return field === undefined;
  });
  if (rejected.length > 0) reportRejected(job, rejected);
  return others;
}

function madeAnother({ target: { words } }: PartJob): string {
  const why = words.mapped === undefined ? "" : `: ${words.mapped.alters}`;
  return `the target stored it with different values, twice${why}`;
}

type HeldDocuments = ReadonlyMap<string, Doc>;

function findOn(job: PartJob, documents: readonly Doc[]): Promise<HeldDocuments> {
  const ids = documents.map(({ id }) => id);
  return find(job.target, job.to, ids, job.signal);
}

function isHeld({ target, to }: PartJob, held: HeldDocuments, document: Doc): boolean {
  return isHeldAs(target, to.name, document, held.get(document.id.key));
}

function isSame(a: Doc | undefined, b: Doc | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a.bytes, b.bytes) === 0;
}

/** @returns those of the documents that the target took */
async function writeAgain(job: PartJob, documents: readonly Doc[]): Promise<Doc[]> {
  const { rejected } = await job.session.write(job.to.name, Batch.of(documents), "replace", job.signal);
  reportRejected(job, rejected);
  return documents.filter(({ id }) => !job.rejected.has(id.key));
}

/** Removes what this run has written and the server has altered. */
async function takeBack(job: PartJob, altered: readonly Doc[]): Promise<void> {
  const ids = altered.map(({ id }) => id);
  await job.session.remove(job.to.name, ids, job.signal);
  nameAltered(job, altered, "the target's server stores it with different bytes");
}

function nameAltered(job: PartJob, altered: readonly Doc[], reason: string): void {
  reportRejected(
    job,
    altered.map(({ id }) => ({ id, reason })),
  );
}

function reportRejected(job: PartJob, rejected: readonly Rejected[]): void {
  for (const { id } of rejected) job.rejected.add(id.key);
  job.losses.addDocuments(job.from.name, rejected);
  job.tally.reclassify(rejected.length);
}

function unprovable(job: PartJob, documents: readonly Doc[], held: HeldDocuments): DualsyncError {
  const gone = documents.filter(({ id }) => !held.has(id.key)).length;
  const some = documents.length === 1 ? "a document" : `${documents.length} documents`;
  const how =
    gone === 0 ? "but held something else each time" : `but does not hold ${gone === 1 ? "it" : "them"}`;
  return new DualsyncError(
    "unverified",
    `The target acknowledged ${some} of ${job.to.name} ${ROUNDS} times ${how}.`,
    {
      hint: "Does another program change the target, or do documents expire there? The source was not changed. Run the same command again.",
    },
  );
}
