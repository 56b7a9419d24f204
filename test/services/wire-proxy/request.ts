import { type Element, elements, find } from "../wire/bson-walk.js";

const OP_QUERY = 2004;
const OP_MSG = 2013;
const MORE_TO_COME = 2;
const CHECKSUM = 1;
const STRING = 0x02;
const COMMANDS_NAMING_A_COLLECTION_ELSEWHERE = new Set(["getMore"]);

/** One command of a client, as the message that it came in. Documents in it are never decoded. */
export class WireRequest {
  readonly bytes: Buffer;
  /** Name of the command; "hello" for its old spellings, too. */
  readonly name: string;
  readonly database: string;
  /** The collection that it is about, if it names one. */
  readonly collection: string | undefined;
  /** The client asks in the way of before OP_MSG, as drivers do for their first hello. */
  readonly legacy: boolean;
  /** The client does not wait for an answer. */
  readonly unanswered: boolean;
  readonly #body: number;

  /** @throws RangeError when the message is not a command that drivers send today */
  constructor(bytes: Buffer) {
    const kind = bytes.readInt32LE(12);
    if (kind !== OP_MSG && kind !== OP_QUERY) throw new RangeError(`a message of kind ${kind}`);
    this.bytes = bytes;
    this.legacy = kind === OP_QUERY;
    const flags = bytes.readInt32LE(16);
    if (!this.legacy && (flags & CHECKSUM) !== 0) throw new RangeError("a message with a checksum");
    this.unanswered = !this.legacy && (flags & MORE_TO_COME) !== 0;
    this.#body = this.legacy ? bytes.indexOf(0, 20) + 9 : bodyOf(bytes);
    const [first] = elements(bytes, this.#body);
    const name = first?.name ?? "";
    this.name = /^ismaster$/i.test(name) ? "hello" : name;
    this.database = this.#text("$db") ?? "admin";
    this.collection = COMMANDS_NAMING_A_COLLECTION_ELSEWHERE.has(name)
      ? this.#text("collection")
      : this.#text(name);
  }

  get id(): number {
    return this.bytes.readInt32LE(4);
  }

  /** A field at the top of the command. */
  field(name: string): Element | undefined {
    return find(this.bytes, this.#body, [name]);
  }

  /** The bytes of a field's value. */
  value(name: string): Buffer | undefined {
    const field = this.field(name);
    return field && this.bytes.subarray(field.start, field.end);
  }

  /** The message without these fields, in pieces; this request cannot be asked for its fields afterwards. */
  without(names: readonly string[]): Buffer[] {
    const pieces: Buffer[] = [];
    let kept = 0;
    let removed = 0;
    for (const { name, start, end } of elements(this.bytes, this.#body)) {
      if (!names.includes(name)) continue;
      const begin = start - name.length - 2; // type, name, NUL
      pieces.push(this.bytes.subarray(kept, begin));
      removed += end - begin;
      kept = end;
    }
    pieces.push(this.bytes.subarray(kept));
    if (removed > 0) {
      this.bytes.writeInt32LE(this.bytes.readInt32LE(this.#body) - removed, this.#body);
      this.bytes.writeInt32LE(this.bytes.length - removed, 0);
    }
    return pieces;
  }

  #text(name: string): string | undefined {
    const field = this.field(name);
    return field?.type === STRING ? this.bytes.toString("utf8", field.start + 4, field.end - 1) : undefined;
  }
}

/** Where the section with the command itself begins: sequences of documents may come before it. */
function bodyOf(bytes: Buffer): number {
  let at = 20;
  while (bytes[at] === 1) at += 1 + bytes.readInt32LE(at + 1);
  if (bytes[at] !== 0) throw new RangeError("a message without a body");
  return at + 1;
}
