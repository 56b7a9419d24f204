import { parseFailure } from "../answer/errors.ts";

/** A column, as `name` or `"any name"`, and the way into its JSON: `->key`, `->0`, `->>key`. */
export interface Field {
  readonly name: string;
  readonly path: readonly { readonly arrow: "->" | "->>"; readonly key: string }[];
}

/** A name without quotes: parts with dashes between them, and spaces around the parts that are not of the name. */
const NAME = /^[\p{L}0-9_ $]+(?:-(?!>)[\p{L}0-9_ $]+)*/u;

/**
 * Reads the small languages of PostgREST's query parameters from left to right. As there, most of them end where nothing
 * more of them is found, and what follows is not looked at: `in.(a)b)` is the list of "a" alone, and `name(x)=eq.1`
 * filters the column "name". So a client that quotes too little gets other rows here too, and not an error.
 */
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

  /** A token that may have blanks around it. */
  separator(token: string): boolean {
    const [whole] = /^[ \t]*(.)[ \t]*/s.exec(this.text.slice(this.at)) ?? [];
    if (whole?.trim() !== token) return false;
    this.at += whole.length;
    return true;
  }

  expect(token: string): void {
    if (!this.separator(token)) throw this.failure(JSON.stringify(token));
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

  /** What a pattern that begins with ^ finds next; undefined, and nothing taken, when it does not. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    const found = pattern.exec(this.text.slice(this.at));
    this.at += found?.[0].length ?? 0;
    return found ?? undefined;
  }

  rest(): string {
    return this.until("");
  }

  /** `"…"` with backslash escapes; undefined, and nothing taken, when there is none. */
  quoted(): string | undefined {
    const [whole] = this.match(/^"(?:[^"\\]|\\.)*"/s) ?? [];
    return whole?.slice(1, -1).replace(/\\(.)/gs, "$1");
  }

  name(): string {
    const quoted = this.quoted();
    if (quoted !== undefined) return quoted;
    const [name] = this.match(NAME) ?? [];
    if (name === undefined) throw this.failure("field name (* or [a..z0..9_$])");
    const parts = name.split("-").map((part) => part.trim());
    return parts.join("-");
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
    const [key] = this.match(/^-?(?:(?!->)[^.,:()])+/) ?? [];
    if (key === undefined) throw this.failure("json key");
    return key;
  }
}
