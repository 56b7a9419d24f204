import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { changedText, changePlanText } from "../../../src/reporting/human/change-text.ts";
import { textWidth } from "../../../src/reporting/text/text-width.ts";
import { changePlan, changeReport, without } from "../comparison-samples.ts";

const PIPE = { width: Number.POSITIVE_INFINITY, paint: new Chalk({ level: 0 }) };

describe("plan of a repair or undo as text", () => {
  it("lists how many documents of each collection will be inserted, replaced and removed", () => {
    const collections = [
      { collection: "orders", insert: 1_200, replace: 3, remove: 0 },
      { collection: "log", insert: 0, replace: 0, remove: 12 },
    ];
    expect(changePlanText(changePlan({ collections, notes: ["N."] }), PIPE)).toBe(
      [
        "repair",
        "  from  localhost:27017/ordersDB",
        "  to    localhost:27017/ordersDB_backup",
        "",
        "collection  insert  replace  remove",
        "orders       1,200        3       0",
        "log              0        0      12",
        "total        1,200        3      12",
        "",
        "N.",
        "",
      ].join("\n"),
    );
  });

  it("shows no source when the plan has none", () => {
    const text = changePlanText(without(changePlan({ command: "undo" }), "source"), PIPE);
    expect(text).toMatch(/^undo\n {2}to {4}localhost:27017\/ordersDB_backup\n/);
  });

  it('ends with "Nothing was written." in a dry run and in no other run', () => {
    const dry = changePlanText(changePlan({ dryRun: true }), PIPE);
    expect(dry).toMatch(/^repair \(dry run\)\n/);
    expect(dry).toMatch(/Nothing was written\.\n$/);
    expect(changePlanText(changePlan(), PIPE)).not.toMatch(/dry run|nothing was written/i);
  });

  it("says so when there is nothing to change", () => {
    expect(changePlanText(changePlan({ collections: [] }), PIPE)).toContain("There is nothing to change.");
  });
});

describe("result of a repair or undo as text", () => {
  it("shows a table, the items that were left unchanged, the time taken and the verdict", () => {
    const items = [
      { key: "document orders/1", reason: "accepted one", accepted: true },
      { key: "document orders/17", reason: "changed since the plan was made", accepted: false },
    ];
    expect(changedText(changeReport({ items, itemCount: 2 }), PIPE)).toBe(
      [
        "collection  changed  unchanged  conflicts  skipped",
        "orders        1,200          1          2        0",
        "total         1,200          1          2        0",
        "",
        "Left unchanged: 2",
        "  document orders/17: changed since the plan was made",
        "  (accepted) document orders/1: accepted one",
        "",
        "1,200 documents changed in 4 s; 2026-11-21 03:17:00 to 03:17:04 UTC.",
        "Repaired: 1,200 documents, read back and equal to the source's. 2 documents changed since the plan was made, or could not be written, and were left alone: compare again.",
        "",
      ].join("\n"),
    );
  });

  it("counts the items that it does not list", () => {
    const items = Array.from({ length: 80 }, (_, index) => ({
      key: `document orders/${index}`,
      reason: "r",
      accepted: false,
    }));
    const text = changedText(changeReport({ items, itemCount: 9_000 }), PIPE);
    expect(text.match(/document orders/g)).toHaveLength(50);
    expect(text).toContain("  and 8,950 more\n");
  });

  it.each([30, 80])("fits the table into a terminal of %d columns", (width) => {
    const report = changeReport({
      collections: [{ collection: "x".repeat(255), changed: 1, unchanged: 0, conflicts: 0, skipped: 0 }],
      verdict: "V",
    });
    const lines = changedText(report, { ...PIPE, width }).split("\n");
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(width);
  });
});
