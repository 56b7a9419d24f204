/** Which collections need not be read as a whole, because only what was changed since a time can be missing from the copy. */

import { OVERLAP } from "../../core/copy/check-counts.ts";
import type { PlannedJob } from "../../core/plan/plan.ts";
import type { StoreSnapshot } from "../../core/plan/snapshot.ts";
import type { Since } from "./copy-options.ts";

export interface SinceChosen {
  readonly jobs: readonly PlannedJob[];
  /** Sentences for the plan. */
  readonly notes: readonly string[];
}

/**
 * Limits each job to what was changed since then, where that is safe: the documents say when they were changed, and the last
 * run that finished copied this very collection of the source, with the `uid` that it has now. `documents`: what the source
 * calls them.
 */
export function chooseSince(
  jobs: readonly PlannedJob[],
  since: Since | undefined,
  source: StoreSnapshot,
  target: StoreSnapshot,
  documents: string,
): SinceChosen {
  if (since === undefined) return { jobs, notes: [] };
  const { lastRun } = target.history;
  const last = lastRun?.complete === true && lastRun.from === source.label ? lastRun : undefined;
  if (last === undefined)
    return { jobs, notes: ["No run from this source has finished: everything is read."] };
  // What was changed between the last run and a later date is in no copy.
  const reach = new Date(last.since.getTime() - OVERLAP);
  const time = since === "last" || since > reach ? reach : since;
  const chosen = jobs.map((job): PlannedJob => {
    const known = target.history.collections.get(job.to.name);
    const copied = last.documents.has(job.to.name) && known?.source === job.from.uid;
    return copied && job.from.changedBy !== undefined && known?.source !== undefined
      ? { ...job, since: time, heldBefore: last.documents.get(job.to.name) ?? 0 }
      : job;
  });
  return { jobs: chosen, notes: notesOf(chosen, time, documents) };
}

function notesOf(jobs: readonly PlannedJob[], time: Date, documents: string): string[] {
  const limited = jobs.filter(({ since }) => since !== undefined).map(({ from }) => from.name);
  const whole = jobs.filter(({ since }) => since === undefined).map(({ from }) => from.name);
  return [
    ...(limited.length === 0
      ? []
      : [
          `Only ${documents} changed since ${time.toISOString()} are read of ${limited.join(", ")}. What was changed without a new time, or added with an old one, is missed; a run without --since finds it.`,
        ]),
    ...(whole.length === 0
      ? []
      : [`Read in full, without a time of the last change or a complete copy: ${whole.join(", ")}.`]),
  ];
}
