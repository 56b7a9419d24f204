/** A store that does not give all of its documents would make two collections look alike: each is held against its own count. */
import { shortfall } from "../../walk/shortfall.ts";
import type { DiffJob } from "../diff-job.ts";
import { reportOfCollection } from "../report-difference.ts";

const SIDES = ["source", "target"] as const;
type StoreSide = (typeof SIDES)[number];

/** Takes down how many documents each side holds before they are read. */
export async function noteHeld(job: DiffJob): Promise<void> {
  const { tally } = job.progress;
  const held = (side: StoreSide) =>
    job.filter === undefined ? infoOf(job, side).documents : count(job, side);
  [tally.sourceHeld, tally.targetHeld] = await Promise.all([held("source"), held("target")]);
}

/** Reports a side that gave other documents than it counts. */
export async function reportShortfall(job: DiffJob): Promise<void> {
  const { tally } = job.progress;
  for (const side of SIDES) {
    const before = side === "source" ? tally.sourceHeld : tally.targetHeld;
    // Looking up what has one key twice in the source finds the target's document twice.
    if (side === "source" ? tally.source === before : tally.target >= before) continue;
    const { filter, signal } = job;
    const giver = { store: job[side], role: side, collection: infoOf(job, side), filter, before, signal };
    const detail = await shortfall(giver, tally[side]);
    if (detail === undefined) continue;
    const key = `collection ${job.from.name}`;
    await reportOfCollection(job, { key, kind: "unreadable", sigil: "!", detail });
  }
}

function count(job: DiffJob, side: StoreSide): Promise<number> {
  const { filter, signal } = job;
  return job[side].count(infoOf(job, side).name, { filter }, signal);
}

function infoOf({ from, to }: DiffJob, side: StoreSide): DiffJob["from"] {
  return side === "source" ? from : to;
}
