import type { Doc } from "../../document.ts";
import type { DiffJob } from "./diff-job.ts";
import { expiredUnder } from "./expired.ts";

/**
 * Whether the side that lacks the document may have deleted it by a TTL index, under which it is due. What the copy alone
 * deletes is missing there: the source means to keep it.
 */
export function expiredOn(
  { indexesOf, from, to, now: clock }: Pick<DiffJob, "indexesOf" | "from" | "to" | "now">,
  source: Doc | undefined,
  target: Doc | undefined,
): boolean {
  const document = source ?? target;
  if (document === undefined || (source !== undefined && target !== undefined)) return false;
  const now = clock();
  const dueInSource = expiredUnder(document.bytes, indexesOf.source, now, from.options);
  return (
    dueInSource && (source === undefined || expiredUnder(document.bytes, indexesOf.target, now, to.options))
  );
}
