import { serialize } from "bson";
import { compareNumbers } from "./compare-numbers.ts";
import { type Element, elements, isNamed, TYPE } from "./elements.ts";
import { RawValue, readLeaf } from "./leaf.ts";

/**
 * Decodes a whole BSON document: documents become Maps in stored order (names that look like numbers keep their place),
 * arrays become arrays, all else is a value of the `bson` package, nothing promoted (17 is an Int32, never a number).
 * `serialize` of the Map gives the same bytes back, or throws: what it cannot write is kept as a RawValue or under a
 * name with a NUL, which no stored name has. Such a name stands for a repeated one (`a`, then `a\0`) or for one that is not
 * UTF-8 (read with U+FFFD, then `\0` and its bytes in hex). Throws RangeError on bytes that are not BSON.
 */
export function toOrdered(bytes: Uint8Array): Map<string, unknown> {
  return readDocument(bytes, 0);
}

function readDocument(bytes: Uint8Array, at: number): Map<string, unknown> {
  const document = new Map<string, unknown>();
  for (const element of elements(bytes, at)) {
    let name = readName(bytes, element);
    while (document.has(name)) name += "\0";
    document.set(name, readValue(bytes, element));
  }
  return document;
}

function readName(bytes: Uint8Array, { nameStart, nameEnd }: Element): string {
  const stored = Buffer.from(bytes.buffer, bytes.byteOffset + nameStart, nameEnd - nameStart);
  const name = stored.toString();
  const exact = !name.includes("\ufffd") || stored.equals(Buffer.from(name));
  return exact ? name : `${name}\0${stored.toString("hex")}`;
}

function readValue(bytes: Uint8Array, element: Element): unknown {
  const { type, start, end } = element;
  if (type === TYPE.object) return readDocument(bytes, start);
  if (type === TYPE.array) return readArray(bytes, element);
  return readLeaf(bytes, type, start, end);
}

/** An array whose elements are not named 0, 1, 2… is a RawValue: written again, they would be. */
function readArray(bytes: Uint8Array, { type, start, end }: Element): unknown[] | RawValue {
  const array: unknown[] = [];
  for (const element of elements(bytes, start)) {
    if (!isNamed(bytes, element, String(array.length))) return new RawValue(type, bytes.subarray(start, end));
    array.push(readValue(bytes, element));
  }
  return array;
}

/**
 * True when two trees as `toOrdered` makes them, or parts of such trees, would be written with the same bytes. RawValues
 * are equal when their types and bytes are.
 */
export function equalOrdered(a: unknown, b: unknown): boolean {
  return equalTrees(a, b, (one, other) => Buffer.compare(one, other) === 0);
}

/** As `equalOrdered`, but numbers are equal when their values are, whatever their types: 1, Long 1 and 1.0. */
export function equalInValue(a: unknown, b: unknown): boolean {
  return equalTrees(a, b, haveEqualValues);
}

/** Takes two documents `{ v: <value> }`. */
type Equality = (a: Uint8Array, b: Uint8Array) => boolean;

function haveEqualValues(a: Uint8Array, b: Uint8Array): boolean {
  const [aType = 0, bType = 0] = [a[4], b[4]];
  const areNumbers = NUMBERS.has(aType) && NUMBERS.has(bType);
  return areNumbers ? compareNumbers(a, aType, 7, b, bType, 7) === 0 : Buffer.compare(a, b) === 0;
}

const NUMBERS: ReadonlySet<number> = new Set([TYPE.int32, TYPE.int64, TYPE.double, TYPE.decimal128]);

function equalTrees(a: unknown, b: unknown, equal: Equality): boolean {
  if (a instanceof Map || b instanceof Map)
    return a instanceof Map && b instanceof Map && equalDocuments(a, b, equal);
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && equalArrays(a, b, equal);
  if (a instanceof RawValue || b instanceof RawValue) {
    return a instanceof RawValue && b instanceof RawValue && a.equals(b);
  }
  return equal(serialize({ v: a }), serialize({ v: b }));
}

function equalArrays(a: readonly unknown[], b: readonly unknown[], equal: Equality): boolean {
  return a.length === b.length && a.every((value, index) => equalTrees(value, b[index], equal));
}

function equalDocuments(a: Map<unknown, unknown>, b: Map<unknown, unknown>, equal: Equality): boolean {
  if (a.size !== b.size) return false;
  const others = b.entries();
  for (const [name, value] of a) {
    const [otherName, otherValue] = others.next().value ?? [];
    if (name !== otherName || !equalTrees(value, otherValue, equal)) return false;
  }
  return true;
}
