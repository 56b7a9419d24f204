// One record of each kind, as `--json` writes it: the reporter itself makes them from the samples of its tests.
import { setTimeout as pause } from "node:timers/promises";

/** @param {string} path */
const built = (path) => import(new URL(`../../build/${path}`, import.meta.url).href);

/** @typedef {import("../../src/model/reporter.ts").Reporter} Reporter */

const RUN = "3f9c01ab";
const SINCE = new Date("2026-11-21T03:15:00.000Z");
/** What would be another value each time. */
const FIXED = {
  ts: "2026-11-21T03:17:04.000Z",
  elapsedMs: 5_000,
  documentsPerSecond: 1_000,
  remainingMs: 46_000,
};
const WIDTH = 100;

/** @returns {Promise<[string, string][]>} */
export async function records() {
  /** @type {typeof import("../../test/reporting/samples.ts")} */
  const { copied, open, plan, planned, report } = await built("test/reporting/samples.js");
  /** @type {typeof import("../../test/reporting/comparison-samples.ts")} */
  const samples = await built("test/reporting/comparison-samples.js");
  const { changePlan, changeReport, compared, comparison, difference, diffReport, field } = samples;
  /** @type {typeof import("../../test/reporting/sync-samples.ts")} */
  const { serviceReport, syncPlan, syncReport } = await built("test/reporting/sync-samples.js");
  /** @type {typeof import("../../src/model/errors.ts")} */
  const { DualsyncError } = await built("src/model/errors.js");

  const resumed = { since: SINCE, documents: 12_000, bytes: 3_000_000 };
  const item = {
    key: "index orders/geo_2d",
    reason: "the target has another index of this name",
    accepted: false,
  };
  const conflict = { key: "document orders/17", reason: "it changed in the target since", accepted: false };
  const found = {
    equal: 2_400,
    equivalent: 0,
    different: 90,
    missing: 47_500,
    extra: 3,
    examples: ["17", "23"],
  };
  const adopted = planned("orders", {
    documents: 50_000,
    bytes: 12_400_000,
    action: "update",
    targetDocuments: 2_493,
    found,
  });
  const restore = {
    ...{ equal: 48_500, equivalent: 0, different: 300, missing: 1_200, extra: 4, examples: ["17", "23"] },
    ...{ newer: 2, overwritten: 300, conflicts: 0, removed: 1, newerExtra: 3, outside: 0 },
    ...{ writtenBytes: 375_000, savedBytes: 75_000 },
  };
  const restored = planned("orders", {
    documents: 50_000,
    bytes: 12_400_000,
    action: "update",
    targetDocuments: 48_804,
    restore,
  });
  const toRestore = {
    ...{ command: "restore", source: plan().target, target: plan().source },
    ...{ collections: [restored], documents: 50_000, bytes: 12_400_000, estimatedTargetBytes: 375_000 },
    statements: ["begin;", "commit;"],
  };
  const values = { sourceValue: '{"$numberInt":"5"}', targetValue: '{"$numberLong":"5"}' };

  /** @type {[string, string, (reporter: Reporter) => void | Promise<void>][]} */
  const examples = [
    ["start duplicate", "start", (to) => to.plan(plan({ collections: [adopted], resumed }))],
    ["start restore", "start", (to) => to.plan(plan(toRestore))],
    ["start diff", "start", (to) => to.comparison(comparison())],
    ["start repair", "start", (to) => to.changePlan(changePlan())],
    ["start sync-kv", "start", (to) => to.syncPlan(syncPlan())],
    ["check sync-kv", "check", (to) => to.checked(serviceReport())],
    ["progress", "progress", inFlight],
    [
      "note",
      "note",
      (to) => to.note("orders: changed in the source during the run and copied again: 17, 23, 42."),
    ],
    [
      "diff",
      "diff",
      (to) => to.difference(difference({ drift: "behind", fields: [field("/total", values)] })),
    ],
    ["collection duplicate", "collection", (to) => to.finish(report({ collections: [copied("orders")] }))],
    ["collection diff", "collection", (to) => to.compared(diffReport({ collections: [compared("orders")] }))],
    ["collection repair", "collection", (to) => to.changed(changeReport())],
    ["item", "item", (to) => to.finish(report({ items: [item], itemCount: 1, exitCode: 3 }))],
    ["error", "error", (to) => to.fail(new DualsyncError("target", "No answer.", { hint: "Is it on?" }), 5)],
    ["summary duplicate", "summary", (to) => to.finish(report({ resumed }))],
    ["summary diff", "summary", (to) => to.compared(diffReport({ plan: "repair.plan" }))],
    [
      "summary repair",
      "summary",
      (to) => to.changed(changeReport({ items: [conflict], itemCount: 1, exitCode: 3 })),
    ],
    ["summary sync-kv", "summary", (to) => to.synced(syncReport())],
  ];

  /** @type {[string, string][]} */
  const shown = [];
  for (const [name, type, show] of examples) {
    const [, command = name === "diff" ? "diff" : "duplicate"] = name.split(" ");
    const { reporter, stdout } = open({ mode: "json", runId: RUN, command });
    await show(reporter);
    reporter.close();
    const all = stdout.lines.map((line) => JSON.parse(line));
    const record = all.find((one) => one.type === type);
    shown.push([`record ${name}`, `\`\`\`json\n${laidOut({ ...record, ...fixed(record) })}\n\`\`\``]);
  }
  return shown;
}

/** @param {Reporter} reporter */
async function inFlight(reporter) {
  const meter = reporter.meter("orders", 50_000);
  meter.advance(5_000, 1_250_000);
  await pause(1_100);
}

/** @param {object} record */
function fixed(record) {
  return Object.fromEntries(Object.entries(FIXED).filter(([name]) => name in record));
}

/**
 * As many fields on a line as it holds: a record is one line, which nobody could read here.
 * @param {object} record
 */
function laidOut(record) {
  const lines = [""];
  for (const [name, value] of Object.entries(record)) {
    const field = `${JSON.stringify(name)}: ${JSON.stringify(value, null, 1).replace(/\n */g, " ")},`;
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + field.length < WIDTH) lines[lines.length - 1] = `${line} ${field}`;
    else lines.push(`  ${field}`);
  }
  return ["{", ...lines.slice(1), "}"].join("\n").replace(/,\n\}$/, "\n}");
}
