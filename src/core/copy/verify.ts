/**
 * Proving that the target holds what was written, by reading it back. What differs was written by this run, so it is
 * written again: that tells a server that alters it from somebody who changed it once. `core/change/change.ts` changes what
 * may be somebody else's, and so writes nothing twice; both write by `core/change/write-and-verify.ts`.
 */
import { printId } from "../../bson/print-id.ts";
import type { IdRange } from "../../connectors/collection.ts";
import type { Rejected } from "../../connectors/write-outcome.ts";
import type { Doc, DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import {
  type Due,
  findAll,
  isWanted,
  learnAltered,
  type ReadBack,
  saveOwnForms,
  type WantedDocument,
  type Writing,
  writeAndReadBack,
} from "../change/write-and-verify.ts";
import { segmentHash } from "../checksums/checksum-builder.ts";
import { areSame, type Segment } from "../checksums/segment.ts";
import { countExtra } from "../walk/walk.ts";
import { DUPLICATE_ID, type PartJob, readOptions, takeRejected, walkOf } from "./job.ts";
import { newerReason } from "./newer.ts";

/**
 * Reads a range back from the target, where it must be the same; what differs is fetched from both sides and copied again. Without
 * `expected`, what was read is not known in the target's order: each document is held against the target's.
 */
export async function proveRange(
  job: PartJob,
  range: IdRange,
  expected: readonly Segment[] | undefined,
): Promise<void> {
  if (expected === undefined) return await rewriteRange(job, range);
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
    nameChanged(job, await proveWritten(job, documents, step.equal.documents + step.equivalent.length));
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
 * So many `others` of those written with them are proved.
 * @returns the documents that had to be written again and are now proved
 */
export async function proveWritten(
  job: PartJob,
  documents: readonly Doc[],
  others = 0,
): Promise<readonly Doc[]> {
  const { target, session, to: collection, journaling, altered, signal } = job;
  const writing: Writing = { target, session, collection, journaling, altered, signal };
  const changes = documents.map((document) => ({ id: document.id, wanted: document.bytes, document }));
  const there = await findAll(writing, changes);
  if (job.savesAll) return await nameOthers(job, writing, changes, { there, others });
  const proved: Doc[] = [];
  let due: readonly Due<OwnDocument>[] = changes
    .map((change) => ({ change, before: there.get(change.id.key) }))
    .filter(({ change, before }) => !job.rejected.has(change.id.key) && !isWanted(writing, change, before));
  for (let round = 1; due.length > 0; round++) {
    const { readBack, rejected } = await writeAndReadBack(writing, leaveNewer(job, due), "again");
    reportRejected(job, rejected);
    const taken = readBack.filter(({ change }) => !job.rejected.has(change.id.key));
    proved.push(...taken.filter(({ isHeld }) => isHeld).map(({ change }) => change.document));
    const other = taken.filter(({ isHeld }) => !isHeld);
    const altered = other.filter((one) => (session.alters ? one.after !== undefined : isSame(one)));
    if (session.alters) nameAltered(job, altered, madeAnother(job));
    else await takeBack(job, altered);
    due = other
      .filter((one) => !altered.includes(one))
      .map(({ change, after }) => ({ change, before: after }));
    if (due.length > 0 && round === ROUNDS) throw unprovable(job, due);
  }
  return proved;
}

/**
 * In a store that people work with, what is something else than was written just now is theirs: it is not written again. It is named,
 * as is what the store itself may have altered.
 */
async function nameOthers(
  job: PartJob,
  writing: Writing,
  changes: readonly OwnDocument[],
  { there, others }: { readonly there: ReadonlyMap<string, Doc>; readonly others: number },
): Promise<readonly Doc[]> {
  await learnAltered(
    writing,
    changes.map((change) => ({ change, before: undefined })),
    there,
    others,
  );
  const unlike = changes.filter(
    (change) => !job.rejected.has(change.id.key) && !isWanted(writing, change, there.get(change.id.key)),
  );
  await saveOwnForms(
    writing,
    unlike.map((change) => ({ change, before: undefined, after: there.get(change.id.key), isHeld: false })),
  );
  const { mapped } = job.target.words;
  const alters = mapped === undefined ? "does another program, or the server, change it?" : mapped.alters;
  const rejected = unlike.map(({ id }): Rejected => {
    const reason = there.has(id.key)
      ? `it was written but reads back differently: ${alters}`
      : "it was written but is missing again: does another program remove it, or does it expire?";
    return { id, reason };
  });
  if (rejected.length > 0) reportRejected(job, rejected);
  return [];
}

/** A document that this run has written. */
interface OwnDocument extends WantedDocument {
  readonly document: Doc;
}

/** @returns those that are not newer in the target; the others are named */
function leaveNewer(job: PartJob, due: readonly Due<OwnDocument>[]): readonly Due<OwnDocument>[] {
  const rejected: Rejected[] = [];
  const others = due.filter(({ change: { document: expected }, before: found }) => {
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

/** Whether the target made the same of it both times. */
function isSame({ before, after }: ReadBack): boolean {
  return before !== undefined && after !== undefined && Buffer.compare(before.bytes, after.bytes) === 0;
}

/** Removes what this run has written and the server has altered. */
async function takeBack(job: PartJob, altered: readonly Due[]): Promise<void> {
  const ids = altered.map(({ change }) => change.id);
  await job.session.remove(job.to.name, ids, job.signal);
  nameAltered(job, altered, "the target's server stores it with different bytes");
}

function nameAltered(job: PartJob, altered: readonly Due[], reason: string): void {
  reportRejected(
    job,
    altered.map(({ change }) => ({ id: change.id, reason })),
  );
}

function reportRejected(job: PartJob, rejected: readonly Rejected[]): void {
  takeRejected(job, rejected);
  job.tally.reclassify(rejected.length);
}

function unprovable(job: PartJob, due: readonly Due[]): DualsyncError {
  const gone = due.filter(({ before }) => before === undefined).length;
  const some = due.length === 1 ? "a document" : `${due.length} documents`;
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
