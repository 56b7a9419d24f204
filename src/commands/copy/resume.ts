import type { Listing } from "../../connectors/collection.ts";
import type { History } from "../../connectors/powers/run-history.ts";
import type { PlannedJob } from "../../core/plan/plan.ts";
import { isWeaker } from "../../core/plan/verify-mode.ts";
import { fromJson, type SavedRun } from "../../core/progress/saved-run.ts";
import type { Resumed } from "../../model/reporter.ts";
import { stalenessReason } from "../run/staleness.ts";
import type { CopyingOptions } from "./copy-options.ts";

/**
 * What an interrupted run of this job has done, if it can be resumed; `explain` gets the reason why not.
 * @throws DualsyncError `local` when the state file is damaged, foreign or newer than this program
 */
export async function findSaved(
  options: CopyingOptions,
  history: History,
  explain: (reason: string) => void,
): Promise<SavedRun | undefined> {
  if (options.restart) return undefined;
  const content = await options.state.read();
  if (content === undefined) return undefined;
  const saved = fromJson(content, options.state.path);
  // The run finished and was killed before it could forget about it.
  if (history.lastRun?.token === saved.token && history.lastRun.complete) return undefined;
  const objection = objectionTo(saved, options, history);
  if (objection === undefined) return saved;
  explain(
    `The interrupted run of ${saved.since.toISOString()} is not resumed: ${objection}. Everything is read again.`,
  );
  return undefined;
}

function objectionTo(saved: SavedRun, options: CopyingOptions, { lastRun }: History): string | undefined {
  if (lastRun?.token !== saved.token) return "another run has written to the target since";
  if (isWeaker(saved.verify, options.verify))
    return `it verified less (--verify ${saved.verify}) than this run`;
  return stalenessReason(saved);
}

/** How much of these jobs the interrupted run has done, in the collections that are still there; undefined when nothing. */
export function resumedOf(
  saved: SavedRun | undefined,
  jobs: readonly PlannedJob[],
  target: Listing,
): Resumed | undefined {
  if (saved === undefined) return undefined;
  const there = new Map(target.collections.map(({ name, uid }) => [name, uid]));
  const wanted = saved.collections.filter(({ name, uids: { source, target } }) =>
    jobs.some(({ from, to }) => from.name === name && from.uid === source && there.get(to.name) === target),
  );
  const sum = (field: "read" | "bytes"): number =>
    wanted.reduce((total, { counts }) => total + counts[field], 0);
  const documents = sum("read");
  return documents === 0 ? undefined : { since: saved.since, documents, bytes: sum("bytes") };
}
