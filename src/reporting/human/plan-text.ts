import type { AdoptionPreview, Plan, PlannedCollection } from "../../model/reporter.ts";
import { bytes } from "../../model/size-text.ts";
import { type Cell, type TableColumn, table } from "../text/columns.ts";
import { grouped } from "../text/format.ts";
import { wrapped } from "../text/text-width.ts";
import { minute } from "../text/time-window.ts";
import { briefRows, commonText, moreRows, othersName } from "./brief-rows.ts";
import { restoreTable } from "./restore-table.ts";
import { collectionName, NO_NUMBER, type TextStyle } from "./text-style.ts";

/** Stands at the end of the plan of a dry run, word for word: scripts look for it. */
export const NOTHING_WRITTEN = "Nothing was written.";

const COLUMNS: readonly TableColumn[] = [
  { heading: "collection", align: "left", cut: true },
  { heading: "documents", align: "right" },
  { heading: "size", align: "right" },
  { heading: "on the target", align: "left" },
];

/** The plan as people read it, ended by a line break. Expects cleaned text. */
export function planText(plan: Plan, style: TextStyle): string {
  const { width, paint } = style;
  const title = `${paint.bold(plan.command)}${plan.dryRun ? " (dry run)" : ""}`;
  const isRestore = plan.collections.some(({ restore }) => restore !== undefined);
  const shown = isRestore ? restoreTable(plan.collections, style) : planTable(plan, style);
  const parts = [`${title}\n  from  ${plan.source}\n  to    ${plan.target}\n`, shown];
  if (plan.notCopied.length > 0) {
    const list = plan.notCopied.map(({ name, reason }) => wrapped(`  ${name}: ${reason}`, width, "    "));
    const heading = plan.command === "restore" ? "Not restored:" : "Not copied:";
    parts.push([heading, ...list, ""].join("\n"));
  }
  const growth = plan.estimatedTargetBytes;
  const size = growth > 0 ? `about ${bytes(growth)}` : "no more than now";
  const notes = [...resumedNote(plan), `Estimated size on the target: ${size}.`, ...plan.notes];
  parts.push(notes.map((note) => `${wrapped(note, width)}\n`).join(""));
  if (plan.statements !== undefined)
    parts.push(
      ["Run this first, after reading it, in the SQL editor:", "", ...plan.statements, ""].join("\n"),
    );
  if (plan.dryRun) {
    parts.push(`${paint.bold(`Dry run: the above is what would happen. ${NOTHING_WRITTEN}`)}\n`);
  }
  return parts.join("\n");
}

function resumedNote({ resumed }: Plan): string[] {
  if (resumed === undefined) return [];
  const since = minute(resumed.since);
  return [
    `Resumes the interrupted run of ${since} UTC: ${grouped(resumed.documents)} documents (${bytes(resumed.bytes)}) are already copied and verified, and are not read again.`,
  ];
}

function planTable({ collections, documents, bytes: size }: Plan, style: TextStyle): string {
  const { width, paint } = style;
  if (collections.length === 0) {
    return "There is no collection to copy.\n";
  }
  const brief = briefRows(collections, ({ found }) => found !== undefined, style);
  const { shown, others } = brief;
  const rows: (Cell | string)[][] = shown.map((planned) => [
    collectionName(planned.source, planned.target),
    planned.documents === undefined ? NO_NUMBER : grouped(planned.documents),
    planned.bytes === undefined ? NO_NUMBER : bytes(planned.bytes),
    action(planned),
  ]);
  if (others.length > 0) {
    const sum = (of: (one: PlannedCollection) => number | undefined): number =>
      others.reduce((total, one) => total + (of(one) ?? 0), 0);
    const actions = commonText(others.map(({ action }) => action));
    const sums = [grouped(sum((one) => one.documents)), bytes(sum((one) => one.bytes))];
    rows.push([othersName(others, shown), ...sums, actions]);
  }
  rows.push(["total", grouped(documents), bytes(size), ""].map((text) => ({ text, paint: paint.bold })));
  return table(COLUMNS, rows, { width, heading: paint.dim }) + moreRows(brief, paint);
}

function action(planned: PlannedCollection): string {
  const kind = planned.kind === "sequence" ? `, ${planned.type}` : "";
  switch (planned.action) {
    case "create":
      return `create${kind}`;
    case "fill":
      return `fill${kind} (empty now)`;
    case "update":
      return planned.found === undefined
        ? `update${kind} (holds ${grouped(planned.targetDocuments)})`
        : `adopt${kind} (${foundText(planned.found)})`;
    case "define":
      return `define ${planned.type}`;
  }
}

function foundText({ equal, equivalent, different, extra }: AdoptionPreview): string {
  const others = equivalent === 0 ? "" : `${grouped(equivalent)} equivalent, `;
  return `${grouped(equal)} equal, ${others}${grouped(different)} differ, ${grouped(extra)} only in the target`;
}
