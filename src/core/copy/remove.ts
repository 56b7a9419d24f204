import type { Doc, DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import { applyChanges } from "../change/apply-changes.ts";
import type { Change, Outcome } from "../change/change.ts";
import { isShrunken, shrinkError } from "../plan/shrink.ts";
import type { Extras } from "../progress/progress.ts";
import { canQuery, find } from "../walk/lookup.ts";
import { findExtras } from "../walk/merge-or-look-up.ts";
import { countExtra } from "../walk/walk.ts";
import { type Job, readOptions } from "./job.ts";
import { assertSourceExists } from "./still-there.ts";

/**
 * Removes from the target what the source no longer has. Runs only after the whole collection was read without any
 * error; each id is asked for again at the source, without any filter, right before it is removed.
 */
export async function removeExtras(job: Job): Promise<void> {
  await assertMayRemove(job);
  for (const segment of job.progress.extras) {
    let [found, deleted] = [0, 0];
    for await (const step of extrasOf(job, segment)) {
      found += step.found;
      deleted += await remove(job, step.gone);
    }
    job.progress.removed(segment, found, deleted);
  }
}

/** @throws DualsyncError `refused` where so much would go that a fault of the source is likelier than a wish */
export async function assertMayRemove(job: Job): Promise<void> {
  const { extras, tally } = job.progress;
  if (extras.length === 0) return;
  const held = job.since === undefined ? tally.read : await job.source.count(job.from.name, {}, job.signal);
  if (held === 0) {
    job.progress.forget();
    throw new DualsyncError(
      "refused",
      `${JSON.stringify(job.from.name)} was empty when the source was read: --delete would remove all of it from the target.`,
      {
        hint: "Nothing was removed from it. If this is intended, drop the collection on the target by hand.",
      },
    );
  }
  // Where some of them stay, whoever planned the run has counted the others.
  const isCounted = job.staysAsExtra !== undefined;
  if (!job.allowShrink && !isCounted && isShrunken(held, held + tally.extra)) {
    job.progress.forget();
    throw shrinkError(job.from.name, held, held + tally.extra, "Nothing was removed from it.");
  }
}

/** What only the target has, and is to go. */
export interface ExtrasStep {
  /** Documents that only the target has, those included that stay. */
  readonly found: number;
  readonly gone: readonly Doc[];
}

export async function* extrasOf(job: Job, { range }: Extras): AsyncGenerator<ExtrasStep> {
  for await (const step of findExtras(job, readOptions(job, range))) {
    const found = countExtra(step);
    if (step.extra.length === 0) {
      yield { found, gone: [] };
      continue;
    }
    const ids = step.extra.map(({ id }) => id);
    const still = await find(job.source, job.from, ids, job.signal);
    // What the source cannot be asked for is not known to be gone.
    const gone = step.extra.filter(
      (one) => canQuery(job.source, one.id) && !still.has(one.id.key) && job.staysAsExtra?.(one) !== true,
    );
    await assertSourceExists(job);
    job.checksumBuilder?.except(gone.map(({ id }) => id));
    yield { found, gone };
  }
}

/** @returns how many were there, and are seen to be gone */
async function remove(job: Job, documents: readonly Doc[]): Promise<number> {
  const changes = documents.map(({ id, bytes }) => removalOf(job, id, bytes.length));
  const { journaling, altered, signal } = job;
  const outcomes = await applyChanges(job, job.to, changes, { journaling, altered, signal });
  nameLeft(job, outcomes);
  return outcomes.filter(({ result }) => result === "changed").length;
}

/** What was changed since it was looked at may stay by what it is now. */
export function removalOf(
  { staysAsExtra }: Pick<Job, "staysAsExtra">,
  id: DocumentId,
  bytes?: number,
): Change {
  return { id, bytes, accepts: (found) => found === undefined || staysAsExtra?.(found) !== true };
}

/** Those that should be gone and are not. */
export function nameLeft(job: Job, outcomes: readonly Outcome[]): void {
  job.losses.addDocuments(
    job.from.name,
    outcomes.flatMap(({ change: { id }, result, reason = "" }) =>
      result === "refused" ? [{ id, reason: `it was not removed: ${reason}` }] : [],
    ),
  );
}
