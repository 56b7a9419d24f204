import { toOrdered } from "../../bson/ordered.ts";
import type { Filter } from "../../connectors/contract.ts";
import type { Doc } from "../../model/document.ts";
import { emptyStep, type Step } from "../walk/walk.ts";
import { type DiffJob, readOptions } from "./diff-job.ts";

/** Ids in one question. */
const AT_ONCE = 1_000;

type FilteredJob = Pick<DiffJob, "source" | "target" | "from" | "to" | "signal"> & {
  readonly filter: Filter;
};

/**
 * Documents that the filter selects in the target, and that the source holds otherwise, so that it does not select them
 * there: looking up what is selected in the source finds none of them, and none is lacking there.
 */
export async function* findUnselected(job: FilteredJob): AsyncGenerator<Step> {
  const { source, target, from, to, signal } = job;
  for await (const batch of target.read(to, readOptions(job, undefined))) {
    const documents = batch.docs();
    const ids = documents.map(({ id }) => id);
    const there = await source.find(from.name, ids, signal);
    const different = documents.filter(({ id, bytes }) => {
      const found = there.get(id.key);
      return found !== undefined && Buffer.compare(found.bytes, bytes) !== 0;
    });
    const step = emptyStep();
    for (let at = 0; at < different.length; at += AT_ONCE) {
      const some = different.slice(at, at + AT_ONCE);
      const selected = await selectedInSource(job, some);
      step.extra.push(...some.filter(({ id }) => !selected.has(id.key)));
    }
    yield step;
  }
}

/** Which of them the source selects, by the keys of their ids. */
async function selectedInSource(job: FilteredJob, documents: readonly Doc[]): Promise<ReadonlySet<string>> {
  const { source, from, filter, signal } = job;
  const ids = documents.map(({ bytes }) => toOrdered(bytes).get("_id") ?? null);
  const among: Filter = new Map([["$and", [filter, new Map([["_id", new Map([["$in", ids]])]])]]]);
  const keys = new Set<string>();
  for await (const batch of source.read(from, { filter: among, signal }))
    for (const { id } of batch.docs()) keys.add(id.key);
  return keys;
}
