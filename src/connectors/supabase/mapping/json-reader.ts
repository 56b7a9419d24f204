/** A number of a JSON text, as it is written there. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A repeated name has its last value at its first place. */
export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;

/** A JSON text that nests deeper than the reader was told to follow. */
export class TooDeep extends RangeError {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Reads JSON (RFC 8259) without touching its numbers. Throws RangeError on text that is not JSON, with the place and
 * without the text, and TooDeep where more than `maxDepth` arrays and objects enclose each other.
 */
export class JsonReader {
  readonly text: string;
  readonly #maxDepth: number;
  #at = 0;
  #depth = 0;

  constructor(text: string, maxDepth: number) {
    this.text = text;
    this.#maxDepth = maxDepth;
  }

  /** Where what was read last ends. */
  get end(): number {
    return this.#at;
  }

  /** Reads this character if it is the next one. */
  #takes(code: number): boolean {
    this.#skipSpace();
    if (this.text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  #expect(code: number): void {
    if (!this.#takes(code)) this.#fail();
  }

  /** Reads the name of a member and its colon. */
  #name(): string {
    this.#expect(QUOTE);
    const name = this.#string();
    this.#expect(COLON);
    return name;
  }

  /** Reads this very text, without any other spelling of it, if it comes next. */
  #takesText(text: string): boolean {
    if (!this.text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  /** Makes sure that nothing comes any more. */
  finish(): void {
    this.#skipSpace();
    if (this.#at < this.text.length) this.#fail();
  }

  value(): JsonValue {
    this.#skipSpace();
    const code = this.text.charCodeAt(this.#at);
    switch (code) {
      case QUOTE:
        this.#at++;
        return this.#string();
      case OPEN_BRACE:
        return this.#object();
      case OPEN_BRACKET:
        return this.#array();
      case 0x74:
        return this.#word("true", true);
      case 0x66:
        return this.#word("false", false);
      case 0x6e:
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #fail(): never {
    throw new RangeError(
      this.#at < this.text.length ? `not JSON at character ${this.#at}` : "JSON that breaks off",
    );
  }

  /** For readers that look at the spelling. */
  protected sawBlank(): void {}

  /** `content` was written with escapes, in a string whose quote is at `start`. */
  protected sawEscapes(_content: string, _start: number): void {}

  protected sawRepeatedName(): void {}

  #word<T>(word: string, value: T): T {
    if (!this.#takesText(word)) this.#fail();
    return value;
  }

  #array(): JsonValue[] {
    this.#enter();
    const values: JsonValue[] = [];
    if (!this.#takes(CLOSE_BRACKET)) {
      do values.push(this.value());
      while (this.#takes(COMMA));
      this.#expect(CLOSE_BRACKET);
    }
    this.#depth--;
    return values;
  }

  #object(): JsonObject {
    this.#enter();
    const members = new Map<string, JsonValue>();
    let count = 0;
    if (!this.#takes(CLOSE_BRACE)) {
      do {
        const name = this.#name();
        members.set(name, this.value());
        count++;
      } while (this.#takes(COMMA));
      this.#expect(CLOSE_BRACE);
      if (count !== members.size) this.sawRepeatedName();
    }
    this.#depth--;
    return members;
  }

  #enter(): void {
    this.#at++;
    if (++this.#depth > this.#maxDepth) throw new TooDeep("JSON that nests too deep");
  }

  /** The rest of a string whose opening quote was read. */
  #string(): string {
    const { text } = this;
    const start = this.#at;
    let at = start;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) return this.#escaped(start, at);
      // Also past the end, where the code is NaN.
      if (!(code >= 0x20)) this.#failAt(at);
      at++;
    }
    this.#at = at + 1;
    return text.slice(start, at);
  }

  /** Finds the end; the runtime's own parser then decodes and checks the escapes. */
  #escaped(start: number, from: number): string {
    const { text } = this;
    let at = from;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (!(code >= 0x20)) this.#failAt(at);
      at += code === BACKSLASH ? 2 : 1;
    }
    this.#at = at + 1;
    try {
      const content = JSON.parse(text.slice(start - 1, at + 1)) as string;
      this.sawEscapes(content, start - 1);
      return content;
    } catch {
      return this.#failAt(from);
    }
  }

  #number(): JsonNumber {
    const start = this.#at;
    let at = start;
    if (this.text.charCodeAt(at) === 0x2d) at++;
    at = this.text.charCodeAt(at) === 0x30 ? at + 1 : this.#digits(at);
    if (this.text.charCodeAt(at) === 0x2e) at = this.#digits(at + 1);
    const code = this.text.charCodeAt(at);
    if (code === 0x65 || code === 0x45) {
      const sign = this.text.charCodeAt(at + 1);
      at = this.#digits(sign === 0x2b || sign === 0x2d ? at + 2 : at + 1);
    }
    this.#at = at;
    return new JsonNumber(this.text.slice(start, at));
  }

  /** Position behind one digit or more. */
  #digits(from: number): number {
    let at = from;
    for (;;) {
      const code = this.text.charCodeAt(at);
      if (!(code >= 0x30 && code <= 0x39)) break;
      at++;
    }
    if (at === from) this.#failAt(at);
    return at;
  }

  #failAt(at: number): never {
    this.#at = at;
    this.#fail();
  }

  #skipSpace(): void {
    let code = this.text.charCodeAt(this.#at);
    if (code > 0x20) return;
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      this.sawBlank();
      code = this.text.charCodeAt(++this.#at);
    }
  }
}

/** The one JSON value that a text is. Throws as the reader does. */
export function readJson(text: string, maxDepth: number): JsonValue {
  const reader = new JsonReader(text, maxDepth);
  const value = reader.value();
  reader.finish();
  return value;
}
