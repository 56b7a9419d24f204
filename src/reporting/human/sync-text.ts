/** What a synchronization is about to do, and what it did, as people read it. All expect cleaned text. */
import type {
  ServiceReport,
  ServiceSide,
  SyncCounts,
  SyncEstimate,
  SyncPlan,
  SyncReport,
} from "../../model/reporter.ts";
import { bytes } from "../../model/size-text.ts";
import { type Cell, type TableColumn, table } from "../text/columns.ts";
import { count, duration, grouped } from "../text/format.ts";
import { wrapped } from "../text/text-width.ts";
import { timeWindow } from "../text/time-window.ts";
import { verdictPaint } from "../text/verdict-paint.ts";
import { itemList } from "./item-list.ts";
import { NOTHING_WRITTEN } from "./plan-text.ts";
import type { TextStyle } from "./text-style.ts";

/** The plan, ended by a line break. */
export function syncPlanText(plan: SyncPlan, { width, paint }: TextStyle): string {
  const title = `${paint.bold(plan.command)} ${plan.direction}${plan.dryRun ? " (dry run)" : ""}`;
  const { primaryDocuments, copyDocuments, agreed } = plan;
  const sides = [
    `  KV       ${plan.primary}  ${count(primaryDocuments, "key")}`,
    `  MongoDB  ${plan.copy}  ${count(copyDocuments, "key")}, layout ${plan.layout}; ${grouped(agreed)} agreed on before`,
  ];
  const cost = `Cost: ${range(plan.commands, grouped)} billed commands in ${range(plan.requests, grouped)} requests, ${range(plan.bytes, bytes)}. A run every night: ${range(plan.commandsAMonth, grouped)} commands a month.`;
  const notes = [cost, ...plan.notes].map((note) => `${wrapped(note, width)}\n`).join("");
  const parts = [`${title}\n${sides.join("\n")}\n`, notes];
  if (plan.dryRun)
    parts.push(`${paint.bold(`Dry run: the above is what would happen. ${NOTHING_WRITTEN}`)}\n`);
  return parts.join("\n");
}

function range({ least, most }: SyncEstimate, text: (value: number) => string): string {
  return least === most ? text(least) : `${text(least)} to ${text(most)}`;
}

const ROWS: readonly (readonly [text: string, field: keyof SyncCounts])[] = [
  ["agreed on before, unchanged", "equal"],
  ["equal, agreed on now", "agreed"],
  ["written to MongoDB", "copyWritten"],
  ["written to KV", "primaryWritten"],
  ["removed from MongoDB", "copyRemoved"],
  ["removed from KV", "primaryRemoved"],
  ["gone from KV, marked now", "marked"],
  ["gone from KV, marked before", "missing"],
  ["expired in KV", "expired"],
  ["left, as the direction says", "left"],
  ["changed on both sides, left", "conflicts"],
  ["could not be written or read", "rejected"],
  ["changed again and again", "unsettled"],
];

/** The result, ended by a line break; the verdict is the last line. */
export function syncText(report: SyncReport, style: TextStyle): string {
  const { paint, width } = style;
  const rows: (Cell | string)[][] = ROWS.filter(([, field]) => report.counts[field] > 0).map(
    ([text, field]) => [text, grouped(report.counts[field])],
  );
  const columns: TableColumn[] = [
    { heading: "", align: "left" },
    { heading: "keys", align: "right" },
  ];
  const parts = rows.length === 0 ? [] : [table(columns, rows, { width, heading: paint.dim })];
  if (report.itemCount > 0) parts.push(itemList("Not in step", report.items, report.itemCount, paint));
  const { commands, requests, bytes: size } = report.spent;
  const time = duration(report.ended.getTime() - report.started.getTime());
  const effort = `${count(commands, "billed command")} in ${count(requests, "request")} (${bytes(size)}), ${time}; ${timeWindow(report.started, report.ended)}.`;
  parts.push(`${wrapped(effort, width)}\n${verdictPaint(report.exitCode, paint)(report.verdict)}\n`);
  return parts.join("\n");
}

/** Which stores serve, ended by a line break; the verdict is the last line. */
export function serviceText({ kv, mongodb, exitCode, verdict }: ServiceReport, { paint }: TextStyle): string {
  const width = Math.max(...[kv, mongodb].map(({ label = "" }) => label.length));
  const side = (name: string, { label = "", configured, available }: ServiceSide): string => {
    const how = available ? "serves" : configured ? "does not serve" : "is not configured";
    return `  ${name.padEnd(7)}  ${label.padEnd(width)}${width > 0 ? "  " : ""}${how}\n`;
  };
  return `${side("KV", kv)}${side("MongoDB", mongodb)}\n${verdictPaint(exitCode, paint)(verdict)}\n`;
}
