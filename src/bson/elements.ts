/** BSON type bytes (bsonspec.org) that code names. */
export const TYPE = {
  double: 0x01,
  string: 0x02,
  object: 0x03,
  array: 0x04,
  binary: 0x05,
  undefined: 0x06,
  objectId: 0x07,
  boolean: 0x08,
  date: 0x09,
  null: 0x0a,
  regex: 0x0b,
  dbPointer: 0x0c,
  code: 0x0d,
  symbol: 0x0e,
  codeWithScope: 0x0f,
  int32: 0x10,
  timestamp: 0x11,
  int64: 0x12,
  decimal128: 0x13,
  maxKey: 0x7f,
  minKey: 0xff,
} as const;

/** Reads a little-endian int32. The caller has checked that four bytes are there. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Writes a little-endian int32. */
export function writeInt32(bytes: Uint8Array, value: number, at: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >> 8) & 0xff;
  bytes[at + 2] = (value >> 16) & 0xff;
  bytes[at + 3] = (value >> 24) & 0xff;
}

/** Position just after the NUL that ends the cstring starting at `at`. Throws when there is none. */
export function cstringEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end] !== 0) end++;
  if (end >= bytes.length) throw new RangeError("invalid BSON: a field name does not end");
  return end + 1;
}

/** Position just after the value of `type` that starts at `at`. Throws RangeError on bytes that are not BSON. */
export function valueEnd(bytes: Uint8Array, type: number, at: number): number {
  const end = at + valueLength(bytes, type, at);
  if (end > bytes.length || end < at) throw new RangeError("invalid BSON: a value extends past its document");
  return end;
}

function valueLength(bytes: Uint8Array, type: number, at: number): number {
  switch (type) {
    case TYPE.undefined:
    case TYPE.null:
    case TYPE.minKey:
    case TYPE.maxKey:
      return 0;
    case TYPE.boolean:
      return 1;
    case TYPE.int32:
      return 4;
    case TYPE.double:
    case TYPE.date:
    case TYPE.timestamp:
    case TYPE.int64:
      return 8;
    case TYPE.objectId:
      return 12;
    case TYPE.decimal128:
      return 16;
    case TYPE.string:
    case TYPE.code:
    case TYPE.symbol:
      return 4 + lengthAt(bytes, at);
    case TYPE.dbPointer:
      return 4 + lengthAt(bytes, at) + 12;
    case TYPE.binary:
      return 5 + lengthAt(bytes, at);
    case TYPE.object:
    case TYPE.array:
    case TYPE.codeWithScope:
      return lengthAt(bytes, at);
    case TYPE.regex:
      return cstringEnd(bytes, cstringEnd(bytes, at)) - at;
    default:
      throw new RangeError(`invalid BSON: unknown type 0x${type.toString(16)}`);
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw new RangeError("invalid BSON: a length extends past its document");
  const length = readInt32(bytes, at);
  if (length < 0) throw new RangeError("invalid BSON: a negative length");
  return length;
}

/** One element of a document: where its name and its value lie in the document's bytes. */
export interface Element {
  readonly type: number;
  readonly nameStart: number;
  /** Position of the NUL after the name. */
  readonly nameEnd: number;
  readonly start: number;
  readonly end: number;
}

/** Walks the elements of the document or array that starts at `at`, in stored order. Throws RangeError on broken bytes. */
export function* elements(bytes: Uint8Array, at = 0): Generator<Element> {
  const last = at + lengthAt(bytes, at) - 1;
  if (last >= bytes.length || last < at + 4 || bytes[last] !== 0)
    throw new RangeError("invalid BSON: a document does not end");
  let position = at + 4;
  while (position < last) {
    const type = bytes[position] as number;
    const nameStart = position + 1;
    const start = cstringEnd(bytes, nameStart);
    const end = valueEnd(bytes, type, start);
    if (end > last) throw new RangeError("invalid BSON: a value extends past its document");
    yield { type, nameStart, nameEnd: start - 1, start, end };
    position = end;
  }
}

/** Compares an element's name with an ASCII name. */
export function isNamed(bytes: Uint8Array, element: Element, name: string): boolean {
  if (element.nameEnd - element.nameStart !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    if (bytes[element.nameStart + i] !== name.charCodeAt(i)) return false;
  }
  return true;
}
