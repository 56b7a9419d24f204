/** Compares two collections once and writes nothing: what adopting a copy would change. */
import { printId } from "../../bson/print-id.ts";
import type { AdoptionPreview } from "../../model/reporter.ts";
import { classified, equivalenceOf } from "../walk/equivalence.ts";
import { chooseStrategy, type ScanJob, scan } from "./scan.ts";

/** Ids that are shown of those that differ. */
const SHOWN = 5;

export async function previewAdoption(job: ScanJob): Promise<AdoptionPreview> {
  const found = { equal: 0, equivalent: 0, different: 0, missing: 0, extra: 0, examples: [] as string[] };
  const strategy = await chooseStrategy(job);
  // Documents of a sequence are looked up one by one here: nobody adopts them as a whole.
  const steps = classified(scan(job, strategy, {}), equivalenceOf(job));
  for await (const { equal, equivalent, different, missing, extra } of steps) {
    found.equal += equal.documents - (equal.equivalent ?? 0);
    found.equivalent += equivalent.length + (equal.equivalent ?? 0);
    found.different += different.length;
    found.missing += missing.length;
    found.extra += extra.length;
    for (const { expected } of different.slice(0, SHOWN - found.examples.length))
      found.examples.push(printId(expected.id.element));
  }
  return found;
}
