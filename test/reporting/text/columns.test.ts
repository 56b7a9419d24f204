import { describe, expect, it } from "vitest";
import { type TableColumn, table } from "../../../src/reporting/text/columns.ts";
import { textWidth } from "../../../src/reporting/text/text-width.ts";

const COLUMNS: readonly TableColumn[] = [
  { heading: "collection", align: "left", cut: true },
  { heading: "read", align: "right" },
  { heading: "not\nequal", align: "right" },
  { heading: "verdict", align: "left" },
];
const PIPE = { width: Number.POSITIVE_INFINITY };

describe("table", () => {
  it("aligns names to the left and numbers to the right, under stacked headings", () => {
    const rows = [
      ["orders", "50,000", "1", "incomplete"],
      ["vip", "7", "0", "verified"],
    ];
    expect(table(COLUMNS, rows, PIPE).split("\n")).toEqual([
      "                      not",
      "collection    read  equal  verdict",
      "orders      50,000      1  incomplete",
      "vip              7      0  verified",
      "",
    ]);
  });

  it("keeps columns aligned after wide and combining characters", () => {
    const rows = ["注文の履歴", "cafe\u0301", "plain"].map((name) => [name, "1", "0", "verified"]);
    const starts = table(COLUMNS, rows, PIPE)
      .split("\n")
      .slice(2, 5)
      .map((line) => textWidth(line.slice(0, line.indexOf("verified"))));
    expect(new Set(starts).size).toBe(1);
  });

  it("shortens only names, in the middle, to fit a terminal", () => {
    const rows = [["order_events_archive_of_the_year_2024", "50,000", "1", "incomplete"]];
    const lines = table(COLUMNS, rows, { width: 40 }).split("\n");
    expect(lines[2]).toMatch(/^order_\S*…\S*2024 {2}50,000 {6}1 {2}incomplete$/);
    expect(Math.max(...lines.map(textWidth))).toBe(40);
  });

  it("does not shorten names in a pipe", () => {
    const name = "x".repeat(255);
    expect(table(COLUMNS, [[name, "1", "0", "verified"]], PIPE)).toContain(name);
  });

  it("narrows the gaps between columns before it gives up the table", () => {
    const rows = [["a_long_collection_name", "123,456,789", "0", "verified"]];
    const lines = table(COLUMNS, rows, { width: 39 }).split("\n");
    expect(lines[2]).toMatch(/^\S{12} 123,456,789 {5}0 verified$/);
  });

  it("prints each row as a block with whole numbers where no table fits", () => {
    const rows = [["a_long_collection_name", "123,456,789", "0", "verified"]];
    const text = table(COLUMNS, rows, { width: 32 });
    expect(text).toBe("a_long_collection_name\n  read 123,456,789, not equal 0,\n  verdict verified\n");
  });

  it("shortens only the columns that may be shortened", () => {
    const rows = [["a_long_collection_name", "1", "0", "verified, with a remark"]];
    expect(table(COLUMNS, rows, { width: 36 })).toContain("verified, with a remark");
  });

  it("colours a cell without moving the neighbouring cells", () => {
    const cell = { text: "7", paint: (text: string) => `<${text}>` };
    const lines = table(COLUMNS, [["vip", cell, "0", "verified"]], PIPE).split("\n");
    expect(lines[2]).toBe("vip            <7>      0  verified");
  });
});
