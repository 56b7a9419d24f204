/** What `repair` and `undo` are about to do, and what they did, as people read it. All expect cleaned text. */

import type { ChangePlan, ChangeReport } from "../../model/reporter.ts";
import { type Cell, type TableColumn, table } from "../text/columns.ts";
import { count, duration, grouped } from "../text/format.ts";
import { wrapped } from "../text/text-width.ts";
import { timeWindow } from "../text/time-window.ts";
import { verdictPaint } from "../text/verdict-paint.ts";
import { itemList } from "./item-list.ts";
import { NOTHING_WRITTEN } from "./plan-text.ts";
import type { TextStyle } from "./text-style.ts";

const PLANNED = ["insert", "replace", "remove"] as const;
const DONE = ["changed", "unchanged", "conflicts", "skipped"] as const;

/** What is going to be changed, ended by a line break. */
export function changePlanText(plan: ChangePlan, style: TextStyle): string {
  const { width, paint } = style;
  const title = `${paint.bold(plan.command)}${plan.dryRun ? " (dry run)" : ""}`;
  const from = plan.source === undefined ? "" : `  from  ${plan.source}\n`;
  const parts = [`${title}\n${from}  to    ${plan.target}\n`];
  parts.push(
    plan.collections.length === 0
      ? "There is nothing to change.\n"
      : changeTable(plan.collections, PLANNED, style),
  );
  if (plan.notes.length > 0) {
    parts.push(plan.notes.map((note) => `${wrapped(note, width)}\n`).join(""));
  }
  if (plan.dryRun) {
    parts.push(`${paint.bold(`Dry run: the above is what would happen. ${NOTHING_WRITTEN}`)}\n`);
  }
  return parts.join("\n");
}

/** The result, ended by a line break; the verdict is the last line. */
export function changedText(report: ChangeReport, style: TextStyle): string {
  const { paint } = style;
  const parts = [];
  if (report.collections.length > 0) {
    parts.push(changeTable(report.collections, DONE, style));
  }
  if (report.itemCount > 0) {
    parts.push(itemList("Left unchanged", report.items, report.itemCount, paint));
  }
  const changed = report.collections.reduce((sum, collection) => sum + collection.changed, 0);
  const time = duration(report.ended.getTime() - report.started.getTime());
  const effort = `${count(changed, "document")} changed in ${time}; ${timeWindow(report.started, report.ended)}.`;
  parts.push(`${wrapped(effort, style.width)}\n${verdictPaint(report.exitCode, paint)(report.verdict)}\n`);
  return parts.join("\n");
}

/** A row for each collection and a total; the headings are the names of the fields. */
function changeTable<Field extends string>(
  collections: readonly ({ readonly collection: string } & { readonly [Each in Field]: number })[],
  fields: readonly Field[],
  { width, paint }: TextStyle,
): string {
  const columns: TableColumn[] = [
    { heading: "collection", align: "left", cut: true },
    ...fields.map((heading): TableColumn => ({ heading, align: "right" })),
  ];
  const rows: (Cell | string)[][] = collections.map((of) => [
    of.collection,
    ...fields.map((field) => grouped(of[field])),
  ]);
  const sums = fields.map((field) => grouped(collections.reduce((sum, of) => sum + of[field], 0)));
  rows.push(["total", ...sums].map((text) => ({ text, paint: paint.bold })));
  return table(columns, rows, { width, heading: paint.dim });
}
