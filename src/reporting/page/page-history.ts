import type { DiffReport, PastComparison } from "../../model/reporter.ts";
import { comparedTotals } from "../text/compared-totals.ts";
import { duration, grouped } from "../text/format.ts";
import { moment } from "../text/time-window.ts";
import { html, type Markup, type MarkupContent } from "./markup.ts";
import { name } from "./page-name.ts";
import { pageOutcome } from "./page-outcome.ts";
import { type PageColumn, pageTable } from "./page-table.ts";

/** Older ones say nothing about today. */
const SHOWN = 30;
/** Of the little chart, in its own units. */
const HEIGHT = 40;
const STEP = 14;

const COLUMNS: readonly PageColumn[] = [
  { heading: "started (UTC)", align: "left" },
  { heading: "took", align: "right" },
  { heading: "documents", align: "right" },
  { heading: "differences", align: "right" },
  { heading: "result", align: "left" },
];

/** This comparison and those before it, newest first. */
export function historySection(report: DiffReport): Markup | undefined {
  if (report.past.length === 0) return undefined;
  const runs = [thisOne(report), ...report.past].slice(0, SHOWN);
  return html`<section>
<h2>The last ${grouped(runs.length)} comparisons of this pair</h2>
${chart(runs.toReversed())}${pageTable("Newest first", COLUMNS, runs.map(cells))}</section>
`;
}

function thisOne({
  started,
  ended,
  exitCode,
  collections,
  differences,
  verdict,
}: DiffReport): PastComparison {
  const documents = comparedTotals(collections).sourceDocuments;
  return { started, ended, exitCode, documents, differences, verdict };
}

function cells(run: PastComparison): MarkupContent[] {
  const { tone, sign, word } = pageOutcome(run.exitCode);
  return [
    moment(run.started),
    duration(run.ended.getTime() - run.started.getTime()),
    grouped(run.documents),
    grouped(run.differences),
    html`<span><b class="${tone}">${sign} ${word}</b> <span class="small">${name(run.verdict)}</span></span>`,
  ];
}

/** A bar for each run, oldest first, its height by the logarithm; the table below holds the numbers. */
function chart(runs: readonly PastComparison[]): Markup {
  const most = Math.max(1, ...runs.map(({ differences }) => differences));
  const bars = runs.map(({ differences, exitCode }, index) => {
    const height = Math.max(2, Math.round((HEIGHT * Math.log1p(differences)) / Math.log1p(most)));
    return html`<rect class="${pageOutcome(exitCode).tone}" x="${index * STEP}" y="${HEIGHT - height}" width="${STEP - 4}" height="${height}"/>`;
  });
  const width = runs.length * STEP;
  return html`<svg class="chart" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img" aria-label="Differences found by each comparison, oldest first, at most ${grouped(most)}">${bars}</svg>
`;
}
