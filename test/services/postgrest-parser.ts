import { parseFailure } from "./postgrest-errors.ts";

/** A column, as `name` or `"any name"`, and the way into its JSON: `->key`, `->0`, `->>key`. */
export interface Field {
  readonly name: string;
  readonly path: readonly { readonly arrow: "->" | "->>"; readonly key: string }[];
}

const NAME_CHARACTER = /[\p{L}\p{N}_ $]/u;

/** Reads the small languages of PostgREST's query parameters from left to right. */
export class Parser {
  readonly text: string;
  at = 0;
  readonly #what: string;

  /** `what` names the parameter in the error when it does not parse. */
  constructor(what: string, text: string) {
    this.#what = what;
    this.text = text;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  peek(token: string): boolean {
    return this.text.startsWith(token, this.at);
  }

  take(token: string): boolean {
    if (!this.peek(token)) return false;
    this.at += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.failure(JSON.stringify(token));
  }

  end(): void {
    if (!this.done) throw this.failure("end of input");
  }

  /** The text up to the first of `stops`, or to the end. */
  until(stops: string): string {
    const from = this.at;
    while (!this.done && !stops.includes(this.text[this.at] ?? "")) this.at++;
    return this.text.slice(from, this.at);
  }

  rest(): string {
    return this.until("");
  }

  /** `"…"` with backslash escapes; undefined, and nothing taken, when there is none. */
  quoted(): string | undefined {
    const [whole] = /^"(?:[^"\\]|\\.)*"/s.exec(this.text.slice(this.at)) ?? [];
    if (whole === undefined) return undefined;
    this.at += whole.length;
    return whole.slice(1, -1).replace(/\\(.)/gs, "$1");
  }

  name(): string {
    const quoted = this.quoted();
    if (quoted !== undefined) return quoted;
    let name = "";
    for (const character of this.text.slice(this.at)) {
      const dash = character === "-" && name !== "" && this.text[this.at + 1] !== ">";
      if (!dash && !NAME_CHARACTER.test(character)) break;
      name += character;
      this.at += character.length;
    }
    if (name.trim() === "") throw this.failure("field name (* or [a..z0..9_$])");
    return name.trim();
  }

  field(): Field {
    const name = this.name();
    const path: Field["path"][number][] = [];
    while (this.peek("->")) {
      const arrow = this.take("->>") ? "->>" : "->";
      if (arrow === "->") this.take("->");
      path.push({ arrow, key: this.quoted() ?? this.jsonKey() });
    }
    return { name, path };
  }

  failure(expecting: string): Error {
    const next = this.text[this.at];
    const unexpected = next === undefined ? "end of input" : JSON.stringify(next);
    return parseFailure(
      this.#what,
      this.text,
      this.at + 1,
      `unexpected ${unexpected} expecting ${expecting}`,
    );
  }

  private jsonKey(): string {
    const [key] = /^-?(?:(?!->)[^.,:()])+/.exec(this.text.slice(this.at)) ?? [];
    if (key === undefined) throw this.failure("json key");
    this.at += key.length;
    return key;
  }
}
