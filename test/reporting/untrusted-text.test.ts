/** Names and messages come from data and from servers; secrets can be in any of them. No mode may show them as they are. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DualsyncError, type ExitName } from "../../src/model/errors.ts";
import type { ReporterOptions } from "../../src/reporting/index.ts";
import {
  changePlan,
  changeReport,
  compared,
  comparison,
  difference,
  diffReport,
  field,
  toCompare,
} from "./comparison-samples.ts";
import { controls, type FakeStreamOptions, screenState, withoutSequences } from "./fake-stream.ts";
import { copied, type Opened, open, plan, planned, report } from "./samples.ts";
import { serviceReport, syncPlan, syncReport } from "./sync-samples.ts";

type Ending = "finish" | "compared" | "changed" | "synced" | "checked" | ExitName;

type Mode = Partial<ReporterOptions> & { terminal?: FakeStreamOptions };

const MODES: [string, Mode][] = [
  ["at a terminal", { terminal: {} }],
  ["at a narrow terminal", { terminal: { columns: 40 } }],
  ["at a terminal without colours", { terminal: {}, env: { NO_COLOR: "1" } }],
  ["in a pipe", {}],
  ["with colours in a pipe", { env: { FORCE_COLOR: "1" } }],
  ["with --json", { mode: "json" }],
  ["with --quiet", { mode: "quiet" }],
];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Calls everything that a reporter has, with `text` in every string field of every argument. */
function everything({ reporter }: Opened, text: string, end: Ending): void {
  reporter.note(text);
  reporter.warn(text);
  reporter.detail(text);
  reporter.plan(
    plan({
      command: text,
      source: text,
      target: text,
      collections: [planned(text), planned("renamed", { target: text })],
      notCopied: [{ name: text, reason: text }],
      notes: [text],
      dryRun: true,
    }),
  );
  const stores = { primary: text, copy: text, direction: text, layout: text };
  reporter.syncPlan(syncPlan({ command: text, ...stores, notes: [text], dryRun: true }));
  const meter = reporter.meter(text, 10);
  meter.advance(5, 5);
  vi.advanceTimersByTime(15_000);
  tellDifferences(reporter, text);
  if (end === "compared") {
    const collections = [compared(text), compared("renamed", { target: text, verdict: "different" })];
    const reported = { command: text, source: text, target: text, verdict: text, plan: text };
    reporter.compared(diffReport({ ...reported, collections, notCompared: leftOut(text), exitCode: 1 }));
  } else if (end === "changed") {
    const items = [{ key: text, reason: text, accepted: false }];
    const collections = [{ collection: text, changed: 1, unchanged: 1, conflicts: 1, skipped: 1 }];
    const reported = { command: text, source: text, target: text, verdict: text };
    reporter.changed(changeReport({ ...reported, collections, items, itemCount: 1, exitCode: 3 }));
  } else if (end === "synced") {
    const items = [
      { key: text, reason: text, accepted: false },
      { key: text, reason: text, accepted: true },
    ];
    const reported = {
      command: text,
      primary: text,
      copy: text,
      direction: text,
      layout: text,
      verdict: text,
    };
    reporter.synced(syncReport({ ...reported, items, itemCount: 2, exitCode: 3 }));
  } else if (end === "checked") {
    const side = { configured: true, label: text, available: false, problem: text };
    reporter.checked(serviceReport({ kv: side, mongodb: side, verdict: text }));
  } else if (end === "finish") {
    const items = [
      { key: text, reason: text, accepted: false },
      { key: text, reason: text, accepted: true },
    ];
    const collections = [copied(text), copied("renamed", { target: text })];
    const reported = { command: text, source: text, target: text, verdict: text };
    reporter.finish(report({ ...reported, collections, items, itemCount: 2, exitCode: 3 }));
  } else {
    const cause = Object.assign(new Error(text), { cause: text });
    reporter.fail(new DualsyncError(end, text, { hint: text, cause }), 70);
  }
  meter.end();
  reporter.close();
}

function tellDifferences(reporter: Opened["reporter"], text: string): void {
  reporter.comparison(
    comparison({
      command: text,
      source: text,
      target: text,
      collections: [toCompare(text, { target: `other ${text}` })],
      notCompared: leftOut(text),
      notes: [text],
    }),
  );
  const names = { key: `document ${text}`, collection: text, targetCollection: text, id: text };
  const fields = [
    field(text, { source: text, target: text, sourceValue: text, targetValue: text, note: text }),
  ];
  for (const kind of [
    "missing",
    "extra",
    "changed",
    "idtype",
    "metadata",
    "content",
    "unreadable",
  ] as const) {
    reporter.difference(difference({ ...names, kind, detail: text, fields }));
  }
  const collections = [{ collection: text, insert: 1, replace: 1, remove: 1 }];
  reporter.changePlan(changePlan({ command: text, source: text, target: text, collections, notes: [text] }));
}

function leftOut(text: string) {
  return [true, false].map((chosen) => ({ name: text, reason: text, chosen }));
}

const HOSTILE: [string, string][] = [
  ["escape sequences", "\u001b[2J\u001b]0;title\u0007\u001b[31mred"],
  ["C1 controls", "\u009b31m\u0085\u0090"],
  ["line breaks", "name\r\nerror: forged\n\u2028verdict\u2029\u000b\u000c"],
  ["backspaces and deletes", "secret\b\b\b\u007f\u0000"],
  ["text direction", "\u202Eabc\u2066def\u2069\u200f\u061c"],
  ["invisible characters", "a\u200bb\u2060c\ufeffd"],
  ["lone surrogates", "\ud800x\udc00"],
  ["255 bytes", "x".repeat(255)],
  ["255 bytes of wide characters", "注".repeat(85)],
];

describe.each(MODES)("hostile text %s", (_mode, options) => {
  it.each(HOSTILE)("no stream receives control characters of hostile text: %s", (_name, text) => {
    for (const end of ["finish", "compared", "changed", "synced", "checked", "bug", "target"] as const) {
      const opened = open({ verbose: true, ...options });
      everything(opened, text, end);
      const { stdout, stderr } = opened;
      expect(controls(withoutSequences(stdout.text))).toEqual([]);
      expect(controls(withoutSequences(stderr.text).replaceAll("\r", ""))).toEqual([]);
      expect(screenState(stderr.text)).toEqual({ cursorShown: true, wraps: true });
    }
  });

  it("hostile text cannot start a line of its own", () => {
    for (const end of ["finish", "compared", "changed", "synced", "checked", "target"] as const) {
      const opened = open({ verbose: true, ...options });
      const text = "name\nFORGED line";
      everything(opened, text, end);
      // A hint is written by this program: its line breaks are meant.
      const forged = withoutSequences(opened.stdout.text + opened.stderr.text).match(/^\s*FORGED/gm) ?? [];
      expect(forged.length).toBeLessThanOrEqual(end === "target" && options.mode === undefined ? 1 : 0);
    }
  });
});

describe("hostile names that are only counted", () => {
  it.each(HOSTILE)(
    "the count of unlisted differences shows no control characters of a hostile name: %s",
    (_name, text) => {
      const opened = open();
      for (let index = 0; index < 1_001; index += 1) {
        opened.reporter.difference(difference({ collection: text }));
      }
      opened.reporter.compared(diffReport());
      expect(opened.stdout.text).toContain("… and 1 more of ");
      expect(controls(opened.stdout.text)).toEqual([]);
    },
  );
});

describe("hostile text with --json", () => {
  it.each(HOSTILE)("hostile text arrives unchanged in JSON records: %s", (_name, text) => {
    const opened = open({ mode: "json" });
    opened.reporter.warn(text);
    opened.reporter.finish(report({ items: [{ key: text, reason: "r", accepted: false }], itemCount: 1 }));
    const parsed = opened.stdout.lines.map((line) => JSON.parse(line) as { message?: string; key?: string });
    expect(parsed[0]?.message).toBe(text);
    expect(parsed[2]?.key).toBe(text);
  });
});

describe.each(MODES)("secrets %s", (_mode, options) => {
  it.each(["finish", "compared", "changed", "synced", "checked", "bug", "target"] as const)(
    "a secret never reaches a stream of a run that ends with %s",
    (end) => {
      const opened = open({ verbose: true, ...options });
      const secret = 'Tr0ub4dor"&\\3-correct-horse-battery';
      opened.redactor.add(secret);
      everything(opened, `before ${secret} after`, end);
      const output = withoutSequences(opened.stdout.text + opened.stderr.text);
      expect(output.length).toBeGreaterThan(0);
      for (const part of ["Tr0ub4dor", "correct-horse", "battery"]) {
        expect(output).not.toContain(part);
      }
      expect(output).toContain("before");
    },
  );
});
