/** Whether a target holds all of a collection of which only the changes were read. */
import type { Job } from "./job.ts";

/**
 * A run that reads what was changed since the last one begins so much before it, in milliseconds: clocks differ, and
 * what is committed late bears an earlier time.
 */
export const OVERLAP = 5 * 60 * 1000;

/** Documents of both sides at one time. */
export interface CountsAtOnce {
  readonly at: Date;
  readonly source: number;
  readonly target: number;
}

export async function countBoth({ source, target, from, to, signal }: Job): Promise<CountsAtOnce> {
  const at = new Date();
  const [there, here] = await Promise.all([
    source.count(from.name, {}, signal),
    target.count(to.name, {}, signal),
  ]);
  return { at, source: there, target: here };
}

/**
 * What the target lacks although it was not changed is not found by reading what was. It is seen by the numbers: by what
 * the target held when the last run ended, and by what the source holds except what the next run will read anyway.
 * Names it as a loss. `before`: when this run began.
 */
export async function checkCounts(job: Job, before: CountsAtOnce): Promise<boolean> {
  const { source, target } = await countBoth(job);
  const lost = (job.heldBefore ?? 0) - before.target;
  const lacking = Math.min(before.source, source) - target;
  const lacks = lacking > 0 && lacking > (await countMoving(job, before.at));
  if (!lacks && lost <= 0) return true;
  const what = lacks
    ? `holds ${target} of ${source} documents`
    : `has lost ${lost} documents since the last run`;
  job.losses.add(
    `collection ${job.from.name}`,
    `everything changed since ${job.since?.toISOString()} was copied, but the target ${what}: the next run reads everything`,
  );
  return false;
}

/** On a busy source some come and go while it is read. */
async function countMoving({ source, from, signal }: Job, begun: Date): Promise<number> {
  return (await source.changes?.count(from, new Date(begun.getTime() - OVERLAP), signal)) ?? 0;
}
