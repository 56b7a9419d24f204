import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { reportText } from "../../../src/reporting/human/report-text.ts";
import { textWidth } from "../../../src/reporting/text/text-width.ts";
import { copied, report } from "../samples.ts";

const PIPE = { width: Number.POSITIVE_INFINITY, paint: new Chalk({ level: 0 }) };

function linesOf(...arguments_: Parameters<typeof report>): string[] {
  return reportText(report(...arguments_), PIPE).split("\n");
}

const orders = copied("orders", {
  read: 50_000,
  written: 2,
  unchanged: 49_997,
  rejected: 1,
  sourceCount: 50_000,
  targetCount: 49_999,
  verdict: "incomplete",
});
const view = copied("paid", {
  kind: "definition",
  type: "view",
  read: 0,
  written: 0,
  sourceCount: undefined,
  verdict: "defined",
});

describe("report of a copy as text", () => {
  it("shows one table with a row for each collection and a total", () => {
    const collections = [copied("customers"), copied("shop", { target: "shops" }), orders, view];
    expect(linesOf({ collections }).slice(0, 7)).toEqual([
      "                                             not  source  target",
      "collection      read  written  unchanged  copied   count   count  verdict",
      "customers      1,200    1,200          0       0   1,200   1,200  verified",
      "shop → shops   1,200    1,200          0       0   1,200   1,200  verified",
      "orders        50,000        2     49,997       1  50,000  49,999  incomplete",
      "paid               -        -          -       -       -       -  defined",
      "total         52,400    2,402     49,997       1  52,400  52,399",
    ]);
  });

  it.each(["deleted", "extra", "changed"] as const)(
    "shows the column %s only when it has a count above zero",
    (column) => {
      const heading = (lines: string[]) => lines[1]?.split(/\s+/);
      expect(heading(linesOf())).not.toContain(column);
      expect(heading(linesOf({ collections: [copied("a"), copied("b", { [column]: 7 })] }))).toContain(
        column,
      );
    },
  );

  it("shows no total count when one collection was not counted", () => {
    const collections = [copied("a"), copied("b", { targetCount: undefined })];
    const total = linesOf({ collections }).find((line) => line.startsWith("total"));
    expect(total?.trim().split(/\s+/).slice(-2)).toEqual(["2,400", "-"]);
  });

  it("lists items with their key and reason, and marks the accepted ones and lists them last", () => {
    const items = [
      { key: "option orders/validator", reason: "no right to set it", accepted: true },
      { key: "document orders/17", reason: "larger than 16 MB", accepted: false },
    ];
    const lines = linesOf({ items, itemCount: 2 });
    const at = lines.indexOf("Could not be copied: 2");
    expect(lines.slice(at + 1, at + 3)).toEqual([
      "  document orders/17: larger than 16 MB",
      "  (accepted) option orders/validator: no right to set it",
    ]);
  });

  it("shows at most 50 items, the new ones before the accepted ones, and counts the others", () => {
    const items = Array.from({ length: 80 }, (_, index) => ({
      key: `document orders/${index}`,
      reason: "too large",
      accepted: index < 60,
    }));
    const lines = linesOf({ items, itemCount: 12_345 });
    expect(lines.filter((line) => line.includes("document orders/"))).toHaveLength(50);
    expect(lines.filter((line) => line.startsWith("  document orders/"))).toHaveLength(20);
    expect(lines).toContain("  and 12,295 more");
  });

  it("ends with the time taken and the verdict", () => {
    const text = reportText(report(), PIPE);
    expect(text).toMatch(
      /\n1,200 documents read \(1\.1 MB\) in 4 s, 300\/s; 2026-11-21 03:17:00 to 03:17:04 UTC\.\nDone: 1,200 documents written, 0 documents unchanged; read back and equal byte for byte\.\n$/,
    );
  });

  it("colours the verdict of a copy by the exit code", () => {
    const paint = new Chalk({ level: 1 });
    const verdict = (exitCode: number) =>
      reportText(report({ exitCode, verdict: "V" }), { width: 80, paint });
    expect(verdict(0)).toContain(paint.bold.green("V"));
    expect(verdict(3)).toContain(paint.bold.yellow("V"));
    expect(verdict(11)).toContain(paint.bold.red("V"));
  });

  it.each([60, 80, 120])("prints no table line wider than a terminal of %d columns", (width) => {
    const large = copied("an_order_events_archive_2024", {
      read: 1_234_567,
      written: 1_234_567,
      changed: 12,
    });
    const lines = reportText(report({ collections: [large, orders, view] }), { ...PIPE, width }).split("\n");
    expect(Math.max(...lines.slice(0, -3).map(textWidth))).toBeLessThanOrEqual(width);
    expect(lines.join("\n")).toContain("1,234,567");
  });

  it("leaves what an interrupted run had read out of the speed, and shows the period from that run's start", () => {
    const text = linesOf({
      collections: [copied("customers")],
      bytes: 3_000_000,
      started: new Date("2026-01-02T03:00:00Z"),
      ended: new Date("2026-01-02T03:00:02Z"),
      resumed: { since: new Date("2026-01-01T23:00:00Z"), documents: 1_000, bytes: 2_000_000 },
    });
    expect(text.slice(-4, -2)).toEqual([
      "200 documents read (1.0 MB) in 2 s, 100/s; 2026-01-01 23:00:00 to 2026-01-02 03:00:02 UTC.",
      "Not read again: 1,000 documents (2.0 MB) that an interrupted run had copied and verified.",
    ]);
  });
});

describe("a long table", () => {
  const fine = Array.from({ length: 1_500 }, (_, n) =>
    copied(`c${n}`, n % 3 === 0 ? { ...view, collection: `c${n}` } : {}),
  );
  const collections = [...fine, orders];
  const text = (style: Partial<typeof PIPE> & { readonly verbose?: boolean }): string[] =>
    reportText(report({ collections }), { ...PIPE, ...style }).split("\n");

  it("shows on a terminal what needs attention, one row for the others, and how to see them all", () => {
    const lines = text({ width: 120 });
    expect(lines.slice(2, 6).map((line) => line.replaceAll(/ +/g, " "))).toEqual([
      "orders 50,000 2 49,997 1 50,000 49,999 incomplete",
      "1,500 others 1,200,000 1,200,000 0 0 1,200,000 1,200,000 verified, defined",
      "total 1,250,000 1,200,002 49,997 1 1,250,000 1,249,999",
      "--verbose lists every one.",
    ]);
    expect(lines.length).toBeLessThan(12);
  });

  it.each([{}, { width: 120, verbose: true }])("has every row in a pipe and with --verbose (%j)", (style) => {
    expect(text(style).filter((line) => /^c\d+ /.test(line))).toHaveLength(1_500);
  });

  it("of 40 rows is shown whole", () => {
    const lines = reportText(report({ collections: fine.slice(0, 40) }), { ...PIPE, width: 120 }).split("\n");
    expect(lines.filter((line) => /^c\d+ /.test(line))).toHaveLength(40);
  });
});
