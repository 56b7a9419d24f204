import { TYPE, writeInt32 } from "./elements.ts";

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Text that BSON cannot hold: half of a surrogate pair, or a name with a NUL. Says nothing of the text. */
export class UnwritableText extends RangeError {}

/** The bytes of a field's name, with the NUL that ends it. Throws UnwritableText. */
export function nameBytes(name: string): Uint8Array {
  if (name.includes("\0") || LONE_SURROGATE.test(name)) throw new UnwritableText("no name in BSON");
  return Buffer.from(`${name}\0`);
}

/**
 * Writes BSON documents one after another into memory that grows. `begin` and `end` enclose a document or an array; each
 * value is preceded by `element` with its type.
 */
export class BsonWriter {
  #bytes: Uint8Array;
  #buffer: Buffer;
  #view: DataView;
  #at = 0;

  constructor(size = 1024) {
    this.#bytes = new Uint8Array(Math.max(size, 64));
    this.#buffer = Buffer.from(this.#bytes.buffer);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  /** What was written, without a copy: it changes when something is written after `rewind`. */
  written(from = 0): Uint8Array {
    return this.#bytes.subarray(from, this.#at);
  }

  /** Forgets what was written after `length` had this value. */
  rewind(length: number): void {
    this.#at = length;
  }

  /** Begins a document or an array; give the result to `end`. */
  begin(): number {
    const start = this.#at;
    this.#reserve(4);
    this.#at += 4;
    return start;
  }

  end(start: number): void {
    this.#byte(0);
    writeInt32(this.#bytes, this.#at - start, start);
  }

  /** `name` as `nameBytes` gives it, or as text: then it throws UnwritableText when BSON has no such name. */
  element(type: number, name: Uint8Array | string): void {
    if (typeof name === "string") {
      this.#named(type, name);
      return;
    }
    this.#reserve(1 + name.length);
    this.#bytes[this.#at++] = type;
    if (name.length > 40) {
      this.#bytes.set(name, this.#at);
      this.#at += name.length;
      return;
    }
    for (let i = 0; i < name.length; i++) this.#bytes[this.#at++] = name[i] as number;
  }

  /** As `element`, of a name without its end: bytes from one place to another that are UTF-8, none of them 0. */
  elementBytes(type: number, source: Uint8Array, from: number, to: number): void {
    this.#byte(type);
    this.#copy(source, from, to);
    this.#byte(0);
  }

  #named(type: number, name: string): void {
    this.#byte(type);
    if (name.includes("\0")) throw new UnwritableText("a field name with a NUL character");
    this.#characters(name);
    this.#byte(0);
  }

  int32(value: number): void {
    this.#reserve(4);
    writeInt32(this.#bytes, value, this.#at);
    this.#at += 4;
  }

  /** For int64 and dates; a number is whole and safe. */
  int64(value: number | bigint): void {
    this.#reserve(8);
    if (typeof value === "bigint") this.#view.setBigInt64(this.#at, value, true);
    else {
      const high = Math.floor(value / 0x1_0000_0000);
      this.#view.setUint32(this.#at, value - high * 0x1_0000_0000, true);
      this.#view.setInt32(this.#at + 4, high, true);
    }
    this.#at += 8;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  boolean(value: boolean): void {
    this.#byte(value ? 1 : 0);
  }

  /** Throws UnwritableText on an unpaired surrogate. */
  string(text: string): void {
    const start = this.#at;
    this.int32(0);
    this.#characters(text);
    this.#byte(0);
    writeInt32(this.#bytes, this.#at - start - 4, start);
  }

  /** As `string`, of bytes from one place to another that are UTF-8. */
  stringBytes(source: Uint8Array, from: number, to: number): void {
    this.int32(to - from + 1);
    this.#copy(source, from, to);
    this.#byte(0);
  }

  /** Of subtype 0. */
  binary(content: Uint8Array): void {
    this.int32(content.length);
    this.#byte(0);
    this.raw(content);
  }

  /** A value, or whole elements, that are BSON already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A field with a string in it. */
  stringField(name: Uint8Array | string, text: string): void {
    this.element(TYPE.string, name);
    this.string(text);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  /** Most pieces are short, and then a loop beats a call into the runtime. */
  #copy(source: Uint8Array, from: number, to: number): void {
    const length = to - from;
    this.#reserve(length);
    const bytes = this.#bytes;
    if (length > 48) bytes.set(source.subarray(from, to), this.#at);
    else for (let i = 0; i < length; i++) bytes[this.#at + i] = source[from + i] as number;
    this.#at += length;
  }

  /** Most text is short and ASCII, where a loop beats a call into the runtime. */
  #characters(text: string): void {
    const length = text.length;
    this.#reserve(length * 3);
    const bytes = this.#bytes;
    const at = this.#at;
    if (length < 64) {
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) break;
        bytes[at + i] = code;
      }
      if (i === length) {
        this.#at = at + length;
        return;
      }
    }
    const written = this.#buffer.write(text, at);
    if (written !== length && LONE_SURROGATE.test(text)) throw new UnwritableText("an unpaired surrogate");
    this.#at = at + written;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#buffer = Buffer.from(grown.buffer);
    this.#view = new DataView(grown.buffer);
  }
}
