/** A number as it is written: integers beyond 2^53 keep their digits. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Objects are Maps, so that every key is data and stays in its place (`__proto__`, `1` after `a`). */
export type JsonTree =
  | null
  | boolean
  | string
  | JsonNumber
  | readonly JsonTree[]
  | ReadonlyMap<string, JsonTree>;

/** `message` follows "at character N": it says what is wrong and repeats nothing of the text. */
export class JsonError extends Error {
  /** Counted from 1. */
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position + 1;
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/uy;
const WORDS = new Map<string, null | boolean>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** Parses strict JSON; a repeated key and more than `deepest` levels of objects and arrays are errors too. */
export function parseJsonTree(text: string, deepest: number): JsonTree {
  const reader = new Reader(text, deepest);
  const tree = reader.value(0);
  reader.end();
  return tree;
}

class Reader {
  readonly #text: string;
  readonly #deepest: number;
  #at = 0;

  constructor(text: string, deepest: number) {
    this.#text = text;
    this.#deepest = deepest;
  }

  value(depth: number): JsonTree {
    const character = this.#next();
    if (character === "{" || character === "[") {
      if (depth >= this.#deepest)
        throw new JsonError(`more than ${this.#deepest} levels of nesting`, this.#at);
      return character === "{" ? this.#object(depth + 1) : this.#array(depth + 1);
    }
    if (character === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    const number = this.#match(NUMBER);
    if (number === undefined) throw this.#unexpected("a value");
    return new JsonNumber(number);
  }

  end(): void {
    if (this.#next() !== "") throw this.#unexpected("the end");
  }

  #object(depth: number): ReadonlyMap<string, JsonTree> {
    const object = new Map<string, JsonTree>();
    this.#at += 1;
    if (this.#next() === "}") return this.#closed(object);
    for (;;) {
      if (this.#next() !== '"') throw this.#unexpected("a key in double quotes");
      const start = this.#at;
      const key = this.#string();
      if (object.has(key)) throw new JsonError("a key that its object has already", start);
      if (key.includes("\0")) throw new JsonError("a key with a NUL character", start);
      if (this.#next() !== ":") throw this.#unexpected("a colon");
      this.#at += 1;
      object.set(key, this.value(depth));
      if (this.#comma("}")) return this.#closed(object);
    }
  }

  #array(depth: number): readonly JsonTree[] {
    const array: JsonTree[] = [];
    this.#at += 1;
    if (this.#next() === "]") return this.#closed(array);
    for (;;) {
      array.push(this.value(depth));
      if (this.#comma("]")) return this.#closed(array);
    }
  }

  /** True at the closing bracket, false after a comma. */
  #comma(close: string): boolean {
    const character = this.#next();
    if (character === close) return true;
    if (character !== ",") throw this.#unexpected(`a comma or ${close}`);
    this.#at += 1;
    return false;
  }

  #closed<T>(value: T): T {
    this.#at += 1;
    return value;
  }

  #string(): string {
    const start = this.#at;
    const quoted = this.#match(STRING);
    if (quoted === undefined) throw new JsonError("a text that is not closed or holds a wrong escape", start);
    const parsed = String(JSON.parse(quoted));
    if (/\p{Cs}/u.test(parsed)) throw new JsonError("a text that is not valid Unicode", start);
    return parsed;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #next(): string {
    while (/[ \t\r\n]/.test(this.#text.charAt(this.#at))) this.#at += 1;
    return this.#text.charAt(this.#at);
  }

  #unexpected(wanted: string): JsonError {
    return new JsonError(
      `${this.#at >= this.#text.length ? "the end of the text" : "something else"} where ${wanted} must stand`,
      this.#at,
    );
  }
}
