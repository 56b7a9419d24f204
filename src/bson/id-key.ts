import { elements, readInt32, TYPE, valueEnd } from "./elements.ts";
import { exactNumber, readDouble, readInt64Rounded } from "./numbers.ts";
import { typeRank } from "./type-rank.ts";

/** No decimal128 and no int64 has more significant digits than this. */
const MOST_SHARED_DIGITS = 34;
/** Whole numbers below it are written out in their key. */
const PLAIN_LIMIT = 1e15;
const PLAIN_DIGITS = 15;

/**
 * A string that is equal for two `_id` elements (type byte, then the value's bytes) exactly when a MongoDB server holds
 * them equal, that is when `compareIds` gives 0. Not for people. Throws RangeError on bytes that are not BSON.
 */
export function idKey(element: Uint8Array): string {
  if (element[0] === TYPE.objectId) return thirteenBytes(element);
  if (element[0] === TYPE.string) return latin1(element, 0, element.length);
  return keyOf(element, element[0] ?? 0, 1, element.length);
}

/** By far the most common id, and several times as fast as through a Buffer. */
function thirteenBytes(b: Uint8Array): string {
  const at = (index: number) => b[index] as number;
  // biome-ignore format: one line
  return String.fromCharCode(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9), at(10), at(11), at(12));
}

/** A tag for what is compared alike, and then what is compared. The tags of numbers are not type bytes. */
function keyOf(bytes: Uint8Array, type: number, start: number, end: number): string {
  switch (type) {
    case TYPE.int32:
      return `n${readInt32(bytes, start)}`;
    case TYPE.int64:
      return wholeKey(bytes, type, start, readInt64Rounded(bytes, start));
    case TYPE.double:
      return wholeKey(bytes, type, start, readDouble(bytes, start));
    case TYPE.decimal128:
      return exactKey(bytes, type, start);
    case TYPE.symbol:
      return tagged(TYPE.string, bytes, start, end);
    case TYPE.boolean:
      return String.fromCharCode(type, bytes[start] === 0 ? 0 : 1);
    case TYPE.object:
      return String.fromCharCode(type) + documentKey(bytes, start, true);
    case TYPE.array:
      return String.fromCharCode(type) + documentKey(bytes, start, false);
    case TYPE.codeWithScope: {
      const scope = valueEnd(bytes, TYPE.code, start + 4);
      return tagged(type, bytes, start + 4, scope) + documentKey(bytes, scope, true);
    }
    default:
      typeRank(type);
      return tagged(type, bytes, start, end);
  }
}

function tagged(type: number, bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(type) + latin1(bytes, start, end);
}

/** One character for each byte, without copying them first. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

/** Names end with a NUL, which no name holds, and values have their length in front: no two lists read alike. */
function documentKey(bytes: Uint8Array, at: number, named: boolean): string {
  let key = "";
  for (const { type, nameStart, start, end } of elements(bytes, at)) {
    if (named) key += latin1(bytes, nameStart, start);
    const value = keyOf(bytes, type, start, end);
    key += `${value.length}:${value}`;
  }
  return key;
}

/** `value` is the number, rounded if it is an int64; small whole numbers need no exact form. */
function wholeKey(bytes: Uint8Array, type: number, at: number, value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < PLAIN_LIMIT) return `n${value}`;
  return exactKey(bytes, type, at);
}

function exactKey(bytes: Uint8Array, type: number, at: number): string {
  const { rank, digits, exponent } = exactNumber(bytes, type, at);
  if (digits === "") return rank === 0 ? "n0" : `n/${rank}`;
  const sign = rank < 0 ? "-" : "";
  // Many digits: only a double has this value, and its usual text is its own and much shorter.
  if (digits.length > MOST_SHARED_DIGITS) return `d${readDouble(bytes, at)}`;
  if (digits.length <= exponent && exponent <= PLAIN_DIGITS) return `n${sign}${digits.padEnd(exponent, "0")}`;
  return `n${sign}${digits}e${exponent}`;
}
