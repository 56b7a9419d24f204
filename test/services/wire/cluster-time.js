/** A replica set adds its cluster time to each answer, and its drivers keep it for their next commands. */

let ticks = 0;

/**
 * The reply with a `$clusterTime` at its end, as replica sets and sharded clusters send it.
 *
 * @param {Buffer} reply one BSON document
 * @returns {Buffer}
 */
export function withClusterTime(reply) {
  const timestamp = Buffer.alloc(8);
  timestamp.writeUInt32LE(++ticks, 0);
  timestamp.writeUInt32LE(1_700_000_000, 4);
  const hash = Buffer.concat([Buffer.from([20, 0, 0, 0, 0]), Buffer.alloc(20, 7)]);
  const signature = document([element(0x05, "hash", hash), element(0x12, "keyId", Buffer.alloc(8, 1))]);
  const time = document([element(0x11, "clusterTime", timestamp), element(0x03, "signature", signature)]);
  const longer = Buffer.concat([reply.subarray(0, -1), element(0x03, "$clusterTime", time), Buffer.alloc(1)]);
  longer.writeInt32LE(longer.length, 0);
  return longer;
}

/** @param {number} type @param {string} name @param {Buffer} value */
function element(type, name, value) {
  return Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`), value]);
}

/** @param {Buffer[]} elements */
function document(elements) {
  const bytes = Buffer.concat([Buffer.alloc(4), ...elements, Buffer.alloc(1)]);
  bytes.writeInt32LE(bytes.length, 0);
  return bytes;
}
