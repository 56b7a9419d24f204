/** Compares two collections range by range, and then looks again at what differs. */
import type { Doc, DocumentId } from "../../model/document.ts";
import { eachRange } from "../concurrency/side-by-side.ts";
import type { TaskPool } from "../concurrency/task-pool.ts";
import type { OpenRange } from "../progress/progress.ts";
import { assertBothExist } from "../walk/presence.ts";
import { isBound } from "../walk/ranges.ts";
import type { Step } from "../walk/walk.ts";
import { candidateOf } from "./candidate.ts";
import { classifyPair, isSame } from "./classify.ts";
import type { DiffJob } from "./diff-job.ts";
import { DriftDetector } from "./drift/drift.ts";
import { expiredOn } from "./expired.ts";
import { noteHeld, reportShortfall } from "./pairing/held.ts";
import { DiffPart } from "./progress/diff-progress.ts";
import type { DiffTally } from "./progress/diff-tally.ts";
import { lookAgain } from "./recheck.ts";
import { reportDuplicateId } from "./report-difference.ts";
import { cutRanges, type Strategy, scan } from "./scan.ts";

/** After so many milliseconds, or with so many candidates, what is compared of a range is saved. */
const PART_AGE = 5_000;
const PART_CANDIDATES = 10_000;
/** So many candidates of a collection are looked at again before more is compared: they are kept in memory. */
const MOST_WAITING = 20_000;

export async function compareRanges(job: DiffJob, strategy: Strategy, gate: TaskPool): Promise<void> {
  const { progress } = job;
  if (progress.remaining === undefined) {
    await noteHeld(job);
    progress.begin(await cutRanges(job, strategy));
  }
  const rechecker = new Rechecker(job);
  await eachRange(progress.remaining ?? [], gate, job, (range) =>
    compareRange(job, strategy, range, rechecker),
  );
  job.meter.phase("settling");
  await rechecker.look();
  await reportShortfall(job);
  await assertBothExist(job);
}

async function compareRange(
  job: DiffJob,
  strategy: Strategy,
  range: OpenRange,
  rechecker: Rechecker,
): Promise<void> {
  let part = new DiffPart();
  const commit = async (upTo?: OpenRange["from"]): Promise<void> => {
    // What is saved is of these very collections: a later run does not take it for others of the same name.
    job.progress.commit(range, part, upTo);
    part = new DiffPart();
    if (job.progress.waiting >= MOST_WAITING) await rechecker.look();
  };
  for await (const step of scan(job, strategy, { ...range })) {
    const { position } = step;
    const full = part.age >= PART_AGE || part.candidates.length >= PART_CANDIDATES;
    if (full && position !== undefined && isBound(job, position)) await commit(position);
    else if (part.candidates.length >= MOST_WAITING) {
      job.progress.lookNow(part);
      await rechecker.look();
    }
    await takeStep(job, part, step);
  }
  await commit();
}

async function takeStep(job: DiffJob, { tally, candidates }: DiffPart, step: Step): Promise<void> {
  const { equal, missing, different, extra, duplicateIds, targetDuplicateIds } = step;
  tally.equal += equal.documents;
  tally.equivalent += equal.equivalent ?? 0;
  tally.bytes += 2 * equal.bytes;
  tally.source += equal.documents + missing.length + different.length + duplicateIds.length;
  tally.target += equal.documents + different.length + extra.length + targetDuplicateIds.length;
  for (const source of missing) {
    tally.bytes += source.bytes.length;
    if (isGoneByTime(job, source, undefined)) tally.expired++;
    else candidates.push(candidateOf(source, undefined));
  }
  for (const target of extra) {
    tally.bytes += target.bytes.length;
    if (isGoneByTime(job, undefined, target)) tally.expired++;
    else candidates.push(candidateOf(undefined, target));
  }
  for (const { expected, found } of different) {
    tally.bytes += expected.bytes.length + found.bytes.length;
    const classification = classifyPair(job, expected, found);
    if (isSame(classification)) tally.equal++;
    else candidates.push(candidateOf(expected, found));
    if (classification === "equivalent") tally.equivalent++;
  }
  for (const id of duplicateIds) await takeDuplicateId(job, tally, id, "source");
  for (const id of targetDuplicateIds) await takeDuplicateId(job, tally, id, "target");
  job.meter.advance(equal.documents + missing.length + different.length, equal.bytes);
}

async function takeDuplicateId(
  job: DiffJob,
  tally: DiffTally,
  id: DocumentId,
  side: "source" | "target",
): Promise<void> {
  if (await reportDuplicateId(job, id, side)) tally.duplicateIds++;
  else {
    tally.accepted++;
    // What is written down does not name it, and a later run may not accept it.
    job.progress.forgo();
  }
}

/** Under a filter the other side may well hold it, and otherwise: that is seen when it is looked at by its `_id`. */
function isGoneByTime(job: DiffJob, source: Doc | undefined, target: Doc | undefined): boolean {
  return job.filter === undefined && expiredOn(job, source, target);
}

/** Looks again at what waits for it, never twice at the same time. */
class Rechecker {
  readonly #job: DiffJob;
  readonly #drift: DriftDetector;
  #last: Promise<void> = Promise.resolve();

  constructor(job: DiffJob) {
    this.#job = job;
    this.#drift = new DriftDetector(job);
  }

  async look(): Promise<void> {
    const job = this.#job;
    const turn = this.#last.then(() => lookAgain(job, job.progress.takeCandidates(), this.#drift));
    this.#last = turn.catch(() => undefined); // the caller hears of it
    await turn;
  }
}
