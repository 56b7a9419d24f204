/**
 * Replacing documents of a target: what somebody else may have changed there is saved before, and what was changed there
 * later than in the source is left as it is.
 */

import type { NotReproduced, Rejected } from "../../connectors/write-outcome.ts";
import { Batch, type Doc } from "../../model/document.ts";
import { applyChanges } from "../change/apply-changes.ts";
import type { Outcome } from "../change/change.ts";
import type { Journaling } from "../change/journal.ts";
import type { SegmentWatch } from "../checksums/last-verified.ts";
import { find } from "../walk/lookup.ts";
import type { DocumentPair } from "../walk/walk.ts";
import { account, type PartJob } from "./job.ts";
import { newerReason } from "./newer.ts";
import { proveWritten } from "./verify.ts";

/** Bytes of documents that wait until it is known whether somebody has changed them. */
const MOST_WAITING = 16_000_000;

/** The replacements of one range. */
export class Replacements {
  readonly #watch: SegmentWatch | undefined;
  #waiting: DocumentPair[] = [];
  #bytes = 0;

  /** Without `watch`, nothing is known of what the target holds. */
  constructor(watch?: SegmentWatch) {
    this.#watch = watch;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Replaces those of which it is known already whether they were changed; the others wait. */
  async add(job: PartJob, pairs: readonly DocumentPair[]): Promise<void> {
    const newer = new Map(pairs.map((pair) => [pair, job.newerBy.newer(pair)]));
    leave(job, pairs, (pair) => newer.get(pair));
    for (const pair of pairs) {
      if (newer.get(pair) !== undefined) continue;
      this.#waiting.push(pair);
      this.#bytes += pair.expected.bytes.length + pair.found.bytes.length;
    }
    await this.settle(job);
  }

  /** Call when more of the target has come by; in the end, when all of it has: then nothing waits any longer. */
  async settle(job: PartJob): Promise<void> {
    if (this.#waiting.length === 0) return;
    const unchanged: DocumentPair[] = [];
    const inDoubt: DocumentPair[] = [];
    const waiting: DocumentPair[] = [];
    const areTooMany = this.#bytes > MOST_WAITING;
    // Where everything is saved, nothing need be known.
    const watch = job.journaling?.writes === true ? undefined : this.#watch;
    for (const pair of this.#waiting) {
      const known = watch === undefined ? false : watch.isUnchanged(pair.found.id);
      if (known === true) unchanged.push(pair);
      else if (known === false || areTooMany) inDoubt.push(pair);
      else waiting.push(pair);
    }
    this.#waiting = waiting;
    this.#bytes = waiting.reduce(
      (sum, { expected, found }) => sum + expected.bytes.length + found.bytes.length,
      0,
    );
    const { same, others } = await lookAgain(job, unchanged);
    await replaceUnchanged(job, same);
    await replaceSaved(job, [...inDoubt, ...others]);
    job.checksumBuilder?.except(
      [...unchanged, ...inDoubt]
        .map(({ expected }) => expected.id)
        .filter(({ key }) => job.rejected.has(key)),
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

/** Those that are newer in the target stay there, each named. */
function leave(
  job: PartJob,
  pairs: readonly DocumentPair[],
  fieldOf: (pair: DocumentPair) => string | undefined,
): void {
  const rejected: Rejected[] = [];
  let bytes = 0;
  for (const pair of pairs) {
    const field = fieldOf(pair);
    if (field === undefined) continue;
    rejected.push({ id: pair.expected.id, reason: newerReason(field) });
    bytes += pair.expected.bytes.length;
  }
  if (rejected.length === 0) return;
  account(job, rejected.length, bytes, { written: 0, unchanged: 0, rejected });
  job.checksumBuilder?.except(rejected.map(({ id }) => id));
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
  const documents = pairs.map(({ expected }) => expected);
  if (pairs.length > 0) await writeSaved(job, job.journaling, documents, growthOf(pairs));
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
  if (job.journaling?.writes === true) return await writeSaved(job, job.journaling, documents);
  const others = await insert(job, Batch.of(documents));
  if (job.verify === "content")
    await proveWritten(
      job,
      documents.filter(({ id }) => !others.has(id.key)),
    );
}

/**
 * Writes documents that the target is believed not to hold. What is there by now all the same is replaced like every other
 * document. @returns the keys of those
 */
export async function insert(job: PartJob, batch: Batch): Promise<ReadonlySet<string>> {
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
  // One that is gone again is in no doubt.
  const pairs = documents.map((expected) => {
    const found = there.get(expected.id.key);
    if (found === undefined) return { expected, found: expected };
    return { expected: job.equivalence?.wanted({ expected, found }) ?? expected, found };
  });
  const replacements = new Replacements();
  await replacements.add(job, pairs);
}

/**
 * Writes documents over what may be somebody else's: what is there now, and not only what was when it was compared, is
 * saved first; each document is read back. They make the target grow by so many bytes.
 */
async function writeSaved(
  job: PartJob,
  journaling: Journaling,
  documents: readonly Doc[],
  growth?: number,
): Promise<void> {
  const bytes = documents.reduce((sum, document) => sum + document.bytes.length, 0);
  await job.sizeLimit?.take(growth ?? bytes, job.signal);
  const newer = new Map<string, string>();
  const changes = documents.map((expected) => ({
    id: expected.id,
    wanted: expected.bytes,
    accepts: (found: Doc | undefined) => {
      const field = found === undefined ? undefined : job.newerBy.newer({ expected, found });
      if (field !== undefined) newer.set(expected.id.key, newerReason(field));
      return field === undefined;
    },
  }));
  const notReproduced: NotReproduced[] = [];
  const onLost = (lost: NotReproduced): void => void notReproduced.push(lost);
  // What others block still when all else is done is exchanged then.
  const options = { journaling, onLost, signal: job.signal, resolvesSwaps: false };
  const outcomes = await applyChanges(job, job.to, changes, options);
  const count = (result: Outcome["result"]): number => outcomes.filter((one) => one.result === result).length;
  account(job, documents.length, bytes, {
    written: count("changed"),
    unchanged: count("unchanged"),
    rejected: outcomes.flatMap(({ change: { id }, reason, retry }) =>
      reason === undefined ? [] : [{ id, reason: newer.get(id.key) ?? reason, blocked: retry }],
    ),
    notReproduced,
  });
}
