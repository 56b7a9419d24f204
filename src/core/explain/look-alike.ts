import { compareNumbers } from "../../bson/compare-numbers.ts";
import { readInt32, TYPE } from "../../bson/elements.ts";
import type { StoredValue } from "./value-text.ts";

/** What differs in two unequal values of one type where nothing else would say it; undefined where the value does. */
export function lookAlikeNote(
  source: Buffer,
  one: StoredValue,
  target: Buffer,
  other: StoredValue,
): string | undefined {
  switch (one.type) {
    case TYPE.double:
    case TYPE.decimal128: {
      const order = compareNumbers(source, one.type, one.start, target, other.type, other.start);
      return order === 0 ? "same number, different stored bytes" : undefined;
    }
    case TYPE.boolean: {
      const isSame = (source[one.start] !== 0) === (target[other.start] !== 0);
      return isSame ? "stored bytes" : undefined;
    }
    case TYPE.binary:
      return haveSameContent(source, one, target, other) ? "binary subtype" : undefined;
    default:
      return undefined;
  }
}

/** The subtype is the byte after the length. */
function haveSameContent(source: Buffer, one: StoredValue, target: Buffer, other: StoredValue): boolean {
  return (
    readInt32(source, one.start) === readInt32(target, other.start) &&
    source.compare(target, other.start + 5, other.end, one.start + 5, one.end) === 0
  );
}

/** Bytes before a value's content: lengths, a subtype. None for other types. */
const HEADERS: ReadonlyMap<number, number> = new Map([
  [TYPE.string, 4],
  [TYPE.symbol, 4],
  [TYPE.code, 4],
  [TYPE.dbPointer, 4],
  [TYPE.binary, 5],
  [TYPE.codeWithScope, 8],
]);

/** Where two values of one type part that read the same as far as they are shown. */
export function laterNote(source: Buffer, one: StoredValue, target: Buffer, other: StoredValue): string {
  const header = HEADERS.get(one.type) ?? 0;
  const length = Math.min(one.end - one.start, other.end - other.start);
  let at = header;
  while (at < length && source[one.start + at] === target[other.start + at]) at++;
  return `equal up to byte ${at - header}`;
}
