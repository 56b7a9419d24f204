import { isUtf8 } from "node:buffer";
import { BSON, ObjectId } from "mongodb";
import { TYPE } from "../../../bson/elements.ts";
import { toOrdered } from "../../../bson/ordered.ts";
import type { DocumentId } from "../../../model/document.ts";

/**
 * A value in a command, most often an `_id`: written as the bytes that it is, be they a DBPointer, `undefined` inside a document, a
 * date beyond JavaScript's, or text that is not UTF-8. The driver's package asks an ObjectId to write its own bytes; one that
 * writes others, and their type, uses that. `VERBATIM` is whether it does: what `decoded` gives is used where it does not.
 */
class VerbatimValue extends ObjectId {
  readonly #element: Uint8Array;

  constructor(element: Uint8Array) {
    super(PLACEHOLDER);
    this.#element = element;
  }

  /** Called with the place of the value; before it stand its type, its name and a NUL. */
  serializeInto(command: Uint8Array, at: number): number {
    // No name that such a value stands under in a command has this byte in it.
    const type = command.lastIndexOf(TYPE.objectId, at - 2);
    command[type] = this.#element[0] as number;
    command.set(this.#element.subarray(1), at);
    return this.#element.length - 1;
  }
}

const PLACEHOLDER = new Uint8Array(12);

/** Whether the driver's package writes such values as they are. */
const VERBATIM = isVerbatim();

function isVerbatim(): boolean {
  const pointer = Buffer.from("\x0c\x02\0\0\0c\0abcdefghijkl", "latin1");
  const query = new Map([["_id", new Map([["$in", [new VerbatimValue(pointer), 1]]])]]);
  const wanted = Buffer.concat([
    Buffer.from("\x35\0\0\0\x03_id\0\x2b\0\0\0\x04$in\0\x21\0\0\0\x0c0\0", "latin1"),
    pointer.subarray(1),
    Buffer.from("\x101\0\x01\0\0\0\0\0\0", "latin1"),
  ]);
  try {
    return Buffer.compare(BSON.serialize(query), wanted) === 0;
  } catch {
    return false;
  }
}

/** The value of an `_id` as the driver can put it into a command. */
export function idValue({ element }: DocumentId): unknown {
  return VERBATIM ? new VerbatimValue(element) : decoded(element);
}

/** A whole document as such a value; undefined where the driver might write it with other bytes. */
export function documentValue(document: Uint8Array): unknown {
  return VERBATIM ? new VerbatimValue(Buffer.concat([DOCUMENT, document])) : undefined;
}

const DOCUMENT = Uint8Array.of(TYPE.object);

function decoded(element: Uint8Array): unknown {
  const bytes = Buffer.alloc(4 + 1 + 1 + element.length);
  bytes.writeInt32LE(bytes.length, 0);
  bytes[4] = element[0] as number;
  bytes.set(element.subarray(1), 6); // the name between type and value is empty: one NUL
  return toOrdered(bytes).get("");
}

/** Types that servers of today take for no `_id`, and that mean something else in a query: only very old data has them. */
const NEVER = new Set<number>([TYPE.array, TYPE.regex, TYPE.undefined]);

/** Types of which every value can be put into a query. */
const ALWAYS = new Set<number>([
  TYPE.objectId,
  TYPE.int32,
  TYPE.int64,
  TYPE.double,
  TYPE.decimal128,
  TYPE.null,
  TYPE.minKey,
  TYPE.maxKey,
]);

/** Whether a document can be found again by this `_id`. */
export function isQueryable(element: Uint8Array): boolean {
  const type = element[0] as number;
  if (ALWAYS.has(type)) return true;
  if (NEVER.has(type)) return false;
  return VERBATIM || isDecodable(element, type);
}

/** Whether the driver writes the decoded value with the same bytes. */
function isDecodable(element: Uint8Array, type: number): boolean {
  // A string is its length, its bytes and a NUL.
  if (type === TYPE.string) return isUtf8(element.subarray(5, -1));
  try {
    return BSON.serialize({ _id: decoded(element) }, { ignoreUndefined: true }).length > 0;
  } catch {
    return false;
  }
}
