import { ARRAY, BINARY, elements, find, OBJECT } from "../wire/bson-walk.js";

/**
 * Documents that the embedded engine cannot store, as real servers can: with duplicate names, with text that
 * is not UTF-8. They are stored wrapped, as `{ _id, $$raw: <binary> }`, and a reply gets the wrapped bytes
 * in their place. Filters and pipelines see the wrapper: only `_id` works on such a document, and a projection
 * without `$$raw` returns what is left of the wrapper.
 */

/**
 * Puts the wrapped bytes of each document of the reply's `cursor.firstBatch` or `cursor.nextBatch` in the
 * place of the wrapper, and mends the three lengths around them. A reply without such documents is returned
 * as it is.
 *
 * @param {Buffer} reply one BSON document
 * @returns {Buffer}
 */
export function unwrapRawDocuments(reply) {
  const cursor = find(reply, 0, ["cursor"]);
  if (cursor?.type !== OBJECT) return reply;
  const batch = find(reply, cursor.start, ["firstBatch", "nextBatch"]);
  if (batch?.type !== ARRAY) return reply;

  const parts = [];
  let kept = 0;
  let growth = 0;
  for (const document of elements(reply, batch.start)) {
    const raw = document.type === OBJECT ? wrapped(reply, document.start) : undefined;
    if (raw === undefined) continue;
    parts.push(reply.subarray(kept, document.start), raw);
    kept = document.end;
    growth += raw.length - (document.end - document.start);
  }
  if (parts.length === 0) return reply;

  const unwrapped = Buffer.concat([...parts, reply.subarray(kept)]);
  // All three lengths lie before the first document, so they are still where they were.
  for (const at of [0, cursor.start, batch.start]) unwrapped.writeInt32LE(reply.readInt32LE(at) + growth, at);
  return unwrapped;
}

/**
 * The bytes that the document at `at` wraps, if it is exactly `{ _id, $$raw: <binary> }`.
 *
 * @param {Buffer} bytes
 * @param {number} at
 */
function wrapped(bytes, at) {
  const walk = elements(bytes, at);
  if (walk.next().value?.name !== "_id") return undefined;
  const raw = walk.next().value;
  if (raw?.name !== "$$raw" || raw.type !== BINARY || walk.next().done !== true) return undefined;
  return bytes.subarray(raw.start + 5, raw.end);
}
