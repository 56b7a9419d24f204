import type { Doc } from "../../document.ts";
import type { DiffJob } from "./diff-job.ts";
import { expiredUnder } from "./expired.ts";

/** Whether the side that lacks the document may have deleted it by a TTL index, under which it is due. */
export function expiredOn(
  { indexesOf, from, to }: Pick<DiffJob, "indexesOf" | "from" | "to">,
  source: Doc | undefined,
  target: Doc | undefined,
): boolean {
  const now = new Date();
  if (source !== undefined && target === undefined)
    return expiredUnder(source.bytes, indexesOf.target, now, to.options);
  if (target !== undefined && source === undefined)
    return expiredUnder(target.bytes, indexesOf.source, now, from.options);
  return false;
}
