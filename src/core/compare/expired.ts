import type { Doc } from "../../model/document.ts";
import type { DiffJob } from "./diff-job.ts";

/**
 * Whether the side that lacks the document may have deleted it by itself, because it is due there. What the copy alone
 * deletes is missing there: the source means to keep it.
 */
export function expiredOn(
  { isDue, now: clock }: Pick<DiffJob, "isDue" | "now">,
  source: Doc | undefined,
  target: Doc | undefined,
): boolean {
  const document = source ?? target;
  if (document === undefined || (source !== undefined && target !== undefined)) return false;
  const now = clock();
  return isDue.source(document, now) && (source === undefined || isDue.target(document, now));
}
