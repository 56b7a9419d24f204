import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { serviceText, syncPlanText, syncText } from "../../../src/reporting/human/sync-text.ts";
import { textWidth } from "../../../src/reporting/text/text-width.ts";
import { distinctCounts, serviceReport, syncCounts, syncPlan, syncReport } from "../sync-samples.ts";

const PIPE = { width: Number.POSITIVE_INFINITY, paint: new Chalk({ level: 0 }) };

describe("plan of a synchronization as text", () => {
  it("names both stores with their keys, says what the run costs, and ends with the notes", () => {
    expect(syncPlanText(syncPlan(), PIPE)).toBe(
      [
        "sync-kv to-mongodb",
        "  KV       shop.upstash.io  5,000 keys",
        "  MongoDB  localhost:27017/skinvault  4,980 keys, layout records; 4,975 agreed on before",
        "",
        "Cost: 5,018 to 5,430 billed commands in 12 to 130 requests, 1.3 MB to 10.4 MB. A run every night: 150,540 to 162,900 commands a month.",
        "KV is only read.",
        "What was changed on both sides is named and left.",
        "",
      ].join("\n"),
    );
  });

  it("shows one number where the least and the most are the same", () => {
    const one = { least: 1_000, most: 1_000 };
    const text = syncPlanText(
      syncPlan({ commands: one, requests: one, bytes: one, commandsAMonth: one }),
      PIPE,
    );
    expect(text).toContain(
      "Cost: 1,000 billed commands in 1,000 requests, 1.0 kB. A run every night: 1,000 commands a month.\n",
    );
  });

  it('ends with "Nothing was written." in a dry run and in no other run', () => {
    const dry = syncPlanText(syncPlan({ dryRun: true }), PIPE);
    expect(dry).toMatch(/^sync-kv to-mongodb \(dry run\)\n/);
    expect(dry).toMatch(/Nothing was written\.\n$/);
    expect(syncPlanText(syncPlan(), PIPE)).not.toMatch(/dry run|nothing was written/i);
  });

  it.each([40, 80])("breaks its sentences at words in a terminal of %d columns", (width) => {
    const [, sentences = ""] = syncPlanText(syncPlan(), { ...PIPE, width }).split("\n\n");
    const lines = sentences.split("\n");
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(width);
    expect(lines.join(" ").trim()).toBe(
      syncPlanText(syncPlan(), PIPE).split("\n\n")[1]?.split("\n").join(" ").trim(),
    );
  });
});

describe("result of a synchronization as text", () => {
  it("shows only the counts that are not 0, what it took, and the verdict as the last line", () => {
    expect(syncText(syncReport(), PIPE)).toBe(
      [
        "                              keys",
        "agreed on before, unchanged  4,970",
        "written to MongoDB              30",
        "",
        "5,021 billed commands in 24 requests (3.1 MB), 4 s; 2026-11-21 03:17:00 to 03:17:04 UTC.",
        "In step: 4,970 keys equal; 30 keys written to MongoDB, and read back.",
        "",
      ].join("\n"),
    );
  });

  it("has a row of its own for each thing that is counted", () => {
    const [table = ""] = syncText(syncReport({ counts: distinctCounts() }), PIPE).split("\n\n");
    const rows = table.split("\n").slice(1);
    const numbers = rows.map((row) => Number(/\d+$/.exec(row)?.[0]));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Object.values(distinctCounts()));
    expect(new Set(rows.map((row) => row.replace(/\d+$/, ""))).size).toBe(rows.length);
  });

  it("has no table where nothing was counted", () => {
    const counts = syncCounts({ equal: 0, copyWritten: 0 });
    expect(syncText(syncReport({ counts, verdict: "V" }), PIPE)).toMatch(/^5,021 billed commands .+\nV\n$/);
  });

  it("lists what is not in step, and counts what it does not list", () => {
    const items = [
      { key: 'key "notice"', reason: "only in MongoDB", accepted: true },
      { key: 'key "settings"', reason: "changed in MongoDB since both agreed", accepted: false },
    ];
    const text = syncText(syncReport({ items, itemCount: 2_002, exitCode: 3 }), PIPE);
    expect(text).toContain(
      [
        "Not in step: 2,002",
        '  key "settings": changed in MongoDB since both agreed',
        '  (accepted) key "notice": only in MongoDB',
        "  and 2,000 more",
        "",
      ].join("\n"),
    );
  });

  it("says one command, one request and one key where it is one", () => {
    const spent = { commands: 1, requests: 1, bytes: 10 };
    expect(syncText(syncReport({ spent }), PIPE)).toContain("1 billed command in 1 request (10 B), 4 s;");
    const plan = syncPlanText(syncPlan({ primaryDocuments: 1, copyDocuments: 1 }), PIPE);
    expect(plan).toContain("shop.upstash.io  1 key\n");
    expect(plan).toContain("skinvault  1 key, layout records;");
  });
});

describe("which store serves, as text", () => {
  it("has a line for each store and ends with what that means", () => {
    expect(serviceText(serviceReport(), PIPE)).toBe(
      [
        "  KV       shop.upstash.io            does not serve",
        "  MongoDB  localhost:27017/skinvault  serves",
        "",
        "The source shop.upstash.io is not available. MongoDB serves.",
        "",
      ].join("\n"),
    );
  });

  it("says which store nothing names", () => {
    const none = { configured: false, available: false };
    const text = serviceText(serviceReport({ kv: none, mongodb: none, verdict: "Neither serves." }), PIPE);
    expect(text).toBe("  KV       is not configured\n  MongoDB  is not configured\n\nNeither serves.\n");
  });
});
