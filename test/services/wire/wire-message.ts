/** The two kinds of messages in which drivers ask: OP_QUERY for the very first hello, OP_MSG for all else. */
import { type Document, deserialize, serialize } from "bson";

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER = 16;

export interface Request {
  readonly id: number;
  readonly legacy: boolean;
  /** Name of the command: the first of its fields. */
  readonly name: string;
  readonly command: Document;
}

/** Reads a whole message that a driver has sent. */
export function readRequest(message: Buffer): Request {
  const kind = message.readInt32LE(12);
  if (kind !== OP_MSG && kind !== OP_QUERY) throw new RangeError(`no driver sends messages of kind ${kind}`);
  const legacy = kind === OP_QUERY;
  // OP_MSG: flags and the kind of the section. OP_QUERY: flags, a name, how many to skip and to return.
  const start = legacy ? message.indexOf(0, HEADER + 4) + 1 + 8 : HEADER + 5;
  const end = start + message.readInt32LE(start);
  const command = deserialize(message.subarray(start, end), { promoteValues: false });
  return { id: message.readInt32LE(4), legacy, name: Object.keys(command)[0] ?? "", command };
}

/** The answer to a request, as bytes; its body may be bytes that no encoder would make. */
export function reply(request: Request, body: Document | Uint8Array): Buffer {
  const bytes = body instanceof Uint8Array ? body : serialize(body);
  const head = Buffer.alloc(request.legacy ? HEADER + 20 : HEADER + 5);
  head.writeInt32LE(head.length + bytes.length, 0);
  head.writeInt32LE(request.id, 8);
  head.writeInt32LE(request.legacy ? OP_REPLY : OP_MSG, 12);
  if (request.legacy) head.writeInt32LE(1, HEADER + 16);
  return Buffer.concat([head, bytes]);
}
