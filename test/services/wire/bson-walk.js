export const OBJECT = 0x03;
export const ARRAY = 0x04;
export const BINARY = 0x05;

/** Bytes of a value by its BSON type, for the types that always have the same. */
const FIXED_BYTES = new Map([
  [0x01, 8],
  [0x06, 0],
  [0x07, 12],
  [0x08, 1],
  [0x09, 8],
  [0x0a, 0],
  [0x10, 4],
  [0x11, 8],
  [0x12, 8],
  [0x13, 16],
  [0x7f, 0],
  [0xff, 0],
]);
/** Bytes that a value has besides those that its own leading length counts. */
const BYTES_BESIDES_LENGTH = new Map([
  [0x02, 4],
  [OBJECT, 0],
  [ARRAY, 0],
  [BINARY, 5],
  [0x0c, 16],
  [0x0d, 4],
  [0x0e, 4],
  [0x0f, 0],
]);

/** @typedef {{ type: number, name: string, start: number, end: number }} Element */

/**
 * The first element of the document at `at` that has one of these names.
 *
 * @param {Buffer} bytes
 * @param {number} at
 * @param {readonly string[]} names
 */
export function find(bytes, at, names) {
  for (const element of elements(bytes, at)) if (names.includes(element.name)) return element;
  return undefined;
}

/**
 * Walks the elements of the document or array at `at`, no further than asked. Throws RangeError on bytes that
 * are not BSON. Not the walker of `src/bson`: what serves the tests must not share the faults of what they test.
 *
 * @param {Buffer} bytes
 * @param {number} at
 * @returns {Generator<Element, undefined>}
 */
export function* elements(bytes, at) {
  const last = at + bytes.readInt32LE(at) - 1;
  let position = at + 4;
  while (position < last) {
    const type = bytes.readUInt8(position);
    const start = cstringEnd(bytes, position + 1);
    const end = valueEnd(bytes, type, start);
    if (end < start || end > last) throw new RangeError("a BSON value runs past its document");
    yield { type, name: bytes.toString("latin1", position + 1, start - 1), start, end };
    position = end;
  }
}

/**
 * @param {Buffer} bytes
 * @param {number} type
 * @param {number} start
 */
function valueEnd(bytes, type, start) {
  const fixed = FIXED_BYTES.get(type);
  if (fixed !== undefined) return start + fixed;
  const besides = BYTES_BESIDES_LENGTH.get(type);
  if (besides !== undefined) return start + bytes.readInt32LE(start) + besides;
  if (type !== 0x0b) throw new RangeError(`unknown BSON type ${type}`);
  return cstringEnd(bytes, cstringEnd(bytes, start)); // A regular expression: two strings that end in NUL.
}

/**
 * @param {Buffer} bytes
 * @param {number} start
 */
function cstringEnd(bytes, start) {
  const nul = bytes.indexOf(0, start);
  if (nul < 0) throw new RangeError("a BSON name does not end");
  return nul + 1;
}
