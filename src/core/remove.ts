import type { IdRange } from "../connectors/connector.ts";
import { DualsyncError } from "../errors.ts";
import { type Job, readOptions } from "./job.ts";
import { findExtras, merge } from "./walk.ts";

/**
 * Removes from these ranges of the target what the source no longer has. Runs only after the whole collection was read
 * without any error; each id is asked for again at the source, without any filter, right before it is removed.
 */
export async function removeExtras(job: Job, ranges: readonly IdRange[]): Promise<void> {
  if (ranges.length > 0 && job.tally.read === 0) {
    throw new DualsyncError(
      "refused",
      `${JSON.stringify(job.from.name)} came out empty from the source: --delete would remove everything that the target holds of it.`,
      {
        hint: "Nothing was removed from it. If that is meant, drop the collection on the target by hand.",
      },
    );
  }
  for (const range of ranges) {
    const options = readOptions(job, range);
    const target = job.target.read(job.to, options);
    const steps = job.from.ordered
      ? merge(job.source.read(job.from, options), target)
      : findExtras(target, job.source, job.from.name, job.signal);
    for await (const step of steps) {
      if (step.extra.length === 0) continue;
      const still = await job.source.find(job.from.name, step.extra, job.signal);
      // What the source cannot be asked for is not known to be gone.
      const gone = step.extra.filter((id) => job.source.canFind(id) && !still.has(id.key));
      job.tally.deleted += await job.target.remove(job.to.name, gone, job.signal);
    }
  }
}
