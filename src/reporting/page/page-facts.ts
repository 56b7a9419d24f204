import type { DiffReport } from "../../model/reporter.ts";
import { bytes } from "../../model/size-text.ts";
import { comparedTotals } from "../text/compared-totals.ts";
import { namesInAnyFieldOrder } from "../text/field-order.ts";
import { count, duration, grouped } from "../text/format.ts";
import { howCompared } from "../text/tier-words.ts";
import { timeWindow } from "../text/time-window.ts";
import { html, type Markup, type MarkupContent } from "./markup.ts";
import { name } from "./page-name.ts";

function equalMeans({ exact, collections }: DiffReport): string {
  if (exact) return "equal byte for byte";
  const names = namesInAnyFieldOrder(collections);
  return names === undefined
    ? "equal except for the order of fields"
    : `equal byte for byte; in ${names} except for the order of fields`;
}

/** What was compared, when and how, as a list of names and values. */
export function facts(report: DiffReport): Markup {
  const { started, ended, ranges } = report;
  const sums = comparedTotals(report.collections);
  const how = howCompared(report.collections);
  const time = duration(ended.getTime() - started.getTime());
  const rows: readonly (readonly [string, MarkupContent])[] = [
    ["Source", name(report.source)],
    ["Target", name(report.target)],
    ["When", html`${timeWindow(started, ended)} (${time})`],
    [
      "Documents",
      `${grouped(sums.sourceDocuments)} of the source, ${grouped(sums.targetDocuments)} of the target`,
    ],
    ["Differences", grouped(report.differences)],
    ["Bytes", `${bytes(report.bytesRead)} read to compare ${bytes(report.bytesCompared)}`],
    ["Equal means", equalMeans(report)],
    [
      "Complete",
      report.complete ? "yes" : `no: ${grouped(ranges.done)} of ${count(ranges.total, "range")} done`,
    ],
    ...(report.plan === undefined ? [] : [["Plan", name(report.plan)] as const]),
    ["Exit status", grouped(report.exitCode)],
  ];
  return html`<dl class="facts">
${rows.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>\n`)}${how === undefined ? undefined : html`<div class="wide"><dt>How</dt><dd>${how}</dd></div>\n`}</dl>
<p class="small">Each document was equal, or not, at some instant between these two times.</p>
`;
}
