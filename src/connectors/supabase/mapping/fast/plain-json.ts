/** JSON as most of it is, from its bytes straight into a document. */
import { TYPE } from "../../../../bson/elements.ts";
import { type BsonWriter, nameBytes } from "../../../../bson/writer.ts";
import { MOST_LEVELS } from "../../../../json/json-bson.ts";
import type { JsonStyle } from "../to-row/json-text.ts";
import { PlainNumber } from "./plain-number.ts";
import type { Token } from "./row-scanner.ts";

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];
const LETTER_N = 0x6e;
const WORDS = [
  { text: Buffer.from("null"), type: TYPE.null },
  { text: Buffer.from("true"), type: TYPE.boolean, value: true },
  { text: Buffer.from("false"), type: TYPE.boolean, value: false },
] as const;

/** Names of an array's first items. */
const INDEXES = Array.from({ length: 256 }, (_, index) => nameBytes(String(index)));
/** Of more members than these it is not seen at a glance that none comes twice. */
const MOST_MEMBERS = 64;

/** Bytes of a text that was escaped. */
const LONGEST = 65_536;

/** What a backslash makes of the byte after it; 0: it is not so simple. */
const ESCAPED = new Uint8Array(256);
for (const [letter, text] of Object.entries({
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
}))
  ESCAPED[letter.charCodeAt(0)] = text.charCodeAt(0);

/**
 * Does what `writeJsonText` does with the JSON text that the string at `token` holds, with the same result; undefined for
 * text with escapes of its own, repeated names, large numbers, great length and so on, of which nothing is written then.
 */
export function writePlainJson(
  writer: BsonWriter,
  name: Uint8Array,
  page: Buffer,
  { start, end, isCoded }: Token,
  style: JsonStyle,
): boolean | undefined {
  const before = writer.length;
  if (!isCoded) json.open(page, start + 1, end - 1);
  else if (!json.openCoded(page, start + 1, end - 1)) return undefined;
  if (!json.write(writer, name)) {
    writer.rewind(before);
    return undefined;
  }
  return json.isExact && (style === "jsonb" || !json.hasBlanks);
}

/** Every method that returns a boolean says with false that this text is none for this class. */
class PlainJson {
  /** Every number is printed again as it was written. */
  isExact = true;
  hasBlanks = false;
  readonly #number = new PlainNumber();
  /** Where the names of the objects that are open begin and end. */
  readonly #names: number[] = [];
  readonly #memory = Buffer.alloc(LONGEST);
  #bytes: Uint8Array = this.#memory;
  #at = 0;
  #end = 0;

  open(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#names.length = 0;
    this.isExact = true;
    this.hasBlanks = false;
  }

  /** Opens the content of a string that holds escapes. */
  openCoded(bytes: Uint8Array, start: number, end: number): boolean {
    const memory = this.#memory;
    if (end - start > memory.length) return false;
    let to = 0;
    for (let at = start; at < end; at++) {
      let code = bytes[at] as number;
      if (code === BACKSLASH) {
        code = ESCAPED[bytes[++at] as number] as number;
        if (code === 0) return false;
      }
      memory[to++] = code;
    }
    this.open(memory, 0, to);
    return true;
  }

  /** A null alone stands for SQL's and is none for this class. */
  write(writer: BsonWriter, name: Uint8Array): boolean {
    this.#skipBlanks();
    if (this.#bytes[this.#at] === LETTER_N) return false;
    if (!this.#value(writer, name, 0, name.length - 1, 0)) return false;
    this.#skipBlanks();
    return this.#at === this.#end;
  }

  /** Writes the next value under the name that is at a place of `names`. */
  #value(writer: BsonWriter, names: Uint8Array, from: number, to: number, depth: number): boolean {
    const code = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (code === QUOTE) {
      const start = this.#at + 1;
      if (!this.#string()) return false;
      writer.elementBytes(TYPE.string, names, from, to);
      writer.stringBytes(this.#bytes, start, this.#at - 1);
      return true;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (depth === MOST_LEVELS) return false;
      this.#at++;
      writer.elementBytes(code === OPEN_BRACE ? TYPE.object : TYPE.array, names, from, to);
      const start = writer.begin();
      if (!(code === OPEN_BRACE ? this.#members(writer, depth + 1) : this.#items(writer, depth + 1)))
        return false;
      writer.end(start);
      return true;
    }
    for (const word of WORDS) {
      if (code !== word.text[0]) continue;
      if (!this.#word(word.text)) return false;
      writer.elementBytes(word.type, names, from, to);
      if (word.type === TYPE.boolean) writer.boolean(word.value);
      return true;
    }
    return this.#decimal(writer, names, from, to);
  }

  #members(writer: BsonWriter, depth: number): boolean {
    const base = this.#names.length;
    if (this.#takes(CLOSE_BRACE)) return true;
    do {
      this.#skipBlanks();
      const from = this.#at + 1;
      if (this.#at >= this.#end || this.#bytes[this.#at] !== QUOTE || !this.#string()) return false;
      const to = this.#at - 1;
      if (!this.#isNew(base, from, to) || !this.#takes(COLON)) return false;
      this.#names.push(from, to);
      this.#skipBlanks();
      if (!this.#value(writer, this.#bytes, from, to, depth)) return false;
    } while (this.#takes(COMMA));
    this.#names.length = base;
    return this.#takes(CLOSE_BRACE);
  }

  #items(writer: BsonWriter, depth: number): boolean {
    if (this.#takes(CLOSE_BRACKET)) return true;
    let index = 0;
    do {
      const name = INDEXES[index++];
      if (name === undefined) return false;
      this.#skipBlanks();
      if (!this.#value(writer, name, 0, name.length - 1, depth)) return false;
    } while (this.#takes(COMMA));
    return this.#takes(CLOSE_BRACKET);
  }

  #isNew(base: number, from: number, to: number): boolean {
    const names = this.#names;
    if (names.length - base >= 2 * MOST_MEMBERS) return false;
    for (let at = base; at < names.length; at += 2) {
      const [start, end] = [names[at] as number, names[at + 1] as number];
      if (end - start === to - from && this.#areSame(start, from, to - from)) return false;
    }
    return true;
  }

  #areSame(a: number, b: number, length: number): boolean {
    for (let i = 0; i < length; i++) if (this.#bytes[a + i] !== this.#bytes[b + i]) return false;
    return true;
  }

  /** A string without escapes; ends behind its quote. */
  #string(): boolean {
    for (let at = this.#at + 1; at < this.#end; at++) {
      const code = this.#bytes[at] as number;
      if (code === QUOTE) {
        this.#at = at + 1;
        return true;
      }
      if (code === BACKSLASH || code < 0x20) return false;
    }
    return false;
  }

  #word(word: Uint8Array): boolean {
    if (this.#end - this.#at < word.length) return false;
    for (let i = 0; i < word.length; i++) if (this.#bytes[this.#at + i] !== word[i]) return false;
    this.#at += word.length;
    return true;
  }

  #decimal(writer: BsonWriter, names: Uint8Array, from: number, to: number): boolean {
    const start = this.#at;
    const number = this.#number;
    while (this.#at < this.#end && isOfNumber(this.#bytes[this.#at] as number)) this.#at++;
    if (!number.read(this.#bytes, start, this.#at)) return false;
    const { value } = number;
    if (!number.isWhole) {
      writer.elementBytes(TYPE.double, names, from, to);
      writer.double(value);
      if (number.fraction !== number.kept) this.isExact = false;
    } else if ((value | 0) === value) {
      writer.elementBytes(TYPE.int32, names, from, to);
      writer.int32(value);
    } else {
      writer.elementBytes(TYPE.int64, names, from, to);
      writer.int64(value);
    }
    return true;
  }

  #takes(code: number): boolean {
    this.#skipBlanks();
    if (this.#at >= this.#end || this.#bytes[this.#at] !== code) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    while (this.#at < this.#end && isBlank(this.#bytes[this.#at] as number)) {
      this.#at++;
      this.hasBlanks = true;
    }
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isOfNumber(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e || code === 0x65 || code === 0x45;
}

const json = new PlainJson();
