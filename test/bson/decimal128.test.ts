import { Decimal128 } from "bson";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimal128Bytes, fitted, readDecimal128 } from "../../src/bson/decimal128.ts";
import { runs } from "../support/runs.ts";

const scaled = fc.record({
  negative: fc.boolean(),
  coefficient: fc.oneof(
    fc.stringMatching(/^[0-9]{1,34}$/),
    fc
      .tuple(fc.stringMatching(/^[0-9]{1,34}$/), fc.nat({ max: 12 }))
      .map(([digits, zeros]) => digits + "0".repeat(zeros)),
    fc.stringMatching(/^[0-9]{35,40}$/),
  ),
  exponent: fc.oneof(
    fc.integer({ min: -40, max: 40 }),
    fc.integer({ min: -6220, max: -6130 }),
    fc.integer({ min: 6070, max: 6150 }),
  ),
});

/** The bson package's own reading of the same number; undefined when it would have to round. */
function packaged(text: string): string | undefined {
  try {
    return Decimal128.fromString(text).toString();
  } catch {
    return undefined;
  }
}

describe("decimal128", () => {
  it("keeps a decimal's value and trailing zeros wherever they fit, as the bson package does", () => {
    fc.assert(
      fc.property(scaled, ({ negative, coefficient, exponent }) => {
        // With zeros in front, the package rounds some numbers instead of refusing them.
        const text = `${negative ? "-" : ""}${coefficient.replace(/^0+(?=.)/, "")}E${exponent}`;
        const fit = fitted({ negative, coefficient, exponent });
        const expected = packaged(text);
        if (fit === undefined) {
          expect(expected).toBeUndefined();
          return;
        }
        const bytes = decimal128Bytes(fit);
        expect(readDecimal128(bytes, 0)).toStrictEqual(fit);
        if (expected !== undefined) expect(new Decimal128(bytes).toString()).toBe(expected);
      }),
      { numRuns: runs(1000) },
    );
  });

  it("fits decimals with too many digits or too large an exponent only if zeros make up the difference", () => {
    const whole = (coefficient: string, exponent = 0) => fitted({ negative: false, coefficient, exponent });
    expect(whole("1".repeat(35))).toBeUndefined();
    expect(whole(`${"1".repeat(34)}0`)).toStrictEqual({
      negative: false,
      coefficient: "1".repeat(34),
      exponent: 1,
    });
    expect(whole("1", 6112)).toStrictEqual({ negative: false, coefficient: "10", exponent: 6111 });
    expect(whole("1", 6145)).toBeUndefined();
    expect(whole("10", -6177)).toStrictEqual({ negative: false, coefficient: "1", exponent: -6176 });
    expect(whole("1", -6177)).toBeUndefined();
  });

  it("reads NaN, infinities and non-canonical decimals as the server reads them", () => {
    for (const name of ["NaN", "Infinity", "-Infinity"] as const)
      expect(readDecimal128(Decimal128.fromString(name).bytes, 0)).toBe(name);
    const large = new Uint8Array(16).fill(0xff);
    large[15] = 0x6c;
    expect(readDecimal128(large, 0)).toMatchObject({ coefficient: "0" });
  });
});
