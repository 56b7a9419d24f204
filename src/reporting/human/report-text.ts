import type { ChalkInstance } from "chalk";
import type { CollectionReport, RunReport, Verdict } from "../../model/reporter.ts";
import { bytes } from "../../model/size-text.ts";
import { type Cell, type TableColumn, table } from "../text/columns.ts";
import { count, duration, grouped, rate } from "../text/format.ts";
import { timeWindow } from "../text/time-window.ts";
import { type Totals, totals } from "../text/totals.ts";
import { verdictPaint } from "../text/verdict-paint.ts";
import { briefRows, commonText, moreRows, othersName } from "./brief-rows.ts";
import { itemList } from "./item-list.ts";
import { collectionName, NO_NUMBER, type TextStyle } from "./text-style.ts";

/** Of the list of losses, where nothing is copied. */
const HEADINGS: Readonly<Record<string, string>> = { restore: "Could not be restored" };

type ReportColumn = readonly [heading: string, field: keyof Totals];

const ALWAYS: readonly ReportColumn[] = [
  ["read", "read"],
  ["written", "written"],
  ["unchanged", "unchanged"],
  ["not\ncopied", "rejected"],
];
const WHEN_ANY: readonly ReportColumn[] = [
  ["equi-\nvalent", "equivalent"],
  ["left as\nthey are", "kept"],
  ["deleted", "deleted"],
  ["extra", "extra"],
  ["changed", "changed"],
];
const COUNTED: readonly ReportColumn[] = [
  ["source\ncount", "sourceCount"],
  ["target\ncount", "targetCount"],
];

/** The result as people read it, ended by a line break; the verdict is the last line. Expects cleaned text. */
export function reportText(report: RunReport, style: TextStyle): string {
  const parts = [];
  if (report.collections.length > 0) {
    parts.push(resultTable(report.collections, style));
  }
  if (report.itemCount > 0) {
    parts.push(
      itemList(
        HEADINGS[report.command] ?? "Could not be copied",
        report.items,
        report.itemCount,
        style.paint,
      ),
    );
  }
  parts.push(`${effort(report)}\n${verdictPaint(report.exitCode, style.paint)(report.verdict)}\n`);
  return parts.join("\n");
}

/** Verdicts of collections with which everything is as it should be. */
const FINE: ReadonlySet<Verdict> = new Set<Verdict>(["verified", "counts match", "defined"]);

function resultTable(collections: readonly CollectionReport[], style: TextStyle): string {
  const { width, paint } = style;
  const sums = totals(collections);
  const numbers = [...ALWAYS, ...WHEN_ANY.filter(([, field]) => sums[field] !== 0), ...COUNTED];
  const columns: TableColumn[] = [
    { heading: "collection", align: "left", cut: true },
    ...numbers.map(([heading]): TableColumn => ({ heading, align: "right" })),
    { heading: "verdict", align: "left" },
  ];
  const cells = (of: Totals) => numbers.map(([, field]) => number(of[field]));
  const brief = briefRows(collections, ({ verdict }) => !FINE.has(verdict), style);
  const { shown, others } = brief;
  const rows: (Cell | string)[][] = shown.map((collection) => [
    collectionName(collection.collection, collection.target),
    ...(collection.kind === "definition" ? numbers.map(() => NO_NUMBER) : cells(collection)),
    { text: collection.verdict, paint: collectionPaint(collection.verdict, paint) },
  ]);
  if (others.length > 0) {
    const verdict = commonText(others.map((one) => one.verdict));
    rows.push([othersName(others, shown), ...cells(totals(others)), { text: verdict, paint: paint.green }]);
  }
  rows.push(["total", ...cells(sums), ""].map((text) => ({ text, paint: paint.bold })));
  return table(columns, rows, { width, heading: paint.dim }) + moreRows(brief, paint);
}

function number(value: number | undefined): string {
  return value === undefined ? NO_NUMBER : grouped(value);
}

/** How much was read by this run, in what time; and by the interrupted runs that it resumes. */
function effort(report: RunReport): string {
  const { resumed } = report;
  const read = totals(report.collections).read - (resumed?.documents ?? 0);
  const size = report.bytes - (resumed?.bytes ?? 0);
  const milliseconds = report.ended.getTime() - report.started.getTime();
  const speed = milliseconds >= 1000 ? `, ${rate((read * 1000) / milliseconds)}` : "";
  const window = timeWindow(resumed?.since ?? report.started, report.ended);
  const before =
    resumed === undefined
      ? ""
      : `\nNot read again: ${count(resumed.documents, "document")} (${bytes(resumed.bytes)}) that an interrupted run had copied and verified.`;
  return `${count(read, "document")} read (${bytes(size)}) in ${duration(milliseconds)}${speed}; ${window}.${before}`;
}

function collectionPaint(verdict: Verdict, paint: ChalkInstance): (text: string) => string {
  switch (verdict) {
    case "verified":
      return paint.green;
    case "failed":
      return paint.red;
    case "incomplete":
    case "not verified":
      return paint.yellow;
    default:
      return (text) => text;
  }
}
