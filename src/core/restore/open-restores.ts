/**
 * Restores that began and did not end. Each has left the store half-way, until it is completed or undone: a later restore of less, or
 * in a weaker mode, does neither.
 */
import { createHash } from "node:crypto";
import type { History, OpenRestore, RestoreScope, RunRecord } from "../../connectors/powers/run-history.ts";
import type { PlannedJob } from "../plan/plan.ts";
import { RESTORE_MODES, type RestoreMode } from "./restore-mode.ts";

/** More than these are not kept: the oldest that are completed go first. */
const KEPT = 100;

/** Those that have left the store half-way. */
export function openRestores({ lastRestore }: History): readonly OpenRestore[] {
  return all(lastRestore).filter(({ completedBy }) => completedBy === undefined);
}

/** What a run that begins must remember of those before it; `run` is that run itself, which may have begun before. */
export function earlierRestores({ lastRestore }: History, run: string): readonly OpenRestore[] {
  return all(lastRestore).filter((one) => one.run !== run);
}

/** After a restore that ended well. */
export function afterRestore(
  earlier: readonly OpenRestore[],
  done: Pick<RunRecord, "run" | "from" | "scope">,
): readonly OpenRestore[] {
  return bounded(
    earlier.map((one) =>
      one.completedBy === undefined && completes(done, one) ? { ...one, completedBy: done.run } : one,
    ),
  );
}

/** Once a restore is taken back, what it had completed is half-way again. */
export function afterUndo(earlier: readonly OpenRestore[], run: string): readonly OpenRestore[] {
  return earlier.map(({ completedBy, ...one }) =>
    completedBy === undefined || completedBy === run ? one : { ...one, completedBy },
  );
}

/** Whether the one, done, leaves nothing as the other left it. */
export function completes(
  done: Pick<RunRecord, "from" | "scope">,
  open: Pick<RunRecord, "from" | "scope">,
): boolean {
  if (done.scope === undefined || open.scope === undefined) return false;
  const strength = strengthOf(done.scope);
  if (strength < strengthOf(open.scope)) return false;
  // What the other has added or replaced stays in a weaker mode, and may be another copy's.
  if (done.from !== open.from && strength < RESTORE_MODES.indexOf("overwrite")) return false;
  const { collections } = done.scope;
  return [...open.scope.collections].every(([name, part]) => {
    const own = collections.get(name);
    return own === "" || (own !== undefined && own === part);
  });
}

export function scopeOf(mode: RestoreMode, jobs: readonly PlannedJob[]): RestoreScope {
  return { mode, collections: new Map(jobs.map((job) => [job.to.name, partOf(job)])) };
}

/** The same text for the same part of a collection, and none for all of it. */
function partOf({ filter, ids }: PlannedJob): string {
  if (filter === undefined && ids === undefined) return "";
  const keys = ids?.map(({ key }) => key).sort();
  return createHash("sha256").update(JSON.stringify({ filter, keys })).digest("hex").slice(0, 16);
}

/** A mode that is not known is stronger than all. */
function strengthOf({ mode }: RestoreScope): number {
  const known = (RESTORE_MODES as readonly string[]).indexOf(mode);
  return known < 0 ? RESTORE_MODES.length : known;
}

function all(last: RunRecord | undefined): readonly OpenRestore[] {
  if (last === undefined) return [];
  const { run, from, since, scope, complete, earlier = [] } = last;
  const itself = complete ? [] : [{ run, from, since, ...(scope === undefined ? {} : { scope }) }];
  return [...earlier.filter((one) => one.run !== run), ...itself];
}

function bounded(restores: readonly OpenRestore[]): readonly OpenRestore[] {
  const completed = restores.filter(({ completedBy }) => completedBy !== undefined);
  const gone = new Set(completed.slice(0, Math.max(0, restores.length - KEPT)));
  return restores.filter((one) => !gone.has(one));
}
