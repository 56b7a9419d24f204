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
      ? `Dry run: nothing was written. ${count(sum("changed"), "document")} would be mended.`
      : `Repaired: ${count(sum("changed"), "document")}, read back and equal to the source's.`,
    ...(sum("unchanged") > 0 ? [`${count(sum("unchanged"), "document")} had been mended already.`] : []),
    ...(conflicts > 0
      ? [
          `${count(conflicts, "document")} had changed since the plan was made, or could not be written, and stay as they are: compare again.`,
        ]
      : []),
    ...(itemCount > conflicts
      ? [`Not all was read exactly: ${itemCount - conflicts} of the things that are named above.`]
      : []),
    ...(skipped > 0 && !deletes
      ? [`${count(skipped, "document")} that only the copy has stay there (--delete).`]
      : []),
    ...saved,
  ];
  return parts.join(" ");
}
