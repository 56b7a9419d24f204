import { isUtf8 } from "node:buffer";
import { BSON } from "mongodb";
import { TYPE } from "../../../bson/elements.ts";
import { toOrdered } from "../../../bson/ordered.ts";
import { DocumentId } from "../../../model/document.ts";

/** The value of an `_id` as the driver can put it into a command. */
export function idValue(id: DocumentId): unknown {
  const bytes = Buffer.alloc(4 + 1 + 1 + id.element.length);
  bytes.writeInt32LE(bytes.length, 0);
  bytes[4] = id.element[0] as number;
  bytes.set(id.element.subarray(1), 6); // the name between type and value is empty: one NUL
  return toOrdered(bytes).get("");
}

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

/**
 * Whether a document can be found again by this `_id`: the driver puts queries together from values, and a few very
 * old or broken ids (text that is not UTF-8, DBPointer) have none.
 */
export function isQueryable(element: Uint8Array): boolean {
  const type = element[0] as number;
  if (ALWAYS.has(type)) return true;
  // A string is its length, its bytes and a NUL.
  if (type === TYPE.string) return isUtf8(element.subarray(5, -1));
  try {
    return BSON.serialize({ _id: idValue(new DocumentId(element)) }, { ignoreUndefined: true }).length > 0;
  } catch {
    return false;
  }
}
