import type { Doc } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import { applyChanges } from "../change/apply-changes.ts";
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
  for (const segment of extras) await removeFrom(job, segment);
}

async function removeFrom(job: Job, segment: Extras): Promise<void> {
  let found = 0;
  let deleted = 0;
  for await (const step of findExtras(job, readOptions(job, segment.range))) {
    found += countExtra(step);
    if (step.extra.length === 0) continue;
    const ids = step.extra.map(({ id }) => id);
    const still = await find(job.source, job.from, ids, job.signal);
    // What the source cannot be asked for is not known to be gone.
    const gone = step.extra.filter(
      (one) => canQuery(job.source, one.id) && !still.has(one.id.key) && job.staysAsExtra?.(one) !== true,
    );
    await assertSourceExists(job);
    job.checksumBuilder?.except(gone.map(({ id }) => id));
    deleted += await remove(job, await unreferred(job, gone));
  }
  job.progress.removed(segment, found, deleted);
}

/** What refers to a document would be deleted or altered with it: such a document stays, and is named. */
async function unreferred(job: Job, documents: readonly Doc[]): Promise<readonly Doc[]> {
  const { target, from, to, losses, signal } = job;
  if (target.references === undefined || documents.length === 0) return documents;
  const ids = documents.map(({ id }) => id);
  const referred = await target.references.referred(to.name, ids, signal);
  const rejected = ids.flatMap((id) => {
    const by = referred.get(id.key);
    return by === undefined ? [] : [{ id, reason: `it was not removed: ${by} refers to it` }];
  });
  losses.addDocuments(from.name, rejected);
  return documents.filter(({ id }) => !referred.has(id.key));
}

/** @returns how many were there, and are seen to be gone */
async function remove(job: Job, documents: readonly Doc[]): Promise<number> {
  const changes = documents.map(({ id, bytes }) => ({ id, bytes: bytes.length, accepts: () => true }));
  const { journaling, altered, signal } = job;
  const outcomes = await applyChanges(job, job.to, changes, { journaling, altered, signal });
  job.losses.addDocuments(
    job.from.name,
    outcomes.flatMap(({ change: { id }, result, reason = "" }) =>
      result === "refused" ? [{ id, reason: `it was not removed: ${reason}` }] : [],
    ),
  );
  return outcomes.filter(({ result }) => result === "changed").length;
}
