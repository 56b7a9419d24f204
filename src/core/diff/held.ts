/** A server whose answers are cut short would make two collections look alike: what it gives is held against its own count. */
import type { CollectionInfo } from "../../connectors/connector.ts";
import type { DiffJob } from "./diff-job.ts";
import type { DiffTally } from "./diff-tally.ts";
import { tellOfCollection } from "./tell.ts";

const SIDES = ["source", "target"] as const;
type Side = (typeof SIDES)[number];

/** Takes down how many documents each side holds before they are read. */
export async function noteHeld(job: DiffJob): Promise<void> {
  const { tally } = job.progress;
  const held = (side: Side) => (job.filter === undefined ? infoOf(job, side).documents : count(job, side));
  [tally.sourceHeld, tally.targetHeld] = await Promise.all([held("source"), held("target")]);
}

/** While documents come and go, a reader may well see fewer than there are at any time: a hundredth, or so many. */
const CHURN = { documents: 100, part: 0.01 };

/**
 * Tells of a side that gave fewer documents than it held before and holds now. Where all is at rest, or documents only
 * came, or only went, that cannot be.
 */
export async function tellShortfall(job: DiffJob): Promise<void> {
  const { tally } = job.progress;
  for (const side of SIDES) {
    const given = tally[side];
    const before = side === "source" ? tally.sourceHeld : tally.targetHeld;
    if (given >= before) continue;
    const now = await count(job, side);
    if (given >= now - (isAtRest(tally, before === now) ? 0 : slackOf(now))) continue;
    await tellOfCollection(job, {
      key: `answers ${job.from.name}`,
      kind: "unreadable",
      sigil: "!",
      detail: `the ${side} gave ${given} documents and counts ${now}: its answers are cut short, or documents came and went meanwhile`,
    });
  }
}

/** Nothing has changed as far as can be seen. */
function isAtRest({ moving, settled, differences }: DiffTally, sameCount: boolean): boolean {
  return sameCount && moving + settled + differences === 0;
}

function slackOf(documents: number): number {
  return Math.max(CHURN.documents, Math.ceil(documents * CHURN.part));
}

function count(job: DiffJob, side: Side): Promise<number> {
  const { filter, signal } = job;
  return job[side].count(infoOf(job, side).name, filter === undefined ? {} : { filter }, signal);
}

function infoOf({ from, to }: DiffJob, side: Side): CollectionInfo {
  return side === "source" ? from : to;
}
