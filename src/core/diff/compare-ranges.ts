/** Compares two collections range by range, and then looks again at what differs. */
import type { Doc, DocumentId } from "../../document.ts";
import type { Flights } from "../flights.ts";
import type { OpenRange } from "../progress.ts";
import { isBound } from "../ranges.ts";
import { eachRange } from "../side-by-side.ts";
import { bothMustBeThere } from "../still-there.ts";
import type { Step } from "../walk.ts";
import { alike, isSame } from "./alike.ts";
import type { DiffJob } from "./diff-job.ts";
import { DiffPart } from "./diff-progress.ts";
import type { DiffTally } from "./diff-tally.ts";
import { expiredOn } from "./expired.ts";
import { noteHeld, tellShortfall } from "./held.ts";
import { lookAgain } from "./look-again.ts";
import { cutRanges, scan, type Way } from "./scan.ts";
import { SinceVerified } from "./since.ts";
import { suspectOf } from "./suspect.ts";
import { tellTwin } from "./tell.ts";

/** After so many milliseconds, or with so many suspects, what is compared of a range is taken down. */
const PART_AGE = 5_000;
const PART_SUSPECTS = 10_000;
/** So many suspects of a collection are looked at again before more is compared: they are kept in memory. */
const MOST_WAITING = 20_000;

export async function compareRanges(job: DiffJob, way: Way, gate: Flights): Promise<void> {
  const { progress } = job;
  if (progress.remaining === undefined) {
    await noteHeld(job);
    progress.begin(await cutRanges(job, way));
  }
  const looking = new Looking(job);
  await eachRange(progress.remaining ?? [], gate, job, (range) => compareRange(job, way, range, looking));
  job.meter.phase("settling");
  await looking.look();
  await tellShortfall(job);
  await bothMustBeThere(job);
}

async function compareRange(job: DiffJob, way: Way, range: OpenRange, looking: Looking): Promise<void> {
  let part = new DiffPart();
  const commit = async (upTo?: OpenRange["from"]): Promise<void> => {
    // What is saved is of these very collections: a later run does not take it for others of the same name.
    job.progress.commit(range, part, upTo);
    part = new DiffPart();
    if (job.progress.waiting >= MOST_WAITING) await looking.look();
  };
  for await (const step of scan(job, way, { ...range })) {
    const { position } = step;
    const full = part.age >= PART_AGE || part.suspects.length >= PART_SUSPECTS;
    if (full && position !== undefined && isBound(job.source, position)) await commit(position);
    else if (part.suspects.length >= MOST_WAITING) {
      job.progress.lookNow(part);
      await looking.look();
    }
    await takeStep(job, part, step);
  }
  await commit();
}

async function takeStep(job: DiffJob, { tally, suspects }: DiffPart, step: Step): Promise<void> {
  const { equal, missing, different, extra, twins, targetTwins } = step;
  tally.equal += equal.documents;
  tally.equivalent += equal.equivalent ?? 0;
  tally.bytes += 2 * equal.bytes;
  tally.source += equal.documents + missing.length + different.length + twins.length;
  tally.target += equal.documents + different.length + extra.length + targetTwins.length;
  for (const source of missing) {
    tally.bytes += source.bytes.length;
    if (isGoneByTime(job, source, undefined)) tally.expired++;
    else suspects.push(suspectOf(source, undefined));
  }
  for (const target of extra) {
    tally.bytes += target.bytes.length;
    if (isGoneByTime(job, undefined, target)) tally.expired++;
    else suspects.push(suspectOf(undefined, target));
  }
  for (const { expected, found } of different) {
    tally.bytes += expected.bytes.length + found.bytes.length;
    const likeness = alike(job, expected, found);
    if (isSame(likeness)) tally.equal++;
    else suspects.push(suspectOf(expected, found));
    if (likeness === "equivalent") tally.equivalent++;
  }
  for (const id of twins) await takeTwin(job, tally, id, "source");
  for (const id of targetTwins) await takeTwin(job, tally, id, "target");
  job.meter.advance(equal.documents + missing.length + different.length, equal.bytes);
}

async function takeTwin(
  job: DiffJob,
  tally: DiffTally,
  id: DocumentId,
  side: "source" | "target",
): Promise<void> {
  if (await tellTwin(job, id, side)) tally.twins++;
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
class Looking {
  readonly #job: DiffJob;
  readonly #since: SinceVerified;
  #last: Promise<void> = Promise.resolve();

  constructor(job: DiffJob) {
    this.#job = job;
    this.#since = new SinceVerified(job);
  }

  async look(): Promise<void> {
    const job = this.#job;
    const turn = this.#last.then(() => lookAgain(job, job.progress.takeSuspects(), this.#since));
    this.#last = turn.catch(() => undefined); // the caller hears of it
    await turn;
  }
}
