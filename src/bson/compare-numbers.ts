import { readInt32, TYPE } from "./elements.ts";
import { exactNumber, readDouble, readInt64Rounded } from "./numbers.ts";

/**
 * Compares two numbers of any of the four BSON number types by exact value, as the server does: NaN is the smallest and
 * equal to every NaN, -0 is 0. Types are BSON type bytes; values start at `aAt` and `bAt`.
 */
export function compareNumbers(
  a: Uint8Array,
  aType: number,
  aAt: number,
  b: Uint8Array,
  bType: number,
  bAt: number,
): number {
  if (aType === TYPE.decimal128 || bType === TYPE.decimal128)
    return compareExact(a, aType, aAt, b, bType, bAt);
  if (aType === TYPE.int64) {
    if (bType === TYPE.int64) return compareInt64(a, aAt, b, bAt);
    return compareInt64ToDouble(a, aAt, readSmall(b, bType, bAt));
  }
  if (bType === TYPE.int64) return 0 - compareInt64ToDouble(b, bAt, readSmall(a, aType, aAt));
  return compareDoubles(readSmall(a, aType, aAt), readSmall(b, bType, bAt));
}

/** Compares two int64 values, signed. */
export function compareInt64(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  const high = readInt32(a, aAt + 4) - readInt32(b, bAt + 4);
  return high === 0 ? (readInt32(a, aAt) >>> 0) - (readInt32(b, bAt) >>> 0) : high;
}

/** An int32 or a double: a double holds both exactly. */
function readSmall(bytes: Uint8Array, type: number, at: number): number {
  return type === TYPE.int32 ? readInt32(bytes, at) : readDouble(bytes, at);
}

function compareDoubles(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
}

function compareInt64ToDouble(bytes: Uint8Array, at: number, double: number): number {
  const rough = compareDoubles(readInt64Rounded(bytes, at), double);
  if (rough !== 0) return rough;
  // Equal after rounding: the double is a whole number of at most 64 bits. Its halves are exact, and floor keeps the low
  // one positive, as in two's complement.
  const high = Math.floor(double / 0x1_0000_0000);
  const low = double - high * 0x1_0000_0000;
  return readInt32(bytes, at + 4) - high || (readInt32(bytes, at) >>> 0) - low;
}

function compareExact(
  a: Uint8Array,
  aType: number,
  aAt: number,
  b: Uint8Array,
  bType: number,
  bAt: number,
): number {
  const left = exactNumber(a, aType, aAt);
  const right = exactNumber(b, bType, bAt);
  if (left.rank !== right.rank) return left.rank - right.rank;
  const size = left.exponent - right.exponent || compareText(left.digits, right.digits);
  return left.rank < 0 ? 0 - size : size;
}

/** Digits after the point compare as text. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
