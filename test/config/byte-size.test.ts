import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteSize, readRate } from "../../src/config/settings/byte-size.ts";
import { failureOf, textOf } from "../support/configuration-failure.ts";

const UNITS = {
  B: 1,
  kB: 1_000,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  TB: 1_000_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
  TiB: 1_099_511_627_776,
} as const;
const unit = fc.constantFrom(...(Object.keys(UNITS) as (keyof typeof UNITS)[]));
const size = (text: string): number => byteSize(text, "--max-target-size");
const rate = (text: string): object => readRate(text, "--rate");

describe("sizes", () => {
  test.each([
    ["512MB", 512_000_000],
    ["1.5GB", 1_500_000_000],
    ["600000000", 600_000_000],
    ["2MiB", 2_097_152],
    [" 0.5 KiB ", 512],
    ["0.1MB", 100_000],
    ["1.005kB", 1_005],
    ["1", 1],
  ])("the size %j is read as %d bytes", (text, bytes) => {
    expect(size(text)).toBe(bytes);
  });

  test("a size of any whole number with any unit is read as their product", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8_000 }), unit, fc.constantFrom("", " "), (n, name, space) => {
        expect(size(`${n}${space}${name}`)).toBe(n * UNITS[name]);
      }),
    );
  });

  test("reads sizes with decimals exact to the byte", () => {
    fc.assert(
      fc.property(fc.nat(999_999), fc.integer({ min: 1, max: 999_999_999 }), (whole, rest) => {
        const decimals = String(rest).padStart(9, "0");
        expect(size(`${whole}.${decimals}GB`)).toBe(whole * 1e9 + rest);
      }),
    );
  });

  test.each([
    ["", "empty"],
    ["0", "zero"],
    ["0.4B", "less than a byte"],
    ["1.5", "half a byte"],
    ["-1MB", "negative"],
    ["5Mb", "bits"],
    ["5mb", "bits or bytes"],
    ["5M", "no unit"],
    ["5 0MB", "two numbers"],
    ["1e9", "an exponent"],
    ["0x10", "not decimal"],
    ["9007199254740993", "beyond safe integers"],
    ["10000TB", "beyond safe integers"],
    ["1,5GB", "a comma"],
    ["MB", "no number"],
    [`1${" ".repeat(50)}MB`, "too many blanks"],
    ["٣MB", "digits that are not ASCII"],
  ])("rejects the size %j (%s) and names the flag and what is allowed", (text) => {
    const failure = failureOf(() => size(text));
    expect(failure.exit).toBe("usage");
    expect(failure.message).toContain("--max-target-size must be a size such as 512MB");
    expect(failure.message).toContain("Nothing was contacted.");
    expect(textOf(failure)).toContain("GiB");
  });

  test("shortens and escapes a rejected size in its message", () => {
    const failure = failureOf(() => size(`\u001b[2J${"9".repeat(500)}`));
    expect(failure.message).toContain('"\\x1b[2J999');
    expect(failure.message.length).toBeLessThan(250);
  });

  test("reads any text as a positive whole number of bytes or rejects it with a usage error", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,6} ?[kKMGTi]{0,2}B?$/));
    fc.assert(
      fc.property(text, (written) => {
        let bytes: number;
        try {
          bytes = size(written);
        } catch (error) {
          expect(error).toMatchObject({ exit: "usage" });
          return;
        }
        expect(Number.isSafeInteger(bytes) && bytes >= 1).toBe(true);
      }),
    );
  });
});

describe("rates", () => {
  test.each([
    ["500", { documentsPerSecond: 500 }],
    ["500/s", { documentsPerSecond: 500 }],
    ["5MB", { bytesPerSecond: 5_000_000 }],
    ["5MB/s", { bytesPerSecond: 5_000_000 }],
    ["800kB", { bytesPerSecond: 800_000 }],
    ["2MiB /s", { bytesPerSecond: 2_097_152 }],
    ["64B/s", { bytesPerSecond: 64 }],
  ])("reads the rate %j as %j", (text, expected) => {
    expect(rate(text)).toEqual(expected);
  });

  test("reads a rate the same with and without /s", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8_000 }), fc.option(unit), (n, name) => {
        const text = `${n}${name ?? ""}`;
        expect(rate(`${text}/s`)).toEqual(rate(text));
        expect(rate(text)).toEqual(
          name === null ? { documentsPerSecond: n } : { bytesPerSecond: n * UNITS[name] },
        );
      }),
    );
  });

  test.each([
    "",
    "/s",
    "0",
    "0/s",
    "-5",
    "1.5",
    "5MB/m",
    "5MB/s/s",
    "fast",
    "500 docs",
    "5Mb/s",
    "5MB\n/s/s",
  ])("rejects the rate %j and names the flag and what is allowed", (text) => {
    const failure = failureOf(() => rate(text));
    expect(failure.exit).toBe("usage");
    expect(failure.message).toMatch(/^--rate must be documents a second such as 500 .* 5MB\/s, but it is "/);
  });
});
