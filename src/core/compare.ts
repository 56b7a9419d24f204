/** Compares two collections and writes nothing. */
import { printId } from "../bson/print-id.ts";
import type { ReadOptions, Source } from "../connectors/connector.ts";
import type { Found } from "../reporting/reporter.ts";
import type { PlannedJob } from "./plan.ts";
import { findExtras, lookUpEach, merge, type Step } from "./walk.ts";

/** Ids that are shown of those that differ. */
const SHOWN = 5;

export async function compare(
  source: Source,
  target: Source,
  { from, to, filter }: PlannedJob,
  signal: AbortSignal,
): Promise<Found> {
  const found = { equal: 0, different: 0, missing: 0, extra: 0, examples: [] as string[] };
  const options: ReadOptions = { signal, ...(filter === undefined ? {} : { filter }) };
  const count = (step: Step): void => {
    found.equal += step.equal.documents;
    found.different += step.different.length;
    found.missing += step.missing.length;
    found.extra += step.extra.length;
    for (const { expected } of step.different.slice(0, SHOWN - found.examples.length))
      found.examples.push(printId(expected.id.element));
  };
  const documents = source.read(from, options);
  if (from.ordered && from.kind === "collection") {
    for await (const step of merge(documents, target.read(to, options))) count(step);
    return found;
  }
  for await (const step of lookUpEach(documents, target, to.name, signal)) count(step);
  for await (const step of findExtras(target.read(to, options), source, from.name, signal)) count(step);
  return found;
}
