import type { Transferred } from "../../core/copy/transfer.ts";
import type { Losses } from "../../core/progress/losses.ts";
import { bytes as sizeText } from "../../model/size-text.ts";
import { howEqual } from "../../reporting/text/field-order.ts";
import { count, grouped } from "../../reporting/text/format.ts";
import { KEPT_DAYS } from "../../state/undo/undo-format.ts";
import type { UndoJournal } from "../../state/undo/undo-journal.ts";

interface RestoreEnd {
  readonly failed: boolean;
  readonly journal: UndoJournal;
  /** What the documents of the target are compared by. */
  readonly comparedBy: string;
}

/** The sentences at the end of a restore: what was done, how it was verified, what comes next, and the way back. */
export function restoreVerdict(
  { collections }: Transferred,
  losses: Losses,
  { failed, journal, comparedBy }: RestoreEnd,
): string {
  const saved = wayBack(journal);
  if (failed)
    return [
      "Verification failed: the target does not hold what the copy holds. Until it does, no dualsync command copies from it. Run the same command again.",
      ...saved,
    ].join(" ");
  const sum = (pick: (report: Transferred["collections"][number]) => number): number =>
    collections.reduce((total, report) => total + pick(report), 0);
  const [written, unchanged, kept, deleted] = [
    sum((one) => one.written),
    sum((one) => one.unchanged),
    sum((one) => one.kept),
    sum((one) => one.deleted),
  ];
  const parts = [
    `${count(written, "document")} written`,
    `${grouped(unchanged)} unchanged`,
    ...(kept === 0 ? [] : [`${grouped(kept)} left as they are`]),
    ...(deleted === 0 ? [] : [`${grouped(deleted)} removed`]),
  ];
  const proof = `read back and equal ${howEqual(comparedBy, collections)}`;
  const moved = `${parts.join(", ")}; ${proof}`;
  const things = losses.counted === 1 ? "1 thing" : `${losses.counted} things`;
  const done =
    losses.counted === 0
      ? `Restored: ${moved}.`
      : `Restored, but ${things} could not be (named above): ${moved}. Accept a known loss with --accept KEY.`;
  const next =
    "Next: look at the application, then let the nightly runs go on as before; dualsync diff shows in what the two sides differ.";
  return [done, ...onlyInCopy(sum((one) => one.rejected)), next, ...saved].join(" ");
}

/** The next night would make the copy what the target is. */
function onlyInCopy(rejected: number): string[] {
  if (rejected === 0) return [];
  const what = rejected === 1 ? "1 document is as it was" : `${grouped(rejected)} documents are as they were`;
  return [`${what} in the copy alone: see to it before a nightly run brings the copy up to date.`];
}

/** Nothing where nothing was changed. */
function wayBack({ run, saved: { documents, added, bytes } }: UndoJournal): string[] {
  if (documents + added === 0) return [];
  return [
    `dualsync undo ${run} takes this restore back (${sizeText(bytes)} in .dualsync, kept ${KEPT_DAYS} days).`,
  ];
}
