import { describe, expect, it } from "vitest";
import { DualsyncError } from "../../../src/model/errors.ts";
import { withType } from "../../../src/reporting/json/json-record.ts";
import {
  changePlan,
  changeReport,
  compared,
  comparison,
  difference,
  diffReport,
  field,
  past,
  without,
} from "../comparison-samples.ts";
import { type Opened, open } from "../samples.ts";

type Record = { readonly [name: string]: unknown };

const records = ({ stdout }: Opened) => stdout.lines.map((line) => JSON.parse(line) as Record);

function last(opened: Opened): Record {
  return records(opened).at(-1) ?? {};
}

describe("JSON records of a comparison", () => {
  it("a comparison writes start, each difference, each collection, and the summary last", () => {
    const opened = open({ mode: "json", command: "diff" });
    opened.reporter.comparison(comparison());
    opened.reporter.difference(difference());
    opened.reporter.compared(
      diffReport({ collections: [compared("a"), compared("b")], samples: [difference()] }),
    );
    opened.reporter.compared(diffReport());
    expect(records(opened).map(({ type }) => type)).toEqual([
      "start",
      "diff",
      "collection",
      "collection",
      "summary",
    ]);
    for (const record of records(opened)) {
      expect(record).toMatchObject({ v: 1, run: "run-1", command: "diff" });
    }
    expect(opened.stderr.text).toBe("");
  });

  it("the start record says what will be compared and how much there is of it", () => {
    const opened = open({ mode: "json" });
    opened.reporter.comparison(comparison({ notes: ["n"] }));
    expect(last(opened)).toMatchObject({
      ...without(comparison(), "command"),
      collections: comparison().collections.map(withType),
      notes: ["n"],
      documents: 51_200,
      bytes: 13_500_000,
      resumedSince: null,
    });
  });

  it("a diff record has every field of a difference, and names types and documents by side", () => {
    const opened = open({ mode: "json" });
    const fields = [field("/a", { source: undefined, sourceValue: "1", note: "n" })];
    opened.reporter.difference(difference({ fields, drift: "behind", detail: "d" }));
    const { ts: _ts, ...record } = last(opened);
    expect(record).toEqual({
      v: 1,
      type: "diff",
      run: "run-1",
      command: "duplicate",
      key: "document orders/17",
      kind: "changed",
      sigil: "*",
      collection: "orders",
      targetCollection: "orders",
      id: "17",
      detail: "d",
      source: { sha256: "0a".repeat(32), bytes: 312 },
      target: { sha256: "0b".repeat(32), bytes: 316 },
      fields: [
        { path: "/a", sourceType: null, targetType: "long", sourceValue: "1", targetValue: null, note: "n" },
      ],
      moreFields: 0,
      state: "stable",
      drift: "behind",
      rounds: 2,
      firstSeen: "2026-11-21T03:17:01.000Z",
      lastSeen: "2026-11-21T03:17:02.000Z",
      counted: true,
    });
  });

  it("a diff record has null for what a difference does not have", () => {
    const opened = open({ mode: "json" });
    opened.reporter.difference(without(difference({ kind: "metadata" }), "id", "source", "target"));
    expect(last(opened)).toMatchObject({ id: null, detail: null, source: null, target: null, drift: null });
  });

  it("a collection record has every number of the collection", () => {
    const opened = open({ mode: "json" });
    opened.reporter.compared(diffReport({ collections: [compared("orders", { behind: 3 })] }));
    expect(records(opened)[0]).toMatchObject(compared("orders", { behind: 3 }));
  });

  it("the summary record says what was proved, when, how and over how much, and adds up the counts", () => {
    const opened = open({ mode: "json" });
    const left = { name: "tmp", reason: "--exclude", chosen: true };
    const collections = [
      compared("a", { missing: 1, extra: 2, changed: 3, metadata: 4, moving: 5, settled: 6, expired: 7 }),
      compared("b", { tier: "hashes", missing: 1, accepted: 8, behind: 9, diverged: 10 }),
    ];
    const report = diffReport({
      collections,
      notCompared: [left],
      past: [past()],
      differences: 11,
      exitCode: 1,
    });
    opened.reporter.compared(report);
    const { ts: _ts, ...summary } = last(opened);
    expect(summary).toEqual({
      v: 1,
      type: "summary",
      run: "run-1",
      command: "duplicate",
      source: report.source,
      target: report.target,
      started: "2026-11-21T03:17:00.000Z",
      ended: "2026-11-21T03:17:04.000Z",
      durationMs: 4_000,
      complete: true,
      exact: true,
      tiers: ["bytes", "hashes"],
      consistency: "window",
      window: ["2026-11-21T03:17:00.000Z", "2026-11-21T03:17:04.000Z"],
      collections: 2,
      scanned: 4_800,
      sourceDocuments: 2_400,
      targetDocuments: 2_400,
      equal: 2_400,
      equivalent: 0,
      missing: 2,
      extra: 2,
      changed: 3,
      metadata: 4,
      moving: 5,
      settled: 6,
      expired: 7,
      accepted: 8,
      behind: 9,
      diverged: 10,
      differences: 11,
      notCompared: [left],
      bytesRead: 2_200_000,
      bytesCompared: 2_200_000,
      ranges: { done: 3, total: 3 },
      plan: null,
      exitCode: 1,
      outcome: "different",
      verdict: report.verdict,
    });
  });

  it("the summary of a failed comparison says that it is not complete", () => {
    const opened = open({ mode: "json" });
    opened.reporter.comparison(comparison());
    opened.reporter.fail(new DualsyncError("source", "No answer."), 4);
    expect(last(opened)).toMatchObject({ type: "summary", complete: false, exitCode: 4, outcome: "source" });
  });
});

describe("JSON records of a repair", () => {
  it("a repair writes start, each collection, each item, and the summary", () => {
    const opened = open({ mode: "json", command: "repair" });
    const item = { key: "document orders/17", reason: "changed", accepted: false };
    opened.reporter.changePlan(without(changePlan(), "source"));
    opened.reporter.changed(changeReport({ items: [item], itemCount: 4_000, exitCode: 3 }));
    const [start, collection, first, summary] = records(opened);
    expect(start).toMatchObject({ type: "start", source: null, documents: 1_203, dryRun: false });
    expect(collection).toMatchObject({
      type: "collection",
      collection: "orders",
      changed: 1_200,
      conflicts: 2,
    });
    expect(first).toMatchObject({ type: "item", ...item });
    expect(summary).toMatchObject({
      type: "summary",
      source: changeReport().source,
      durationMs: 4_000,
      collections: 1,
      changed: 1_200,
      unchanged: 1,
      conflicts: 2,
      skipped: 0,
      items: 4_000,
      exitCode: 3,
      outcome: "incomplete",
      verdict: changeReport().verdict,
    });
  });
});
