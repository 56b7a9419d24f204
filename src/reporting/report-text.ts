import type { ChalkInstance } from "chalk";
import { type Cell, type Column, table } from "./columns.ts";
import { bytes, count, duration, grouped, rate } from "./format.ts";
import { collectionName, NO_NUMBER, type TextStyle } from "./plan-text.ts";
import type { CollectionReport, Item, RunReport, Verdict } from "./reporter.ts";
import { type Totals, totals } from "./totals.ts";

/** More items than this are counted, not listed. */
const SHOWN_ITEMS = 50;

type NumberColumn = readonly [heading: string, field: keyof Totals];

const ALWAYS: readonly NumberColumn[] = [
  ["read", "read"],
  ["written", "written"],
  ["unchanged", "unchanged"],
  ["set\naside", "setAside"],
];
const WHEN_ANY: readonly NumberColumn[] = [
  ["deleted", "deleted"],
  ["extra", "extra"],
  ["changed", "changed"],
];
const COUNTED: readonly NumberColumn[] = [
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
    parts.push(itemList(report, style.paint));
  }
  parts.push(`${effort(report)}\n${verdictPaint(report.exitCode, style.paint)(report.verdict)}\n`);
  return parts.join("\n");
}

function resultTable(collections: readonly CollectionReport[], { width, paint }: TextStyle): string {
  const sums = totals(collections);
  const numbers = [...ALWAYS, ...WHEN_ANY.filter(([, field]) => sums[field] !== 0), ...COUNTED];
  const columns: Column[] = [
    { heading: "collection", align: "left", cut: true },
    ...numbers.map(([heading]): Column => ({ heading, align: "right" })),
    { heading: "verdict", align: "left" },
  ];
  const cells = (of: Totals) => numbers.map(([, field]) => number(of[field]));
  const rows: (Cell | string)[][] = collections.map((collection) => [
    collectionName(collection.collection, collection.target),
    ...(collection.kind === "view" ? numbers.map(() => NO_NUMBER) : cells(collection)),
    { text: collection.verdict, paint: collectionPaint(collection.verdict, paint) },
  ]);
  rows.push(["total", ...cells(sums), ""].map((text) => ({ text, paint: paint.bold })));
  return table(columns, rows, { width, heading: paint.dim });
}

function number(value: number | undefined): string {
  return value === undefined ? NO_NUMBER : grouped(value);
}

/** What was not accepted comes first: a known exception must not push a new loss out of sight. */
function itemList(report: RunReport, paint: ChalkInstance): string {
  const items = [
    ...report.items.filter((item) => !item.accepted),
    ...report.items.filter((item) => item.accepted),
  ];
  const shown = items.slice(0, SHOWN_ITEMS);
  const lines = [
    paint.bold(`Set aside or not reproduced: ${grouped(report.itemCount)}`),
    ...shown.map((item) => itemLine(item, paint)),
  ];
  if (report.itemCount > shown.length) {
    lines.push(`  and ${grouped(report.itemCount - shown.length)} more`);
  }
  return `${lines.join("\n")}\n`;
}

function itemLine(item: Item, paint: ChalkInstance): string {
  const line = `${item.key}: ${item.reason}`;
  return item.accepted ? `  ${paint.dim(`(accepted) ${line}`)}` : `  ${line}`;
}

/** How much was read by this run, in what time; and by the interrupted ones that it goes on with. */
function effort(report: RunReport): string {
  const { resumed } = report;
  const read = totals(report.collections).read - (resumed?.documents ?? 0);
  const size = report.bytes - (resumed?.bytes ?? 0);
  const milliseconds = report.ended.getTime() - report.started.getTime();
  const speed = milliseconds >= 1000 ? `, ${rate((read * 1000) / milliseconds)}` : "";
  const [from = "", to = ""] = [resumed?.since ?? report.started, report.ended].map(moment);
  const end = from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to;
  const before =
    resumed === undefined
      ? ""
      : `\nNot read again: ${count(resumed.documents, "document")} (${bytes(resumed.bytes)}) that an interrupted run had copied and proved.`;
  return `${count(read, "document")} read (${bytes(size)}) in ${duration(milliseconds)}${speed}; ${from} to ${end} UTC.${before}`;
}

/** "2026-11-21 15:05:24" */
function moment(time: Date): string {
  return time.toISOString().slice(0, 19).replace("T", " ");
}

function verdictPaint(exitCode: number, paint: ChalkInstance): (text: string) => string {
  if (exitCode === 0) {
    return paint.bold.green;
  }
  return exitCode === 1 || exitCode === 3 ? paint.bold.yellow : paint.bold.red;
}

function collectionPaint(verdict: Verdict, paint: ChalkInstance): (text: string) => string {
  switch (verdict) {
    case "verified":
      return paint.green;
    case "failed":
      return paint.red;
    case "set aside":
    case "not verified":
      return paint.yellow;
    default:
      return (text) => text;
  }
}
