import { readInt32 } from "./elements.ts";

const BIAS = 6176;
const MOST_DIGITS = 34;
const LEAST_EXPONENT = -6176;
const MOST_EXPONENT = 6111;
const LOW_64 = (1n << 64n) - 1n;

/** `±coefficient × 10^exponent`; the coefficient is decimal digits. Zeros at its end are part of it: 1.50 is not 1.5. */
export interface Scaled {
  readonly negative: boolean;
  readonly coefficient: string;
  readonly exponent: number;
}

/**
 * The same value as a decimal128 can hold it; undefined when none can. The exponent is kept where there is room, else as few
 * zeros as possible are moved between the two parts.
 */
export function fitted({ negative, coefficient, exponent }: Scaled): Scaled | undefined {
  const digits = coefficient.replace(/^0+(?=.)/, "");
  if (digits === "0") {
    return {
      negative,
      coefficient: "0",
      exponent: Math.min(Math.max(exponent, LEAST_EXPONENT), MOST_EXPONENT),
    };
  }
  const spare = Math.max(digits.length - MOST_DIGITS, LEAST_EXPONENT - exponent, 0);
  const missing = Math.max(exponent - MOST_EXPONENT, 0);
  if (digits.length - spare + missing > MOST_DIGITS || spare >= digits.length) return undefined;
  if (exponent + spare - missing > MOST_EXPONENT) return undefined;
  const end = digits.length - spare;
  if (/[1-9]/.test(digits.slice(end))) return undefined;
  return {
    negative,
    coefficient: digits.slice(0, end) + "0".repeat(missing),
    exponent: exponent + spare - missing,
  };
}

/** The sixteen bytes of a value that `fitted` gave. */
export function decimal128Bytes({ negative, coefficient, exponent }: Scaled): Uint8Array {
  const bits = (BigInt(negative) << 127n) | (BigInt(exponent + BIAS) << 113n) | BigInt(coefficient);
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, bits & LOW_64, true);
  view.setBigUint64(8, bits >> 64n, true);
  return new Uint8Array(view.buffer);
}

/** The decimal128 at `at`, as it is written; NaN and the infinities as their names. */
export function readDecimal128(bytes: Uint8Array, at: number): Scaled | "NaN" | "Infinity" | "-Infinity" {
  const top = readInt32(bytes, at + 12);
  const combination = (top >>> 26) & 0x1f;
  if (combination === 0x1f) return "NaN";
  if (combination === 0x1e) return top < 0 ? "-Infinity" : "Infinity";
  const word = (offset: number) => BigInt(readInt32(bytes, at + offset) >>> 0);
  const negative = top < 0;
  // What is not canonical stands for zero.
  if (combination >>> 3 === 3) return { negative, coefficient: "0", exponent: 0 };
  const coefficient = (BigInt(top & 0x1ffff) << 96n) | (word(8) << 64n) | (word(4) << 32n) | word(0);
  const exponent = ((top >>> 17) & 0x3fff) - BIAS;
  if (coefficient >= 10n ** BigInt(MOST_DIGITS)) return { negative, coefficient: "0", exponent };
  return { negative, coefficient: coefficient.toString(), exponent };
}
