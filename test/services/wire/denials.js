import { find } from "./bson-walk.js";

/** Where an OP_MSG's body begins: after header, flags and the kind of the first section. */
const BODY = 21;
const OP_MSG = 2013;

/**
 * Whether a command asks for something that this server shall refuse, as it refuses users whose rights are too
 * narrow: the name of the command, or any field at its top level.
 *
 * @param {Buffer} message a whole wire message
 * @param {readonly string[]} denied names of fields
 */
export function isDenied(message, denied) {
  if (denied.length === 0 || message.readInt32LE(12) !== OP_MSG || message[BODY - 1] !== 0) return false;
  return denied.some((field) => find(message, BODY, [field]) !== undefined);
}

/** What a server with access control answers then: `{ ok: 0.0, code: 13, codeName: "Unauthorized", errmsg }`. */
export function denial() {
  const text = (/** @type {string} */ name, /** @type {string} */ value) => {
    const bytes = Buffer.from(`\u0002${name}\0....${value}\0`);
    bytes.writeInt32LE(value.length + 1, name.length + 2);
    return bytes;
  };
  const ok = Buffer.concat([Buffer.from("\u0001ok\0"), Buffer.alloc(8)]);
  const code = Buffer.concat([Buffer.from("\u0010code\0"), Buffer.from([13, 0, 0, 0])]);
  const fields = [
    ok,
    text("errmsg", "not authorized on shop to execute command"),
    code,
    text("codeName", "Unauthorized"),
  ];
  const body = Buffer.concat([Buffer.alloc(4), ...fields, Buffer.alloc(1)]);
  body.writeInt32LE(body.length, 0);
  return body;
}
