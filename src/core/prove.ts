/** Proving that the target holds what was written, by reading it back. */
import { printId } from "../bson/print-id.ts";
import type { IdRange, SetAside } from "../connectors/connector.ts";
import { Batch, type Doc, type DocumentId } from "../document.ts";
import { DualsyncError } from "../errors.ts";
import { type PartJob, readOptions, TWIN, walkOf } from "./job.ts";
import { isHeldAs } from "./judge.ts";
import { save } from "./mend/change.ts";
import { newerReason } from "./newer.ts";
import { stretchHash } from "./seal/sealing.ts";
import { areSame, type Stretch } from "./seal/stretch.ts";
import { countExtra } from "./walk.ts";

/** Reads a range back from the target, where it must be the same; what differs is fetched from both sides and mended. */
export async function proveRange(job: PartJob, range: IdRange, expected: readonly Stretch[]): Promise<void> {
  const hash = stretchHash(job, range);
  for await (const batch of job.target.read(job.to, readOptions(job, range))) {
    hash.add(batch);
    batch.release();
  }
  if (areSame(hash.end(range.to), expected)) job.sealing?.add(expected);
  else await mendRange(job, range);
}

/**
 * Finds the documents of a range that differ and copies them again. On a busy source they may simply have changed
 * meanwhile; each is proved by itself, by reading back what was written last.
 */
async function mendRange(job: PartJob, range: IdRange): Promise<void> {
  for await (const step of walkOf(job, range)) {
    const documents = [...step.missing, ...step.different.map(({ expected }) => expected)].filter(
      ({ id }) => !job.setAside.has(id.key),
    );
    job.tally.extra += countExtra(step);
    nameTwins(job, step.twins);
    if (documents.length === 0) continue;
    nameChanged(job, await proveWritten(job, documents));
  }
}

/** The second of two documents under one `_id` counted as written, unless it was set aside for another reason. */
function nameTwins(job: PartJob, ids: readonly DocumentId[]): void {
  const twins = ids.filter((id) => !job.setAside.has(id.key));
  job.losses.addDocuments(
    job.from.name,
    twins.map((id) => ({ id, reason: TWIN })),
  );
  job.tally.reclassify(twins.length);
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

/** How often a document is written again before the target is held to be changed by somebody else. */
const ROUNDS = 3;

/**
 * Proves that the target holds exactly these bytes, or what its own mapping calls equivalent. What it holds otherwise is
 * written again; a document that the server stores with the same other bytes each time is altered by the server: it is
 * removed again and set aside by name. One that is gone although it was acknowledged, or that is something else each
 * time, fails the run. What a mapped target makes of a document, by a trigger for example, may be something else each time and is
 * the application's own doing: it stays, and is set aside by name.
 * @returns the documents that had to be written again and are now proved
 */
export async function proveWritten(job: PartJob, documents: readonly Doc[]): Promise<readonly Doc[]> {
  const proved: Doc[] = [];
  let held = await findOn(job, documents);
  let suspects: readonly Doc[] = documents.filter(
    (document) => !job.setAside.has(document.id.key) && !isHeld(job, held, document),
  );
  for (let round = 1; suspects.length > 0; round++) {
    suspects = leaveNewer(job, suspects, held);
    await saveHeld(job, suspects, held);
    const written = await writeAgain(job, suspects);
    const before = held;
    held = await findOn(job, written);
    proved.push(...written.filter((document) => isHeld(job, held, document)));
    const other = written.filter((document) => !isHeld(job, held, document));
    const isMapped = job.target.mapping !== undefined;
    const altered = other.filter(({ id }) =>
      isMapped ? held.has(id.key) : isSame(before.get(id.key), held.get(id.key)),
    );
    if (isMapped) nameAltered(job, altered, MADE_ANOTHER);
    else await takeBack(job, altered);
    suspects = other.filter((document) => !altered.includes(document));
    if (suspects.length > 0 && round === ROUNDS) throw unprovable(job, suspects, held);
  }
  return proved;
}

/** What the target holds in their place may be somebody else's work by now. */
async function saveHeld(job: PartJob, documents: readonly Doc[], held: Held): Promise<void> {
  if (job.journaling === undefined) return;
  const { journal, collection } = job.journaling;
  const changes = documents.map(({ id, bytes }) => ({ id, wanted: bytes, accepts: () => true }));
  const due = changes.map((change) => ({ change, before: held.get(change.id.key) }));
  const work = { target: job.target, signal: job.signal, saved: new Map(), journal, collection };
  await save(
    work,
    due.filter(({ before }) => before !== undefined),
  );
}

/** @returns those that are not newer in the target; the others are named */
function leaveNewer(job: PartJob, documents: readonly Doc[], held: Held): readonly Doc[] {
  const setAside: SetAside[] = [];
  const others = documents.filter((expected) => {
    const found = held.get(expected.id.key);
    const field = found === undefined ? undefined : job.newerBy.newer({ expected, found });
    if (field !== undefined) setAside.push({ id: expected.id, reason: newerReason(field) });
    return field === undefined;
  });
  if (setAside.length > 0) nameSetAside(job, setAside);
  return others;
}

const MADE_ANOTHER =
  "the target holds it with other values than it was given, twice: does its table round them, or a trigger change them?";

type Held = ReadonlyMap<string, Doc>;

function findOn(job: PartJob, documents: readonly Doc[]): Promise<Held> {
  return job.target.find(
    job.to.name,
    documents.map(({ id }) => id),
    job.signal,
  );
}

function isHeld({ target, to }: PartJob, held: Held, document: Doc): boolean {
  return isHeldAs(target, to.name, document, held.get(document.id.key));
}

function isSame(a: Doc | undefined, b: Doc | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a.bytes, b.bytes) === 0;
}

/** @returns those of the documents that the target took */
async function writeAgain(job: PartJob, documents: readonly Doc[]): Promise<Doc[]> {
  const { setAside } = await job.target.write(job.to.name, Batch.of(documents), "replace", job.signal);
  nameSetAside(job, setAside);
  return documents.filter(({ id }) => !job.setAside.has(id.key));
}

/** Removes what this run has written and the server has altered. */
async function takeBack(job: PartJob, altered: readonly Doc[]): Promise<void> {
  const ids = altered.map(({ id }) => id);
  await job.target.remove(job.to.name, ids, job.signal);
  nameAltered(job, altered, "the target's server stores it with other bytes than it was given");
}

function nameAltered(job: PartJob, altered: readonly Doc[], reason: string): void {
  nameSetAside(
    job,
    altered.map(({ id }) => ({ id, reason })),
  );
}

function nameSetAside(job: PartJob, setAside: readonly SetAside[]): void {
  for (const { id } of setAside) job.setAside.add(id.key);
  job.losses.addDocuments(job.from.name, setAside);
  job.tally.reclassify(setAside.length);
}

function unprovable(job: PartJob, documents: readonly Doc[], held: Held): DualsyncError {
  const gone = documents.filter(({ id }) => !held.has(id.key)).length;
  const some = documents.length === 1 ? "a document" : `${documents.length} documents`;
  const how =
    gone === 0 ? "and something else is there each time" : `and does not hold ${gone === 1 ? "it" : "them"}`;
  return new DualsyncError(
    "unverified",
    `The target acknowledged ${some} of ${job.to.name} ${ROUNDS} times, ${how}.`,
    {
      hint: "Is another program, or a TTL index, changing the target? The source was not changed. Run the same command again.",
    },
  );
}
