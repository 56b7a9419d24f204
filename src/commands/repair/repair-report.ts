import type { RepairedCollection, RepairResult } from "../../core/repair/repair-result.ts";
import { exitCode } from "../../model/errors.ts";
import type { ChangeReport } from "../../model/reporter.ts";
import { count } from "../../reporting/text/format.ts";
import type { RepairOptions } from "./repair-options.ts";

export function repairReport(
  options: RepairOptions,
  result: RepairResult,
  started: Date,
  saved: readonly string[],
): ChangeReport {
  const { collections, items, itemCount } = result;
  return {
    command: "repair",
    source: options.from.label,
    target: options.to.label,
    started,
    ended: new Date(),
    collections: [...collections].map(([collection, counts]) => ({ collection, ...counts })),
    items: items.map((item) => ({ ...item, accepted: false })),
    itemCount,
    exitCode: exitCode(itemCount > 0 ? "incomplete" : "done"),
    verdict: verdictOf(options, result, saved),
  };
}

function verdictOf(
  { dryRun, delete: deletes }: RepairOptions,
  { collections, itemCount }: RepairResult,
  saved: readonly string[],
): string {
  const sum = (field: keyof RepairedCollection): number =>
    [...collections.values()].reduce((total, counts) => total + counts[field], 0);
  const skipped = sum("skipped");
  const conflicts = sum("conflicts");
  const parts = [
    dryRun
      ? `Dry run: nothing was written. ${count(sum("changed"), "document")} would be repaired.`
      : `Repaired: ${count(sum("changed"), "document")}, read back and equal to the source's.`,
    ...(sum("unchanged") > 0 ? [`${count(sum("unchanged"), "document")} had already been repaired.`] : []),
    ...(conflicts > 0
      ? [
          `${count(conflicts, "document")} changed since the plan was made, or could not be written, and ${were(conflicts)} left alone: compare again.`,
        ]
      : []),
    ...(itemCount > conflicts
      ? [`${count(itemCount - conflicts, "thing")} named above could not be read exactly.`]
      : []),
    ...(skipped > 0 && !deletes
      ? [
          `${count(skipped, "document")} only in the copy ${were(skipped)} kept; --delete removes ${skipped === 1 ? "it" : "them"}.`,
        ]
      : []),
    ...saved,
  ];
  return parts.join(" ");
}

function were(number: number): string {
  return number === 1 ? "was" : "were";
}
