import { readInt32, TYPE } from "./elements.ts";

/**
 * A number by its value alone: `0.DIGITS × 10^exponent`, negative when `rank` is -1. The digits neither start nor end
 * with a zero, so two numbers are equal exactly when all three parts are. Digits are empty unless rank is -1 or 1.
 */
export interface ExactNumber {
  /** -3 NaN, -2 -Infinity, -1 negative, 0 zero, 1 positive, 2 Infinity: the server's order. */
  readonly rank: number;
  readonly digits: string;
  readonly exponent: number;
}

const NAN: ExactNumber = { rank: -3, digits: "", exponent: 0 };
const MINUS_INFINITY: ExactNumber = { rank: -2, digits: "", exponent: 0 };
const ZERO: ExactNumber = { rank: 0, digits: "", exponent: 0 };
const INFINITY: ExactNumber = { rank: 2, digits: "", exponent: 0 };

const MAX_COEFFICIENT = 10n ** 34n - 1n;
const EXPONENT_BIAS = 6176;

const scratch = new DataView(new ArrayBuffer(8));

/** Reads a little-endian double. The caller has checked that eight bytes are there. */
export function readDouble(bytes: Uint8Array, at: number): number {
  scratch.setInt32(0, readInt32(bytes, at), true);
  scratch.setInt32(4, readInt32(bytes, at + 4), true);
  return scratch.getFloat64(0, true);
}

/** The int64 at `at` as the nearest double: rounded once, so its order against any double is never reversed. */
export function readInt64Rounded(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + 4) * 0x1_0000_0000 + (readInt32(bytes, at) >>> 0);
}

/** The int64 at `at`. */
export function readInt64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(readInt32(bytes, at + 4)) << 32n) | BigInt(readInt32(bytes, at) >>> 0);
}

/** The exact value of the number of `type` (double, int32, int64 or decimal128) that starts at `at`. */
export function exactNumber(bytes: Uint8Array, type: number, at: number): ExactNumber {
  switch (type) {
    case TYPE.int32:
      return fromDouble(readInt32(bytes, at));
    case TYPE.double:
      return fromDouble(readDouble(bytes, at));
    case TYPE.int64:
      return fromInt64(bytes, at);
    case TYPE.decimal128:
      return fromDecimal128(bytes, at);
    default:
      throw new RangeError(`not a number: BSON type 0x${type.toString(16)}`);
  }
}

function fromDouble(value: number): ExactNumber {
  if (Number.isNaN(value)) return NAN;
  if (value === 0) return ZERO;
  if (!Number.isFinite(value)) return value < 0 ? MINUS_INFINITY : INFINITY;
  let whole = Math.abs(value);
  // Doubling is exact. It stops at an odd whole number of at most 53 bits, which is value × 2^halvings.
  let halvings = 0;
  for (; !Number.isInteger(whole); halvings++) whole *= 2;
  if (halvings === 0 && whole <= Number.MAX_SAFE_INTEGER) return finite(value < 0, String(whole), 0);
  const coefficient = BigInt(whole) * 5n ** BigInt(halvings);
  return finite(value < 0, coefficient.toString(), -halvings);
}

function fromInt64(bytes: Uint8Array, at: number): ExactNumber {
  const rounded = readInt64Rounded(bytes, at);
  if (Number.isSafeInteger(rounded)) return fromDouble(rounded);
  const value = readInt64(bytes, at);
  return finite(value < 0n, (value < 0n ? -value : value).toString(), 0);
}

/**
 * IEEE 754 decimal128 in its binary-integer form. Coefficients above 34 nines, and all of the form that starts with
 * binary 11 (always above), are not canonical and stand for zero: the server's library reads them so too.
 */
function fromDecimal128(bytes: Uint8Array, at: number): ExactNumber {
  const top = readInt32(bytes, at + 12);
  const negative = top < 0;
  const combination = (top >>> 26) & 0x1f;
  if (combination === 0x1f) return NAN;
  if (combination === 0x1e) return negative ? MINUS_INFINITY : INFINITY;
  if (combination >>> 3 === 3) return ZERO;
  const exponent = ((top >>> 17) & 0x3fff) - EXPONENT_BIAS;
  const high = (BigInt(top & 0x1ffff) << 32n) | word(bytes, at + 8);
  const coefficient = (high << 64n) | (word(bytes, at + 4) << 32n) | word(bytes, at);
  if (coefficient === 0n || coefficient > MAX_COEFFICIENT) return ZERO;
  return finite(negative, coefficient.toString(), exponent);
}

function word(bytes: Uint8Array, at: number): bigint {
  return BigInt(readInt32(bytes, at) >>> 0);
}

/** `whole` is a positive whole number without leading zeros; the value is `whole × 10^exponent`. */
function finite(negative: boolean, whole: string, exponent: number): ExactNumber {
  let end = whole.length;
  while (whole.charCodeAt(end - 1) === 0x30) end--;
  return { rank: negative ? -1 : 1, digits: whole.slice(0, end), exponent: exponent + whole.length };
}
