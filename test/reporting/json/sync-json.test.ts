import { expect, it } from "vitest";
import { open } from "../samples.ts";
import { distinctCounts, serviceReport, syncPlan, syncReport } from "../sync-samples.ts";

function records(lines: readonly string[]): readonly { readonly [name: string]: unknown }[] {
  return lines.map((line) => JSON.parse(line) as { readonly [name: string]: unknown });
}

it("the start record of a synchronization holds the whole plan", () => {
  const { reporter, stdout } = open({ mode: "json", command: "sync-kv" });
  reporter.syncPlan(syncPlan());
  reporter.close();
  expect(records(stdout.lines)).toMatchObject([{ v: 1, type: "start", run: "run-1", ...syncPlan() }]);
});

it("a synchronization ends with a record for each item and a summary with every count, what was spent and the verdict", () => {
  const { reporter, stdout, stderr } = open({ mode: "json", command: "sync-kv" });
  const counts = distinctCounts();
  const items = [
    { key: 'key "a"', reason: "only in MongoDB", accepted: false },
    { key: 'key "b"', reason: "only in MongoDB", accepted: true },
  ];
  const report = syncReport({ counts, items, itemCount: 4_000, exitCode: 3, verdict: "Not all in step: …" });
  reporter.synced(report);
  reporter.note("late");
  reporter.synced(report);
  const { primary, copy, direction, layout, spent } = report;
  expect(records(stdout.lines)).toEqual([
    expect.objectContaining({ type: "item", ...items[0] }),
    expect.objectContaining({ type: "item", ...items[1] }),
    {
      ...{ v: 1, type: "summary", ts: expect.any(String), run: "run-1", command: "sync-kv" },
      ...{ primary, copy, direction, layout, spent, ...counts },
      ...{ started: "2026-11-21T03:17:00.000Z", ended: "2026-11-21T03:17:04.000Z", durationMs: 4_000 },
      ...{ items: 4_000, exitCode: 3, outcome: "incomplete", verdict: "Not all in step: …" },
    },
  ]);
  expect(stderr.text).toBe("");
});

it("a check has one record, which holds the status, the health and both stores, and no names of them", () => {
  const { reporter, stdout } = open({ mode: "json", command: "sync-kv" });
  reporter.checked(serviceReport());
  reporter.close();
  expect(records(stdout.lines)).toEqual([
    {
      ...{ v: 1, type: "check", ts: expect.any(String), run: "run-1", command: "sync-kv" },
      ...{ status: "mongodb", health: { kv: false, mongodb: true } },
      kv: { configured: true, available: false },
      mongodb: { configured: true, available: true },
      ...{ exitCode: 4, outcome: "source" },
      verdict: "The source shop.upstash.io is not available. MongoDB serves.",
    },
  ]);
});
