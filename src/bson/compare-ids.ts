import { compareInt64, compareNumbers } from "./compare-numbers.ts";
import { type Element, elements, readInt32, TYPE, valueEnd } from "./elements.ts";
import { typeRank } from "./type-rank.ts";

interface Value {
  readonly bytes: Uint8Array;
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The MongoDB server's order of `_id` values (index keys without a collation): negative, 0 or positive. 0 exactly when
 * the server holds them equal, whatever their types. Takes elements: a type byte followed by the value's bytes. Throws
 * RangeError when it meets bytes that are not BSON.
 */
export function compareIds(a: Uint8Array, b: Uint8Array): number {
  const type = a[0];
  if (type === b[0]) {
    // Runs once for each document of a merge: the usual kinds of id are compared without an allocation.
    if (type === TYPE.objectId) return compareBytes(a, 1, 13, b, 1, 13);
    if (type === TYPE.int32) return readInt32(a, 1) - readInt32(b, 1);
    if (type === TYPE.string) return compareBytes(a, 5, a.length, b, 5, b.length);
    if (type === TYPE.int64) return compareInt64(a, 1, b, 1);
  }
  return compareValues(wholeElement(a), wholeElement(b));
}

function wholeElement(element: Uint8Array): Value {
  return { bytes: element, type: element[0] ?? 0, start: 1, end: element.length };
}

function compareValues(a: Value, b: Value): number {
  const order = typeRank(a.type) - typeRank(b.type);
  if (order !== 0) return order;
  switch (a.type) {
    case TYPE.double:
    case TYPE.int32:
    case TYPE.int64:
    case TYPE.decimal128:
      return compareNumbers(a.bytes, a.type, a.start, b.bytes, b.type, b.start);
    case TYPE.string:
    case TYPE.symbol:
    case TYPE.code:
      return compareBytes(a.bytes, a.start + 4, a.end, b.bytes, b.start + 4, b.end);
    case TYPE.object:
      return compareDocuments(a.bytes, a.start, b.bytes, b.start, true);
    case TYPE.array:
      return compareDocuments(a.bytes, a.start, b.bytes, b.start, false);
    case TYPE.binary:
    case TYPE.dbPointer:
      // A shorter one comes first, whatever it holds. A binary's subtype is its first byte after the length.
      return (
        readInt32(a.bytes, a.start) - readInt32(b.bytes, b.start) ||
        compareBytes(a.bytes, a.start + 4, a.end, b.bytes, b.start + 4, b.end)
      );
    case TYPE.boolean:
      return Number(a.bytes[a.start] !== 0) - Number(b.bytes[b.start] !== 0);
    case TYPE.date:
      return compareInt64(a.bytes, a.start, b.bytes, b.start);
    case TYPE.timestamp:
      return compareTimestamps(a, b);
    case TYPE.codeWithScope:
      return compareCodeWithScope(a, b);
    default:
      // ObjectIds and regular expressions; null and the two ends have no bytes.
      return compareBytes(a.bytes, a.start, a.end, b.bytes, b.start, b.end);
  }
}

/** Byte by byte; when one is the start of the other, the shorter first. */
function compareBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const common = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < common; i++) {
    const difference = (a[aStart + i] as number) - (b[bStart + i] as number);
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

/** Seconds, then increment, both unsigned. */
function compareTimestamps(a: Value, b: Value): number {
  const seconds = (readInt32(a.bytes, a.start + 4) >>> 0) - (readInt32(b.bytes, b.start + 4) >>> 0);
  return seconds || (readInt32(a.bytes, a.start) >>> 0) - (readInt32(b.bytes, b.start) >>> 0);
}

function compareCodeWithScope(a: Value, b: Value): number {
  const aCode = valueEnd(a.bytes, TYPE.code, a.start + 4);
  const bCode = valueEnd(b.bytes, TYPE.code, b.start + 4);
  return (
    compareBytes(a.bytes, a.start + 8, aCode, b.bytes, b.start + 8, bCode) ||
    compareDocuments(a.bytes, aCode, b.bytes, bCode, true)
  );
}

/**
 * Element by element: the type's place first, then the name, then the value; then fewer elements first. Index keys hold
 * no names of array elements.
 */
function compareDocuments(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, named: boolean): number {
  const others = elements(b, bAt);
  for (const left of elements(a, aAt)) {
    const next = others.next();
    if (next.done) return 1;
    const right = next.value;
    const order = typeRank(left.type) - typeRank(right.type) || (named ? compareNames(a, left, b, right) : 0);
    if (order !== 0) return order;
    const difference = compareValues({ bytes: a, ...left }, { bytes: b, ...right });
    if (difference !== 0) return difference;
  }
  return others.next().done ? 0 : -1;
}

function compareNames(a: Uint8Array, left: Element, b: Uint8Array, right: Element): number {
  return compareBytes(a, left.nameStart, left.nameEnd, b, right.nameStart, right.nameEnd);
}
