import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DualsyncError } from "../../../src/model/errors.ts";
import { withType } from "../../../src/reporting/json/json-record.ts";
import type { FakeStream } from "../fake-stream.ts";
import { copied, open, plan, planned, report } from "../samples.ts";

type Record = { readonly [name: string]: unknown };

function records(stdout: FakeStream): Record[] {
  expect(stdout.text.endsWith("\n")).toBe(true);
  return stdout.text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as Record);
}

const types = (stdout: FakeStream) => records(stdout).map((record) => record.type);

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-11-21T03:17:00.000Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("JSON output", () => {
  it("writes one record per line, each with the common fields and the summary last, and nothing to stderr", () => {
    const { reporter, stdout, stderr } = open({ mode: "json" });
    reporter.note("connecting");
    reporter.plan(plan());
    const meter = reporter.meter("customers", 1_200);
    vi.advanceTimersByTime(1_000);
    reporter.warn("attention");
    meter.end();
    reporter.finish(
      report({ items: [{ key: "k", reason: "r", accepted: false }], itemCount: 1, exitCode: 3 }),
    );
    reporter.close();
    expect(types(stdout)).toEqual(["note", "start", "progress", "warning", "collection", "item", "summary"]);
    for (const record of records(stdout)) {
      expect(record).toMatchObject({ v: 1, run: "run-1", command: "duplicate" });
      expect(record.ts).toMatch(/^2026-11-21T03:17:0\d\.\d{3}Z$/);
    }
    expect(stderr.text).toBe("");
  });

  it("puts the whole plan into the start record, with null for what is not known", () => {
    const { reporter, stdout } = open({ mode: "json" });
    const view = planned("paid", {
      kind: "definition",
      type: "view",
      documents: undefined,
      bytes: undefined,
      action: "define",
    });
    const sent = plan({ collections: [planned("orders"), view], notes: ["n"], dryRun: true });
    reporter.plan(sent);
    expect(records(stdout)[0]).toMatchObject({
      ...sent,
      collections: [withType(planned("orders")), { ...withType(view), documents: null, bytes: null }],
    });
  });

  it("lets no field of a record replace the common fields", () => {
    const { reporter, stdout } = open({ mode: "json" });
    reporter.plan({ ...plan({ command: "other" }), ...{ v: 2, type: "x", run: "y" } });
    expect(records(stdout)).toMatchObject([{ v: 1, type: "start", run: "run-1", command: "duplicate" }]);
  });

  it("puts every field of the report into the collection, item and summary records", () => {
    const { reporter, stdout } = open({ mode: "json" });
    const collections = [copied("a"), copied("b", { target: "c", targetCount: undefined })];
    const item = { key: "index orders/geo_2d", reason: "unknown option", accepted: true };
    const sent = report({ collections, items: [item], itemCount: 4_000 });
    reporter.finish(sent);
    const [first, second, third, summary] = records(stdout);
    expect(first).toMatchObject(withType(copied("a")));
    expect(second).toMatchObject({ ...withType(copied("b")), target: "c", targetCount: null });
    expect(third).toMatchObject(item);
    expect(summary).toMatchObject({
      source: sent.source,
      target: sent.target,
      started: "2026-11-21T03:17:00.000Z",
      ended: "2026-11-21T03:17:04.000Z",
      durationMs: 4_000,
      collections: 2,
      read: 2_400,
      written: 2_400,
      sourceCount: 2_400,
      targetCount: null,
      items: 4_000,
      bytes: 1_100_000,
      exitCode: 0,
      outcome: "done",
      verdict: sent.verdict,
    });
  });

  it("writes progress of the run and of the collections in flight at most once a second", () => {
    const { reporter, stdout } = open({ mode: "json" });
    reporter.plan(plan());
    const meter = reporter.meter("orders", 50_000);
    for (let step = 0; step < 50; step += 1) {
      meter.advance(100, 1_000);
      vi.advanceTimersByTime(100);
    }
    reporter.close();
    vi.advanceTimersByTime(10_000);
    const progress = records(stdout).filter((record) => record.type === "progress");
    expect(progress).toHaveLength(5);
    expect(progress.at(-1)).toMatchObject({
      phase: "copying",
      documents: 5_000,
      documentsTotal: 51_200,
      percent: 9,
      bytes: 50_000,
      elapsedMs: 5_000,
      collections: 2,
      collectionsDone: 0,
      inFlight: [{ collection: "orders", phase: "copying", documents: 5_000, documentsTotal: 50_000 }],
    });
    expect(progress.at(-1)?.documentsPerSecond).toBeGreaterThan(900);
  });

  it("an error record says why the store did not answer, and how long it asked to wait", () => {
    const { stdout, reporter } = open({ mode: "json" });
    const error = new DualsyncError("source", "Too many requests.", {
      reason: "throttled",
      retryAfter: 6_500,
    });
    reporter.fail(error, 4);
    expect(records(stdout)[0]).toMatchObject({ type: "error", reason: "throttled", retryAfterSeconds: 7 });
  });

  it("ends a failed run with an error record and a summary, and prints the error in one line on stderr", () => {
    const { reporter, stdout, stderr } = open({ mode: "json" });
    reporter.meter("orders", 10);
    reporter.fail(new DualsyncError("target", "No answer.", { hint: "Try\nagain." }), 5);
    vi.advanceTimersByTime(10_000);
    const [error, summary, ...more] = records(stdout);
    expect(error).toMatchObject({
      type: "error",
      exit: "target",
      code: 5,
      message: "No answer.",
      hint: "Try\nagain.",
    });
    expect(error).not.toHaveProperty("stack");
    expect(summary).toMatchObject({ type: "summary", exitCode: 5, outcome: "target", verdict: "No answer." });
    expect(more).toEqual([]);
    expect(stderr.text).toBe("dualsync duplicate: error 5 (target): No answer. Try again.\n");
  });

  it("includes the stack trace of a bug", () => {
    const { reporter, stdout } = open({ mode: "json" });
    reporter.fail(new DualsyncError("bug", "Wrong."), 70);
    expect(records(stdout)[0]?.stack).toContain("json.test.ts");
  });

  it("writes nothing after the summary, whatever is called", () => {
    const { reporter, stdout } = open({ mode: "json", verbose: true });
    reporter.finish(report());
    const after = stdout.text;
    reporter.note("a");
    reporter.warn("b");
    reporter.detail("c");
    reporter.plan(plan());
    reporter.meter("orders", 1);
    reporter.finish(report());
    reporter.fail(new DualsyncError("local", "Late."), 9);
    vi.advanceTimersByTime(10_000);
    expect(stdout.text).toBe(after);
  });

  it("writes no summary for a run that was closed before it finished", () => {
    const { reporter, stdout } = open({ mode: "json" });
    reporter.plan(plan());
    reporter.close();
    expect(types(stdout)).toEqual(["start"]);
  });

  it("writes details as notes, and only with --verbose", () => {
    const { reporter, stdout } = open({ mode: "json", verbose: true });
    reporter.detail("server 8.0.4");
    expect(records(stdout)).toMatchObject([{ type: "note", message: "server 8.0.4", detail: true }]);
    const silent = open({ mode: "json" });
    silent.reporter.detail("server 8.0.4");
    expect(silent.stdout.text).toBe("");
  });
});
