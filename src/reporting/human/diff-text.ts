/** What is going to be compared, and what came out of it, as people read it. All expect cleaned text. */
import type { ChalkInstance } from "chalk";
import type { ComparedCollection, ComparedVerdict, Comparison, DiffReport } from "../../model/reporter.ts";
import { bytes } from "../../model/size-text.ts";
import { expectedComparison } from "../progress/expected.ts";
import { type Cell, type TableColumn, table } from "../text/columns.ts";
import {
  type ComparedNumber,
  type ComparedTotals,
  comparedTable,
  comparedTotals,
} from "../text/compared-totals.ts";
import { namesInAnyFieldOrder } from "../text/field-order.ts";
import { count, duration, grouped, rate } from "../text/format.ts";
import { wrapped } from "../text/text-width.ts";
import { howCompared } from "../text/tier-words.ts";
import { moment, timeWindow } from "../text/time-window.ts";
import { verdictPaint } from "../text/verdict-paint.ts";
import { briefRows, commonText, moreRows, othersName } from "./brief-rows.ts";
import { collectionName, NO_NUMBER, type TextStyle } from "./text-style.ts";

/** Headings of numbers; all others have their own names. */
const HEADINGS: { readonly [Field in ComparedNumber]?: string } = {
  sourceDocuments: "source",
  targetDocuments: "target",
  missing: "only in\nsource",
  extra: "only in\ntarget",
  changed: "differ",
  metadata: "meta-\ndata",
};

/** What is going to be compared, ended by a line break. */
export function comparisonText(comparison: Comparison, style: TextStyle): string {
  const { width, paint } = style;
  const title = paint.bold(comparison.command);
  const parts = [`${title}\n  from  ${comparison.source}\n  to    ${comparison.target}\n`];
  const notes = [size(comparison), ...resumedNote(comparison), ...comparison.notes];
  parts.push(notes.map((note) => `${wrapped(note, width)}\n`).join(""));
  if (comparison.notCompared.length > 0) {
    parts.push(notComparedList(comparison.notCompared, style));
  }
  return parts.join("\n");
}

/** The result, ended by a line break; the verdict is the last line. */
export function comparedText(report: DiffReport, style: TextStyle): string {
  const parts = [];
  if (report.collections.length > 0) {
    parts.push(resultTable(report.collections, style));
  }
  if (report.notCompared.length > 0) {
    parts.push(notComparedList(report.notCompared, style));
  }
  const verdict = verdictPaint(report.exitCode, style.paint)(report.verdict);
  parts.push(`${effort(report, style)}${verdict}\n`);
  return parts.join("\n");
}

function size(comparison: Comparison): string {
  const stored = comparison.collections.filter(({ kind }) => kind !== "definition");
  const [definition, ...more] = comparison.collections.filter(({ kind }) => kind === "definition");
  const { documents } = expectedComparison(comparison);
  const total = stored.reduce((sum, collection) => sum + (collection.bytes ?? 0), 0);
  const about = `about ${count(documents, "document")}${total > 0 ? ` (${bytes(total)})` : ""}`;
  const also = definition === undefined ? "" : `; ${count(more.length + 1, definition.type)}`;
  return `Compares ${count(stored.length, "collection")}, ${about}${also}.`;
}

function resumedNote({ resumedSince }: Comparison): string[] {
  if (resumedSince === undefined) return [];
  const since = moment(resumedSince).slice(0, 16);
  return [`Resumes the interrupted comparison of ${since} UTC: what it compared is not read again.`];
}

interface NotCompared {
  readonly name: string;
  readonly reason: string;
  readonly chosen?: boolean;
}

/** What nobody chose comes first. */
function notComparedList(all: readonly NotCompared[], { width, paint }: TextStyle): string {
  const unchosen = all.filter(({ chosen }) => chosen !== true);
  const lines = unchosen.map(({ name, reason }) => wrapped(`  ${name}: ${reason}`, width, "    "));
  const chosen = all.filter(({ chosen }) => chosen === true);
  lines.push(
    ...chosen.map(({ name, reason }) =>
      paint.dim(wrapped(`  (your choice) ${name}: ${reason}`, width, "    ")),
    ),
  );
  return `${["Not compared:", ...lines].join("\n")}\n`;
}

function resultTable(collections: readonly ComparedCollection[], style: TextStyle): string {
  const { width, paint } = style;
  const { numbers, hasWays, wayOf, total } = comparedTable(collections);
  const brief = briefRows(collections, ({ verdict }) => verdict !== "identical", style);
  const { shown, others } = brief;
  const columns: TableColumn[] = [
    { heading: "collection", align: "left", cut: true },
    ...numbers.map((field): TableColumn => ({ heading: HEADINGS[field] ?? field, align: "right" })),
    ...(hasWays ? [{ heading: "how", align: "left" } as const] : []),
    { heading: "verdict", align: "left" },
  ];
  const rows: (Cell | string)[][] = shown.map((of) => [
    collectionName(of.collection, of.target),
    ...numbers.map((field) => number(of, field)),
    ...(hasWays ? [wayOf(of)] : []),
    { text: of.verdict, paint: comparedPaint(of.verdict, paint) },
  ]);
  if (others.length > 0) {
    const sums = comparedTotals(others);
    rows.push([
      othersName(others, shown),
      ...numbers.map((field) => grouped(sums[field])),
      ...(hasWays ? [commonText(others.map(wayOf))] : []),
      { text: "identical", paint: comparedPaint("identical", paint) },
    ]);
  }
  rows.push(total.map((text) => ({ text, paint: paint.bold })));
  return table(columns, rows, { width, heading: paint.dim }) + moreRows(brief, paint);
}

/** A definition has no documents, but it can differ. Of what was not all looked at, none seen is no number. */
function number(of: ComparedCollection, field: ComparedNumber): string {
  const documents: readonly ComparedNumber[] = ["sourceDocuments", "targetDocuments", "equal"];
  const none = of.complete
    ? of.kind === "definition" && (documents.includes(field) || (of[field] === 0 && field !== "metadata"))
    : of[field] === 0;
  return none ? NO_NUMBER : grouped(of[field]);
}

/** What it took, when each document was looked at, and how; each a line. */
function effort(report: DiffReport, { width }: TextStyle): string {
  const sums: ComparedTotals = comparedTotals(report.collections);
  const milliseconds = report.ended.getTime() - report.started.getTime();
  const documents = sums.sourceDocuments + sums.targetDocuments;
  const speed = milliseconds >= 1000 ? `, ${rate((documents * 1000) / milliseconds)}` : "";
  const { done, total } = report.ranges;
  const how = howCompared(report.collections);
  return [
    `${count(sums.sourceDocuments, "document")} of the source and ${grouped(sums.targetDocuments)} of the target (${bytes(report.bytesCompared)} together) compared in ${duration(milliseconds)}${speed}, ${bytes(report.bytesRead)} read; ${timeWindow(report.started, report.ended)}.`,
    ...(how === undefined ? [] : [`How: ${how}`]),
    ...(done < total ? [`${grouped(done)} of ${count(total, "range")} were compared.`] : []),
    ...(report.exact ? [] : [fieldOrderText(report)]),
    ...(report.plan === undefined ? [] : [`The differences are in ${report.plan}.`]),
  ]
    .map((line) => `${wrapped(line, width)}\n`)
    .join("");
}

/** Where equal does not mean equal byte for byte. */
function fieldOrderText({ collections }: DiffReport): string {
  const names = namesInAnyFieldOrder(collections);
  return names === undefined
    ? "The order of fields was ignored: equal does not mean equal byte for byte here."
    : `The order of fields was ignored in ${names}: equal does not mean equal byte for byte there.`;
}

function comparedPaint(verdict: ComparedVerdict, paint: ChalkInstance): (text: string) => string {
  switch (verdict) {
    case "identical":
      return paint.green;
    case "accepted":
    case "different":
    case "moving":
      return paint.yellow;
    case "not compared":
      return paint.red;
  }
}
