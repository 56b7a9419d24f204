import { type DeserializeOptions, deserialize, serialize } from "bson";

/** `promoteValues: false` covers the package's `promoteLongs` and `promoteBuffers` too. */
const NOTHING_PROMOTED: DeserializeOptions = { promoteValues: false, bsonRegExp: true };

/**
 * A value that the `bson` package would not write back with the same bytes: text that is not UTF-8, a date beyond
 * JavaScript's, DBPointer, undefined, a regular expression with unsorted flags. It stays as its bytes, and `serialize`
 * refuses it, so that nothing is altered unseen.
 */
export class RawValue {
  readonly type: number;
  readonly bytes: Uint8Array;

  /** Copies the bytes: those of a document belong to a reply of many. */
  constructor(type: number, bytes: Uint8Array) {
    this.type = type;
    this.bytes = Uint8Array.from(bytes);
  }

  /** The `bson` package asks each value for this before it writes it. */
  toBSON(): never {
    throw new TypeError("this BSON value cannot be written unchanged");
  }

  equals(other: RawValue): boolean {
    return this.type === other.type && Buffer.compare(this.bytes, other.bytes) === 0;
  }
}

/** Decodes one value that is neither a document nor an array: a type of the `bson` package, or a RawValue. Never throws. */
export function readLeaf(bytes: Uint8Array, type: number, start: number, end: number): unknown {
  const field = fieldAlone(bytes, type, start, end);
  try {
    const decoded = deserialize(field, NOTHING_PROMOTED);
    if (Buffer.compare(serialize(decoded), field) === 0) return decoded.v;
  } catch {
    // The package refuses the bytes; the caller gets them as they are.
  }
  return new RawValue(type, bytes.subarray(start, end));
}

/** The BSON document `{ v: <value> }`. */
function fieldAlone(bytes: Uint8Array, type: number, start: number, end: number): Buffer {
  const field = Buffer.alloc(8 + end - start);
  field.writeInt32LE(field.length, 0);
  field[4] = type;
  field[5] = 0x76;
  field.set(bytes.subarray(start, end), 7);
  return field;
}
