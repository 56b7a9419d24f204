import { readInt32, TYPE } from "../../../bson/elements.ts";

/** Of a document in a dump: servers take 16 MB, and a little more for themselves. */
export const MOST_DOCUMENT_BYTES = 16 * 1024 * 1024 + 16 * 1024;
export const LEAST_DOCUMENT_BYTES = 5;

/** Servers take 200 levels at the most. */
const MOST_LEVELS = 250;

/**
 * Walks one document with all that is in it: lengths, names, ends. Throws RangeError where it is not BSON; the message continues a
 * sentence that begins with the document.
 */
export function assertStructure(bytes: Uint8Array, start: number, end: number): void {
  if (walk(bytes, start, end, 1) !== end) throw new RangeError("is longer than it says");
}

/** @returns where the document that starts at `at` ends */
function walk(bytes: Uint8Array, at: number, limit: number, level: number): number {
  if (level > MOST_LEVELS) throw new RangeError("is nested too deeply");
  const end = at + lengthAt(bytes, at, limit, LEAST_DOCUMENT_BYTES);
  const last = end - 1;
  if (bytes[last] !== 0) throw new RangeError("does not end where it says");
  let position = at + 4;
  while (position < last) {
    const type = bytes[position++] as number;
    position = afterText(bytes, position, last);
    position = valueEnd(bytes, type, position, last, level);
    if (position > last) throw new RangeError("has a value that does not end in it");
  }
  return end;
}

function valueEnd(bytes: Uint8Array, type: number, at: number, last: number, level: number): number {
  switch (type) {
    case TYPE.undefined:
    case TYPE.null:
    case TYPE.minKey:
    case TYPE.maxKey:
      return at;
    case TYPE.boolean:
      return at + 1;
    case TYPE.int32:
      return at + 4;
    case TYPE.double:
    case TYPE.date:
    case TYPE.timestamp:
    case TYPE.int64:
      return at + 8;
    case TYPE.objectId:
      return at + 12;
    case TYPE.decimal128:
      return at + 16;
    case TYPE.string:
    case TYPE.code:
    case TYPE.symbol:
      return stringEnd(bytes, at, last);
    case TYPE.dbPointer:
      return stringEnd(bytes, at, last) + 12;
    case TYPE.binary:
      return at + 5 + lengthAt(bytes, at, last, 0, 5);
    case TYPE.object:
    case TYPE.array:
      return walk(bytes, at, last, level + 1);
    case TYPE.codeWithScope:
      return codeEnd(bytes, at, last, level);
    case TYPE.regex:
      return afterText(bytes, afterText(bytes, at, last), last);
    default:
      throw new RangeError("has a value of an unknown type");
  }
}

function codeEnd(bytes: Uint8Array, at: number, last: number, level: number): number {
  const end = at + lengthAt(bytes, at, last, 14);
  if (walk(bytes, stringEnd(bytes, at + 4, end), end, level + 1) !== end)
    throw new RangeError("has a value that does not end where it says");
  return end;
}

function stringEnd(bytes: Uint8Array, at: number, limit: number): number {
  const end = at + 4 + lengthAt(bytes, at, limit, 1, 4);
  if (bytes[end - 1] !== 0) throw new RangeError("has a string that does not end where it says");
  return end;
}

/** A length that is stored at `at`: at least `least`, of a value that is `extra` bytes longer and ends at `limit` or before. */
function lengthAt(bytes: Uint8Array, at: number, limit: number, least: number, extra = 0): number {
  const length = at + 4 <= limit ? readInt32(bytes, at) : -1;
  if (length < least || at + extra + length > limit) throw new RangeError("has a length that does not fit");
  return length;
}

/** Position behind the NUL of a text that starts at `at`. */
function afterText(bytes: Uint8Array, at: number, last: number): number {
  let end = at;
  while (end < last && bytes[end] !== 0) end++;
  if (end >= last) throw new RangeError("has a name that does not end");
  return end + 1;
}
