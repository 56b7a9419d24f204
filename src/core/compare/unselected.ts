import type { Filter } from "../../connectors/collection.ts";
import { DualsyncError } from "../../model/errors.ts";
import { find } from "../walk/lookup.ts";
import { readOnce } from "../walk/read-once.ts";
import { emptyStep, type Step } from "../walk/walk.ts";
import { type DiffJob, readOptions } from "./diff-job.ts";

type FilteredJob = Pick<DiffJob, "source" | "target" | "from" | "to" | "signal"> & {
  readonly filter: Filter;
};

/**
 * Documents that the filter selects in the target, and that the source holds otherwise, so that it does not select them
 * there: looking up what is selected in the source finds none of them, and none is lacking there.
 */
export async function* findUnselected(job: FilteredJob): AsyncGenerator<Step> {
  const { source, target, from, to, filter, signal } = job;
  for await (const batch of readOnce(target, to, readOptions(job, undefined))) {
    const documents = batch.docs();
    const ids = documents.map(({ id }) => id);
    const there = await find(source, from, ids, signal);
    const different = documents.filter(({ id, bytes }) => {
      const found = there.get(id.key);
      return found !== undefined && Buffer.compare(found.bytes, bytes) !== 0;
    });
    const step = emptyStep();
    if (different.length > 0) {
      const asked = different.map(({ id }) => id);
      if (source.filters === undefined)
        throw new DualsyncError("bug", `${source.label} takes filters and cannot say what they select.`);
      const selected = await source.filters.among(from, filter, asked, signal);
      step.extra.push(...different.filter(({ id }) => !selected.has(id.key)));
    }
    yield step;
  }
}
