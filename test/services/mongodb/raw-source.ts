import { Binary, BSON, type Document } from "mongodb";
import { elements } from "../wire/bson-walk.js";

/**
 * What to insert so that an engine started with `rawDocuments` serves exactly `bytes`. The bytes are a whole BSON
 * document with a top-level `_id`, which the wrapper repeats so that filters and the order of `_id` hold. Throws
 * when there is no `_id`, or one that the driver would write with other bytes: give its value in `id` then.
 */
export function rawDocument(bytes: Uint8Array, id: unknown = idOf(bytes)): Document {
  return { _id: id, $$raw: new Binary(bytes) };
}

function idOf(document: Uint8Array): unknown {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength);
  for (const { name, type, start, end } of elements(bytes, 0)) {
    if (name !== "_id") continue;
    // `{ _id: <the value> }`, to be read alone: the rest of the document may be unreadable.
    const alone = Buffer.concat([
      Buffer.from([0, 0, 0, 0, type]),
      Buffer.from("_id\0"),
      bytes.subarray(start, end),
      Buffer.of(0),
    ]);
    alone.writeInt32LE(alone.length, 0);
    const decoded = BSON.deserialize(alone, { promoteValues: false, bsonRegExp: true });
    if (Buffer.compare(BSON.serialize(decoded), alone) !== 0) break;
    return decoded._id;
  }
  throw new Error("a raw document needs an _id that the driver writes back unchanged");
}
