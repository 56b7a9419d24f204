import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import type { Comparison, DiffReport } from "../../../src/model/reporter.ts";
import { comparedText, comparisonText } from "../../../src/reporting/human/diff-text.ts";
import { textWidth } from "../../../src/reporting/text/text-width.ts";
import { compared, comparison, diffReport, toCompare } from "../comparison-samples.ts";

const PIPE = { width: Number.POSITIVE_INFINITY, paint: new Chalk({ level: 0 }) };

const comparisonLines = (more: Partial<Comparison> = {}) =>
  comparisonText(comparison(more), PIPE).split("\n");
const resultLines = (more: Partial<DiffReport> = {}) => comparedText(diffReport(more), PIPE).split("\n");

const orders = compared("orders", {
  sourceDocuments: 50_000,
  targetDocuments: 49_999,
  equal: 49_990,
  missing: 4,
  extra: 3,
  changed: 6,
  metadata: 1,
  verdict: "different",
});
const view = compared("paid", {
  kind: "definition",
  type: "view",
  tier: "definition",
  sourceDocuments: 0,
  targetDocuments: 0,
  equal: 0,
  metadata: 1,
  verdict: "different",
});

describe("plan of a comparison as text", () => {
  it("begins with the command, the pair and the amount of data to compare", () => {
    expect(comparisonLines()).toEqual([
      "diff",
      "  from  localhost:27017/ordersDB",
      "  to    localhost:27017/ordersDB_backup",
      "",
      "Compares 2 collections, about 51,200 documents (13.5 MB).",
      "",
    ]);
  });

  it("counts views separately because their documents are not counted", () => {
    const paid = toCompare("paid", {
      kind: "definition",
      type: "view",
      documents: undefined,
      bytes: undefined,
    });
    expect(
      comparisonLines({ collections: [toCompare("orders", { documents: 1, bytes: 90 }), paid] }),
    ).toContain("Compares 1 collection, about 1 document (90 B); 1 view.");
  });

  it("says which interrupted comparison it resumes, gives the notes, and lists what is not compared and why", () => {
    const lines = comparisonLines({
      resumedSince: new Date("2026-11-20T23:59:58Z"),
      notes: ["The source is being written."],
      notCompared: [{ name: "system.users", reason: "users are kept by the server" }],
    });
    expect(lines.slice(5)).toEqual([
      "Resumes the interrupted comparison of 2026-11-20 23:59 UTC: what it compared is not read again.",
      "The source is being written.",
      "",
      "Not compared:",
      "  system.users: users are kept by the server",
      "",
    ]);
  });
});

describe("result of a comparison as text", () => {
  it("shows one table with a row for each collection and a total", () => {
    const renamed = compared("shop", { target: "shops" });
    expect(resultLines({ collections: [compared("customers"), renamed, orders] }).slice(0, 6)).toEqual([
      "                                      only in  only in          meta-",
      "collection    source  target   equal   source   target  differ   data  verdict",
      "customers      1,200   1,200   1,200        0        0       0      0  identical",
      "shop → shops   1,200   1,200   1,200        0        0       0      0  identical",
      "orders        50,000  49,999  49,990        4        3       6      1  different",
      "total         52,400  52,399  52,390        4        3       6      1",
    ]);
  });

  it("says in the table how each collection was compared when there are several strategies", () => {
    const lines = resultLines({ collections: [compared("customers", { tier: "hashes" }), view] });
    expect(lines[1]).toMatch(/ how {9}verdict$/);
    expect(lines[2]).toMatch(/ hashed {6}identical$/);
    expect(lines[3]).toMatch(/^paid( +-){6} +1 {2}definition {2}different$/);
    expect(lines.find((line) => line.startsWith("How: "))).toMatch(/^How: hashed: .*; definition: .*\.$/);
  });

  it("does not say how a collection was compared that was not compared", () => {
    const [, , row] = resultLines({ collections: [compared("a", { verdict: "not compared" }), view] });
    expect(row).toMatch(/ 0 {2}- {11}not compared$/);
  });

  it("shows no numbers of a collection that could not be looked at", () => {
    const none = { sourceDocuments: 0, targetDocuments: 0, equal: 0, verdict: "not compared" } as const;
    const unread = compared("a", { ...none, unreadable: 1, complete: false });
    expect(resultLines({ collections: [unread, compared("b")] })[2]).toMatch(/^a( +-){7} +not compared$/);
    const begun = compared("a", { ...none, sourceDocuments: 7, targetDocuments: 7, complete: false });
    expect(resultLines({ collections: [begun, compared("b")] })[2]).toMatch(
      /^a( +7){2}( +-){5} +not compared$/,
    );
  });

  it.each([
    ["source-hashes", "the source's server hashed every byte, every document of the target was read"],
    ["target-hashes", "the target's server hashed every byte, every document of the source was read"],
    ["hashes", "both servers hashed every byte"],
  ] as const)("says which servers hashed their documents when the strategy was %s", (tier, sentence) => {
    const lines = resultLines({ collections: [compared("a", { tier })] }).join(" ");
    expect(lines.replace(/\s+/g, " ")).toContain(`How: ${sentence}`);
  });

  it.each(["moving", "settled", "expired", "accepted", "behind", "diverged"] as const)(
    "shows the column %s only when it has a count above zero",
    (column) => {
      expect(resultLines()[1]).not.toContain(column);
      expect(resultLines({ collections: [compared("a"), compared("b", { [column]: 7 })] })[1]).toContain(
        column,
      );
    },
  );

  it("lists what was not compared, and marks the user's own choices and lists them last", () => {
    const lines = resultLines({
      notCompared: [
        { name: "tmp", reason: "--exclude", chosen: true },
        { name: "events", reason: "no right to read it", chosen: false },
      ],
    });
    const at = lines.indexOf("Not compared:");
    expect(lines.slice(at + 1, at + 3)).toEqual([
      "  events: no right to read it",
      "  (your choice) tmp: --exclude",
    ]);
  });

  it("ends with the time taken, how the comparison was done, and the verdict", () => {
    const lines = resultLines({ bytesRead: 45_000, plan: "plan.jsonl" });
    expect(lines.slice(-5)).toEqual([
      "1,200 documents of the source and 1,200 of the target (2.2 MB together) compared in 4 s, 600/s, 45.0 kB read; 2026-11-21 03:17:00 to 03:17:04 UTC.",
      "How: every byte of both sides was read.",
      "The differences are in plan.jsonl.",
      "Identical. Compared: 1,200 documents in 1 collection with their options and indexes, byte for byte, from 2026-11-21 03:17:00 to 03:17:04 UTC.",
      "",
    ]);
  });

  it("says when only part of the ranges was compared or the order of fields was ignored", () => {
    const lines = resultLines({ exact: false, complete: false, ranges: { done: 2, total: 9 } });
    expect(lines).toContain("2 of 9 ranges were compared.");
    expect(lines).toContain("The order of fields was ignored: equal does not mean equal byte for byte here.");
  });

  it("colours the verdict of a comparison by the exit code", () => {
    const paint = new Chalk({ level: 1 });
    const verdict = (exitCode: number) =>
      comparedText(diffReport({ exitCode, verdict: "V" }), { width: 80, paint });
    expect(verdict(0)).toContain(paint.bold.green("V"));
    expect(verdict(1)).toContain(paint.bold.yellow("V"));
    expect(verdict(12)).toContain(paint.bold.red("V"));
  });

  it.each([40, 60, 80, 120])("fits a terminal of %d columns and keeps numbers whole", (width) => {
    const large = compared("x".repeat(255), { sourceDocuments: 1_234_567, settled: 12, behind: 3 });
    const text = comparedText(diffReport({ collections: [large, orders, view], verdict: "V" }), {
      ...PIPE,
      width,
    });
    expect(Math.max(...text.split("\n").map(textWidth))).toBeLessThanOrEqual(width);
    expect(text).toContain("1,234,567");
  });

  it("does not break a word of a heading where each collection is a block", () => {
    const text = comparedText(diffReport(), { ...PIPE, width: 40 });
    expect(text).toContain("only in target 0");
    expect(text).toContain("metadata 0");
  });

  it("shows a comparison without special cases as a table in 80 columns", () => {
    const text = comparedText(diffReport({ collections: [compared("customers"), orders] }), {
      ...PIPE,
      width: 80,
    });
    expect(text.split("\n")[1]).toMatch(/^collection .* verdict$/);
  });
});
