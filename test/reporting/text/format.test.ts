import { describe, expect, it } from "vitest";
import { bytes } from "../../../src/model/size-text.ts";
import { count, duration, eta, grouped, percent, rate } from "../../../src/reporting/text/format.ts";

describe("format", () => {
  it.each([
    [0, "0"],
    [999, "999"],
    [1_000, "1,000"],
    [50_000, "50,000"],
    [1_234_567_890, "1,234,567,890"],
    [-12_345, "-12,345"],
    [1_234.6, "1,235"],
  ])("grouped shows the number %d as %s", (value, text) => expect(grouped(value)).toBe(text));

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [999_499, "999 kB"],
    [999_999, "1.0 MB"],
    [1_234_567, "1.2 MB"],
    [99_960_000, "100 MB"],
    [512_000_000, "512 MB"],
    [2 ** 60, "1153 PB"],
  ])("bytes shows a size of %d as %s", (value, text) => expect(bytes(value)).toBe(text));

  it.each([
    [0.42, "0.4/s"],
    [9.96, "10/s"],
    [12_345.4, "12,345/s"],
  ])("rate shows %d documents a second as %s", (value, text) => expect(rate(value)).toBe(text));

  it.each([
    [0, "0 s"],
    [420, "0.4 s"],
    [5_000, "5 s"],
    [9_960, "10 s"],
    [59_700, "1 min"],
    [65_000, "1 min 5 s"],
    [3_600_000, "1 h"],
    [7_380_000, "2 h 3 min"],
    [100 * 3_600_000, "4 d 4 h"],
    [-5, "0 s"],
  ])("duration shows %d milliseconds as %s", (value, text) => expect(duration(value)).toBe(text));

  it.each([
    [0, "about 5 s"],
    [17_000, "about 20 s"],
    [56_000, "about 1 min"],
    [125_000, "about 2 min"],
    [3_600_000, "about 1 h"],
    [5_400_000, "about 1.5 h"],
    [30 * 3_600_000, "about 30 h"],
    [72 * 3_600_000, "about 3 d"],
  ])("eta shows %d remaining milliseconds as %s", (value, text) => expect(eta(value)).toBe(text));

  it("count uses the singular or the plural of the noun", () => {
    expect(count(1, "document")).toBe("1 document");
    expect(count(0, "document")).toBe("0 documents");
    expect(count(2_000, "index", "indexes")).toBe("2,000 indexes");
  });

  it("percent is 100 only when everything is done", () => {
    expect(percent(99_999, 100_000)).toBe(99);
    expect(percent(100_000, 100_000)).toBe(100);
    expect(percent(5, 0)).toBeUndefined();
  });
});
