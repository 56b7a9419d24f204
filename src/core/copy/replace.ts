/**
 * Replacing documents of a target: what somebody else may have changed there is saved before, and what is to stay there
 * is left as it is.
 */
import type { Reader } from "../../connectors/contract.ts";
import type { NotReproduced, Rejected } from "../../connectors/write-outcome.ts";
import { Batch, type Doc, type DocumentId } from "../../model/document.ts";
import { applyChanges } from "../change/apply-changes.ts";
import type { Outcome } from "../change/change.ts";
import type { JournalEntry, Journaling } from "../change/journal.ts";
import { entryOf } from "../change/write-and-verify.ts";
import type { SegmentWatch } from "../checksums/last-verified.ts";
import { find } from "../walk/lookup.ts";
import type { DocumentPair } from "../walk/walk.ts";
import { account, accountKept, type PartJob } from "./job.ts";
import type { ChangedSince, KeptDocument } from "./keeping.ts";
import { proveWritten } from "./verify.ts";

/** Bytes of documents that wait until it is known whether somebody has changed them. */
const MOST_WAITING = 16_000_000;

/** What is known of the documents of a range as they come by. */
export interface RangeWatches {
  /** Of the target, whose last verified run was this pair's. */
  readonly target?: SegmentWatch | undefined;
  /** Of both sides, where the last verified run went the other way. */
  readonly changes?: { readonly source: SegmentWatch; readonly target: SegmentWatch } | undefined;
}

/** The replacements of one range. */
export class Replacements {
  readonly #watches: RangeWatches;
  #waiting: DocumentPair[] = [];
  #bytes = 0;

  /** Without `watches`, nothing is known of what the stores hold. */
  constructor(watches: RangeWatches = {}) {
    this.#watches = watches;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Replaces those of which it is known already whether they were changed; the others wait. */
  async add(job: PartJob, pairs: readonly DocumentPair[]): Promise<void> {
    const due = this.#watches.changes === undefined ? leave(job, pairs) : pairs;
    for (const pair of due) {
      this.#waiting.push(pair);
      this.#bytes += pair.expected.bytes.length + pair.found.bytes.length;
    }
    await this.settle(job);
  }

  /** Call when more has come by; in the end, when all of it has: then nothing waits any longer. */
  async settle(job: PartJob): Promise<void> {
    if (this.#waiting.length === 0) return;
    const areTooMany = this.#bytes > MOST_WAITING;
    const { target, changes } = this.#watches;
    if (changes !== undefined) return await this.#settleBy(changes, job, areTooMany);
    const unchanged: DocumentPair[] = [];
    const inDoubt: DocumentPair[] = [];
    const waiting: DocumentPair[] = [];
    // Where everything is saved, nothing need be known.
    const watch = job.journaling?.writes === true ? undefined : target;
    for (const pair of this.#waiting) {
      const known = watch === undefined ? false : watch.isUnchanged(pair.found.id);
      if (known === true) unchanged.push(pair);
      else if (known === false || areTooMany) inDoubt.push(pair);
      else waiting.push(pair);
    }
    this.#wait(waiting);
    const { same, others } = await lookAgain(job, unchanged);
    await replaceUnchanged(job, same);
    await replaceSaved(job, [...inDoubt, ...others]);
    job.checksumBuilder?.except(
      [...unchanged, ...inDoubt]
        .map(({ expected }) => expected.id)
        .filter(({ key }) => job.rejected.has(key)),
    );
  }

  /** Which of a pair stays depends on what was changed: everything that is replaced is saved. */
  async #settleBy(
    { source, target }: NonNullable<RangeWatches["changes"]>,
    job: PartJob,
    areTooMany: boolean,
  ): Promise<void> {
    const due: DocumentPair[] = [];
    const waiting: DocumentPair[] = [];
    for (const pair of this.#waiting) {
      const [here, there] = [source.isUnchanged(pair.expected.id), target.isUnchanged(pair.found.id)];
      const isKnown = here !== undefined && there !== undefined;
      const changed = isKnown ? { source: !here, target: !there } : undefined;
      if (isKnown || areTooMany) due.push(...leave(job, [pair], changed));
      else waiting.push(pair);
    }
    this.#wait(waiting);
    await replaceSaved(job, due);
  }

  #wait(pairs: DocumentPair[]): void {
    this.#waiting = pairs;
    this.#bytes = pairs.reduce(
      (sum, { expected, found }) => sum + expected.bytes.length + found.bytes.length,
      0,
    );
  }
}

/** Much may have happened since they were compared: those that the target still holds so, and the others. */
async function lookAgain(
  job: PartJob,
  pairs: readonly DocumentPair[],
): Promise<{ readonly same: readonly DocumentPair[]; readonly others: readonly DocumentPair[] }> {
  if (pairs.length === 0) return { same: [], others: [] };
  const ids = pairs.map(({ found }) => found.id);
  const now = await find(job.target, job.to, ids, job.signal);
  const isSame = ({ found }: DocumentPair): boolean => {
    const there = now.get(found.id.key);
    return there !== undefined && Buffer.compare(there.bytes, found.bytes) === 0;
  };
  return { same: pairs.filter(isSame), others: pairs.filter((pair) => !isSame(pair)) };
}

/** Accounts for those whose documents stay in the target. @returns the others */
function leave(
  job: PartJob,
  pairs: readonly DocumentPair[],
  changed?: ChangedSince | undefined,
): readonly DocumentPair[] {
  const due: DocumentPair[] = [];
  const rejected: Rejected[] = [];
  const kept: Doc[] = [];
  let bytes = 0;
  for (const pair of pairs) {
    const { expected } = pair;
    const stays = job.keeping.compared(pair, changed, job.equivalence);
    if (stays === undefined) due.push(pair);
    else if (stays.loss === undefined) kept.push(expected);
    else {
      rejected.push({ id: expected.id, reason: stays.loss });
      bytes += expected.bytes.length;
    }
  }
  accountKept(job, kept);
  if (rejected.length > 0) {
    account(job, rejected.length, bytes, { written: 0, unchanged: 0, rejected });
    job.checksumBuilder?.except(rejected.map(({ id }) => id));
  }
  return due;
}

/** What the last verified run left there need not be saved. */
async function replaceUnchanged(job: PartJob, pairs: readonly DocumentPair[]): Promise<void> {
  if (pairs.length === 0) return;
  const documents = pairs.map(({ expected }) => expected);
  await job.sizeLimit?.take(growthOf(pairs), job.signal);
  const batch = Batch.of(documents);
  account(
    job,
    batch.length,
    batch.bytes.length,
    await job.session.write(job.to.name, batch, "replace", job.signal),
  );
  if (job.verify === "content") await proveWritten(job, documents);
}

async function replaceSaved(job: PartJob, pairs: readonly DocumentPair[]): Promise<void> {
  if (job.journaling === undefined) return await replaceUnchanged(job, pairs);
  if (pairs.length > 0) await writeSaved(job, job.journaling, pairs, growthOf(pairs));
}

/** What is replaced takes only as much more room as it has grown. */
function growthOf(pairs: readonly DocumentPair[]): number {
  return pairs.reduce(
    (sum, { expected, found }) => sum + Math.max(0, expected.bytes.length - found.bytes.length),
    0,
  );
}

/** Writes documents that a walk has not found in the target, and proves them. */
export async function insertMissing(job: PartJob, documents: readonly Doc[]): Promise<void> {
  if (documents.length === 0) return;
  if (job.journaling?.writes === true)
    return await writeSaved(
      job,
      job.journaling,
      documents.map((expected) => ({ expected })),
    );
  const others = await insert(job, Batch.of(documents));
  if (job.verify === "content")
    await proveWritten(
      job,
      documents.filter(({ id }) => !others.has(id.key)),
    );
}

/**
 * Writes documents that the target is believed not to hold, once they are saved as new. What is there by now all the same is
 * replaced like every other document. @returns the keys of those
 */
export async function insert(
  job: PartJob,
  batch: Batch,
  saved: Promise<void> = saveAsNew(job, batch),
): Promise<ReadonlySet<string>> {
  await saved;
  await job.sizeLimit?.take(batch.bytes.length, job.signal);
  const outcome = await job.session.write(job.to.name, batch, "create", job.signal);
  const occupied = outcome.rejected.filter((one) => one.occupied === true).map(({ id }) => id.key);
  if (occupied.length === 0) {
    account(job, batch.length, batch.bytes.length, outcome);
    return NONE;
  }
  const others = withKeys(batch.docs(), occupied);
  const bytes = batch.bytes.length - others.reduce((sum, one) => sum + one.bytes.length, 0);
  const rejected = outcome.rejected.filter((one) => one.occupied !== true);
  account(job, batch.length - others.length, bytes, { ...outcome, rejected });
  await replaceFound(job, others);
  return new Set(occupied);
}

const NONE: ReadonlySet<string> = new Set();

/** The documents with these keys. Of several with one key the first may have been taken: the last ones are meant. */
function withKeys(documents: readonly Doc[], keys: readonly string[]): Doc[] {
  const wanted = new Map<string, number>();
  for (const key of keys) wanted.set(key, (wanted.get(key) ?? 0) + 1);
  const found = documents.toReversed().filter(({ id: { key } }) => {
    const left = wanted.get(key) ?? 0;
    wanted.set(key, left - 1);
    return left > 0;
  });
  return found.reverse();
}

/** Of documents that were just seen to be in the target, with other bytes. */
async function replaceFound(job: PartJob, documents: readonly Doc[]): Promise<void> {
  const ids = documents.map(({ id }) => id);
  const there = await find(job.target, job.to, ids, job.signal);
  const pairs: DocumentPair[] = [];
  const gone: Doc[] = [];
  for (const document of documents) {
    const found = there.get(document.id.key);
    const expected = found && job.equivalence?.wanted({ expected: document, found });
    if (found === undefined) gone.push(document);
    else pairs.push({ expected: expected ?? document, found });
  }
  const replacements = new Replacements();
  await replacements.add(job, pairs);
  await insertMissing(job, gone);
}

/** Where writes are journaled. Documents that are believed not to be in the target: nothing was there before, by their ids and hashes. */
export async function saveAsNew({ journaling, target }: PartJob, batch: Batch): Promise<void> {
  if (journaling?.writes !== true) return;
  await journaling.journal.save(journaling.collection, newEntries(batch, target));
}

/** One at a time: all of them together would be larger than the documents. */
function* newEntries(batch: Batch, target: Reader): Generator<JournalEntry> {
  for (let index = 0; index < batch.length; index++) {
    const { id, bytes: wanted } = batch.doc(index);
    yield entryOf({ id, wanted }, undefined, target);
  }
}

/** A document that should be written, and what the target held when it was compared; nothing where it was missing. */
type ToWrite = Pick<DocumentPair, "expected"> & Partial<Pick<DocumentPair, "found">>;

/**
 * Writes documents over what may be somebody else's: what is there now, and not only what was when it was compared, is
 * saved first; each document is read back. They make the target grow by so many bytes.
 */
async function writeSaved(
  job: PartJob,
  journaling: Journaling,
  documents: readonly ToWrite[],
  growth?: number,
): Promise<void> {
  const size = (some: readonly ToWrite[]): number =>
    some.reduce((sum, { expected }) => sum + expected.bytes.length, 0);
  await job.sizeLimit?.take(growth ?? size(documents), job.signal);
  const stays = new Map<string, KeptDocument>();
  const changes = documents.map(({ expected, found: compared }) => ({
    id: expected.id,
    wanted: expected.bytes,
    accepts: (found: Doc | undefined) => {
      if (found === undefined || isSameDocument(found, compared)) return true;
      const kept = job.keeping.appeared({ expected, found });
      if (kept !== undefined) stays.set(expected.id.key, kept);
      return kept === undefined;
    },
  }));
  const notReproduced: NotReproduced[] = [];
  const onLost = (lost: NotReproduced): void => void notReproduced.push(lost);
  // What others block still when all else is done is exchanged then.
  const options = {
    journaling,
    onLost,
    altered: job.altered,
    signal: job.signal,
    resolvesSwaps: false,
  };
  const outcomes = await applyChanges(job, job.to, changes, options);
  const count = (result: Outcome["result"]): number => outcomes.filter((one) => one.result === result).length;
  const left = new Set(
    outcomes.flatMap(({ result, change }) => (result === "conflict" ? change.id.key : [])),
  );
  const isKept = ({ key }: DocumentId): boolean =>
    left.has(key) && stays.has(key) && stays.get(key)?.loss === undefined;
  const [kept, others] = [true, false].map((are) =>
    documents.filter(({ expected: { id } }) => isKept(id) === are),
  ) as [ToWrite[], ToWrite[]];
  accountKept(
    job,
    kept.map(({ expected }) => expected),
  );
  account(job, others.length, size(others), {
    written: count("changed"),
    unchanged: count("unchanged"),
    rejected: outcomes.flatMap(({ change: { id }, reason, retry }) =>
      reason === undefined || isKept(id)
        ? []
        : [{ id, reason: stays.get(id.key)?.loss ?? reason, blocked: retry }],
    ),
    notReproduced,
  });
}

function isSameDocument(found: Doc, compared: Doc | undefined): boolean {
  return compared !== undefined && Buffer.compare(found.bytes, compared.bytes) === 0;
}
