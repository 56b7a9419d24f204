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

/** Text that is not the JSON which the reader takes. Neither `message` nor `problem` repeats anything of it. */
export class JsonError extends RangeError {
  /** What is wrong, for a sentence that continues with "at character N". */
  readonly problem: string;
  /** N, counted from 1: where the wrong part begins. */
  readonly position: number;

  constructor(message: string, problem: string, at: number) {
    super(message);
    this.problem = problem;
    this.position = at + 1;
  }
}

/** A JSON text that nests deeper than the reader's limit. */
export class TooDeep extends JsonError {}

/** What the reader rejects besides text that is not JSON. */
export interface JsonRules {
  /** Repeated names, names with a NUL character, and strings that are not valid Unicode. */
  readonly isStrict?: boolean | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The one name for all invalid strings. */
const BAD_STRING = "an unterminated string or an invalid escape";

/**
 * Reads JSON (RFC 8259) and keeps the spelling of its numbers. Throws JsonError on text that is not JSON, and TooDeep
 * where more than `maxDepth` arrays and objects enclose each other.
 *
 * Written by hand: lossless-json does not say where blanks and escapes were, and the exact spelling is needed.
 */
export class JsonReader {
  readonly text: string;
  readonly #maxDepth: number;
  readonly #isStrict: boolean;
  #at = 0;
  #depth = 0;

  constructor(text: string, maxDepth: number, rules?: JsonRules) {
    this.text = text;
    this.#maxDepth = maxDepth;
    this.#isStrict = rules?.isStrict === true;
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

  #expect(code: number, wanted: string): void {
    if (!this.#takes(code)) this.#miss(wanted);
  }

  /** Reads the name of a member and its colon. */
  #name(members: JsonObject): string {
    this.#expect(QUOTE, "a key in double quotes");
    const start = this.#at - 1;
    const name = this.#string();
    if (this.#isStrict) {
      if (members.has(name)) this.#fail("a repeated key", start);
      if (name.includes("\0")) this.#fail("a key with a NUL character", start);
    }
    this.#expect(COLON, "a colon");
    return name;
  }

  /** Reads this very text, without any other spelling of it, if it comes next. */
  #takesText(text: string): boolean {
    if (!this.text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  /** Makes sure that nothing follows. */
  finish(): void {
    this.#skipSpace();
    if (this.#at < this.text.length) this.#miss("the end");
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

  /** Something else stands where reading stopped, or nothing. */
  #miss(wanted: string): never {
    const found = this.#at < this.text.length ? "something else" : "the end of the text";
    this.#fail(`${found} where ${wanted} was expected`);
  }

  /** `start` is where the wrong part begins, if that is not where reading stopped. */
  #fail(problem: string, start = this.#at): never {
    const at = this.#at;
    throw new JsonError(
      at < this.text.length ? `not JSON at character ${at}` : "truncated JSON",
      problem,
      start,
    );
  }

  /** For readers that look at the spelling. */
  protected sawBlank(): void {}

  /** `content` was written with escapes, in a string whose quote is at `start`. */
  protected sawEscapes(_content: string, _start: number): void {}

  protected sawRepeatedName(): void {}

  #word<T>(word: string, value: T): T {
    if (!this.#takesText(word)) this.#miss("a value");
    return value;
  }

  #array(): JsonValue[] {
    this.#enter();
    const values: JsonValue[] = [];
    if (!this.#takes(CLOSE_BRACKET)) {
      do values.push(this.value());
      while (this.#takes(COMMA));
      this.#expect(CLOSE_BRACKET, "a comma or ]");
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
        const name = this.#name(members);
        members.set(name, this.value());
        count++;
      } while (this.#takes(COMMA));
      this.#expect(CLOSE_BRACE, "a comma or }");
      if (count !== members.size) this.sawRepeatedName();
    }
    this.#depth--;
    return members;
  }

  #enter(): void {
    if (++this.#depth > this.#maxDepth) {
      throw new TooDeep("JSON nested too deeply", `more than ${this.#maxDepth} levels of nesting`, this.#at);
    }
    this.#at++;
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
      if (!(code >= 0x20)) this.#failString(start, at);
      at++;
    }
    this.#at = at + 1;
    const content = text.slice(start, at);
    return this.#isStrict ? this.#checked(content, start) : content;
  }

  /** Finds the end; the runtime's own parser then decodes and checks the escapes. */
  #escaped(start: number, from: number): string {
    const { text } = this;
    let at = from;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (!(code >= 0x20)) this.#failString(start, at);
      at += code === BACKSLASH ? 2 : 1;
    }
    this.#at = at + 1;
    let content: string;
    try {
      content = JSON.parse(text.slice(start - 1, at + 1)) as string;
    } catch {
      return this.#failString(start, from);
    }
    this.sawEscapes(content, start - 1);
    return this.#isStrict ? this.#checked(content, start) : content;
  }

  #checked(content: string, start: number): string {
    if (/\p{Cs}/u.test(content)) this.#fail("a string that is not valid Unicode", start - 1);
    return content;
  }

  #failString(start: number, at: number): never {
    this.#at = at;
    this.#fail(BAD_STRING, start - 1);
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

  /** Position behind one digit or more, of a number that begins where reading stopped. */
  #digits(from: number): number {
    let at = from;
    for (;;) {
      const code = this.text.charCodeAt(at);
      if (!(code >= 0x30 && code <= 0x39)) break;
      at++;
    }
    if (at > from) return at;
    const wanted = from === this.#at ? "a value" : "a digit";
    this.#at = at;
    return this.#miss(wanted);
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
export function readJson(text: string, maxDepth: number, rules?: JsonRules): JsonValue {
  const reader = new JsonReader(text, maxDepth, rules);
  const value = reader.value();
  reader.finish();
  return value;
}
