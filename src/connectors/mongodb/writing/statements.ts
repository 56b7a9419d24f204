/** Raw BSON of write statements: `_id`s and documents go to the server as the bytes that they are. */
import { TYPE, writeInt32 } from "../../../bson/elements.ts";
import type { Batch, DocumentId } from "../../../model/document.ts";

const Q = Uint8Array.of(TYPE.object, 0x71, 0);
const U = Uint8Array.of(TYPE.object, 0x75, 0);
const UPSERT_TRUE = Uint8Array.from([TYPE.boolean, ...Buffer.from("upsert\0"), 1]);
const LIMIT_ONE = Uint8Array.from([TYPE.int32, ...Buffer.from("limit\0"), 1, 0, 0, 0]);
const END = Uint8Array.of(0);

/** `{ q: { _id }, u: <document>, upsert: true }` for each document of the batch, back to back. */
export function replaceStatements(batch: Batch): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < batch.length; i++) {
    const document = batch.bytesOf(i);
    pushDocument(parts, [Q, ...idQuery(batch.idOf(i)), U, document, UPSERT_TRUE]);
  }
  return Buffer.concat(parts);
}

/** `{ q: { _id }, limit: 1 }` for each id, back to back. */
export function removeStatements(ids: readonly DocumentId[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const id of ids) pushDocument(parts, [Q, ...idQuery(id), LIMIT_ONE]);
  return Buffer.concat(parts);
}

/** `{ _id: { $eq: <id> } }`: $eq, so that an id that looks like an operator stays data. */
function idQuery(id: DocumentId): Uint8Array[] {
  const inner: Uint8Array[] = [];
  pushDocument(inner, [Uint8Array.of(id.element[0] as number), Buffer.from("$eq\0"), id.element.subarray(1)]);
  const outer: Uint8Array[] = [];
  pushDocument(outer, [Uint8Array.of(TYPE.object), Buffer.from("_id\0"), ...inner]);
  return outer;
}

function pushDocument(parts: Uint8Array[], content: readonly Uint8Array[]): void {
  const length = new Uint8Array(4);
  writeInt32(
    length,
    content.reduce((sum, part) => sum + part.length, 5),
    0,
  );
  parts.push(length, ...content, END);
}
