import { BSON, type Document } from "mongodb";
import { elements, find } from "../wire/bson-walk.js";
import type { WireRequest } from "./request.ts";

const OP_REPLY = 1;
const OP_MSG = 2013;
const INT64 = 0x12;

/** The answer to one command, as a whole wire message in pieces: large ones are not copied to be changed. */
export class WireReply {
  #message: Buffer;
  readonly #body: number;
  readonly #removed: { readonly begin: number; readonly end: number }[] = [];
  readonly #added: Buffer[] = [];

  constructor(message: Buffer) {
    this.#message = message;
    this.#body = message.readInt32LE(12) === OP_REPLY ? 36 : 21;
  }

  /** An answer that does not come from the engine. */
  static to(request: WireRequest, content: Document): WireReply {
    const body = BSON.serialize(content);
    const head = Buffer.alloc(request.legacy ? 36 : 21); // with no flags, one section of kind 0
    head.writeInt32LE(head.length + body.length, 0);
    head.writeInt32LE(request.id, 8);
    head.writeInt32LE(request.legacy ? OP_REPLY : OP_MSG, 12);
    if (request.legacy) head.writeInt32LE(1, 32);
    return new WireReply(Buffer.concat([head, body]));
  }

  /** Only for answers that hold no documents, such as hello. */
  decoded(options: BSON.DeserializeOptions = {}): Document {
    return BSON.deserialize(this.#message.subarray(this.#body), options);
  }

  /** Puts another content into the answer. */
  replace(content: Document): void {
    this.#message = Buffer.concat([this.#message.subarray(0, this.#body), BSON.serialize(content)]);
  }

  has(name: string): boolean {
    return find(this.#message, this.#body, [name]) !== undefined;
  }

  /** The cursor that the answer leaves open; undefined when it is about no cursor, 0n when that one is exhausted. */
  cursor(): bigint | undefined {
    const cursor = find(this.#message, this.#body, ["cursor"]);
    const id = cursor && find(this.#message, cursor.start, ["id"]);
    return id?.type === INT64 ? this.#message.readBigInt64LE(id.start) : undefined;
  }

  /** Puts fields at the end of the answer, in place of those of the same name. */
  set(fields: Document): void {
    for (const { name, start, end } of elements(this.#message, this.#body)) {
      if (name in fields) this.#removed.push({ begin: start - name.length - 2, end });
    }
    this.#added.push(Buffer.from(BSON.serialize(fields).subarray(4, -1)));
  }

  /** The message, as it is now. */
  pieces(): Buffer[] {
    const pieces: Buffer[] = [];
    let kept = 0;
    for (const { begin, end } of this.#removed.sort((a, b) => a.begin - b.begin)) {
      pieces.push(this.#message.subarray(kept, begin));
      kept = end;
    }
    pieces.push(this.#message.subarray(kept, -1), ...this.#added, this.#message.subarray(-1));
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#message.writeInt32LE(length, 0);
    this.#message.writeInt32LE(length - this.#body, this.#body);
    return pieces;
  }
}
