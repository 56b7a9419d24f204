import { find } from "./bson-walk.js";

/**
 * The engine's own shim puts every message together anew, with the documents of a sequence in an array, and
 * gives up at 33.6 MB: the connection drops. A server takes 48 MB, and the engine says so too. This leaves
 * room for the array's own bytes at 100,000 documents, the most that one command may carry.
 */
export const ENGINE_MESSAGE_BYTES = 32_000_000;
const INT32 = 0x10;

/**
 * Puts what the engine really takes into the reply to a `hello`, in place. Clients keep to what is announced.
 *
 * @param {Buffer} reply one BSON document
 */
export function announceLimits(reply) {
  const limit = find(reply, 0, ["maxMessageSizeBytes"]);
  if (limit?.type === INT32) reply.writeInt32LE(ENGINE_MESSAGE_BYTES, limit.start);
}
