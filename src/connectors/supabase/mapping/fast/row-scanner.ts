import { JsonNumber, readJson } from "../../../../json/json-reader.ts";
import type { Layout, WireForm } from "../layout.ts";
import type { WireValue } from "../to-row/wire-value.ts";

/** Far above what arrays nest; json and jsonb arrive as text. */
const MOST_LEVELS = 1000;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];

/** A value of the row, by its bytes in the page. */
export interface Token {
  /** Where it begins; below zero: this row has not come to it yet. */
  start: number;
  end: number;
  /** A string that holds escapes, or anything but a string. */
  isCoded: boolean;
}

/**
 * Finds the values of one row after the other in a page, valid UTF-8, without looking into them: whoever takes a value
 * finds the faults within. Throws RangeError where the page is no JSON array of objects with just the layout's columns.
 */
export class RowScanner {
  readonly page: Buffer;
  /** Of the row, in the table's order, whatever the order of its members. */
  readonly tokens: readonly Token[];
  readonly #wire: WireForm;
  /** Of the row, in the order in which its members are asked for. */
  readonly #members: readonly Token[];
  #at = 0;
  #rows = 0;

  constructor(page: Buffer, layout: Layout) {
    this.page = page;
    this.#wire = layout.wire;
    this.#members = layout.wire.heads.map(() => ({ start: -1, end: -1, isCoded: false }));
    this.tokens = layout.wire.carriers.map((member) => this.#members[member] as Token);
  }

  /** Goes to the next row. False at the end of the page. */
  next(): boolean {
    if (this.#rows === 0) this.#expect(OPEN_BRACKET);
    if (this.#takes(CLOSE_BRACKET)) return this.#finish();
    if (this.#rows++ > 0) this.#expect(COMMA);
    this.#row();
    return true;
  }

  /** A value, decoded. Throws RangeError on what is not JSON. */
  wire(place: number): WireValue {
    const { start, end } = this.tokens[place] as Token;
    const text = this.page.toString("utf8", start, end);
    const value = readJson(text, MOST_LEVELS);
    const isWhole = typeof value === "object" && value !== null && !(value instanceof JsonNumber);
    return { value, raw: isWhole ? text : "" };
  }

  #row(): void {
    this.#expect(OPEN_BRACE);
    const members = this.#members;
    for (const token of members) token.start = -1;
    for (let count = 0; count < members.length; count++) {
      if (count > 0) this.#expect(COMMA);
      this.#value(members[this.#member(count)] as Token);
    }
    if (!this.#takes(CLOSE_BRACE)) this.#refuse("with more columns than were requested");
  }

  /** Reads a member's name. Most come in the order in which they were asked for. */
  #member(count: number): number {
    const head = this.#wire.heads[count] as Uint8Array;
    const expected = this.#members[count] as Token;
    if (expected.start < 0 && this.#isNext(head)) {
      this.#at += head.length;
      this.#skipBlanks();
      return count;
    }
    const name: Token = { start: -1, end: -1, isCoded: false };
    this.#skipBlanks();
    if (this.page[this.#at] !== QUOTE) this.#fail();
    this.#value(name);
    const text = readJson(this.page.toString("utf8", name.start, name.end), 1);
    const member = this.#wire.members.get(text as string);
    if (member === undefined || (this.#members[member] as Token).start >= 0)
      return this.#refuse("with a column that was not requested");
    this.#expect(COLON);
    this.#skipBlanks();
    return member;
  }

  #isNext(bytes: Uint8Array): boolean {
    const { page } = this;
    const at = this.#at;
    for (let i = 0; i < bytes.length; i++) if (page[at + i] !== bytes[i]) return false;
    return true;
  }

  #value(token: Token): void {
    const code = this.page[this.#at];
    token.start = this.#at;
    token.isCoded = true;
    if (code === QUOTE) token.isCoded = this.#string();
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) this.#whole();
    else this.#word();
    token.end = this.#at;
  }

  /** True when it holds escapes. */
  #string(): boolean {
    const { page } = this;
    let at = this.#at + 1;
    let isCoded = false;
    for (;;) {
      const code = page[at] as number;
      if (code === QUOTE) break;
      // Also past the end, where there is no code.
      if (!(code >= 0x20)) this.#failAt(at);
      if (code === BACKSLASH) {
        isCoded = true;
        at++;
      }
      at++;
    }
    this.#at = at + 1;
    return isCoded;
  }

  /** An array or an object: to where as many are closed as were opened. */
  #whole(): void {
    let depth = 0;
    do {
      const code = this.page[this.#at];
      if (code === undefined) this.#fail();
      if (code === QUOTE) {
        this.#string();
        continue;
      }
      if (code === OPEN_BRACKET || code === OPEN_BRACE) depth++;
      else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth--;
      this.#at++;
    } while (depth > 0);
  }

  /** A number, or a word: to what stands behind it. */
  #word(): void {
    const { page } = this;
    const start = this.#at;
    let at = start;
    for (;;) {
      const code = page[at] as number;
      if (!(code > 0x20) || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET) break;
      at++;
    }
    if (at === start) this.#fail();
    this.#at = at;
  }

  #finish(): false {
    this.#skipBlanks();
    if (this.#at < this.page.length) this.#fail();
    return false;
  }

  /** Reads this character if it is the next one. */
  #takes(code: number): boolean {
    this.#skipBlanks();
    if (this.page[this.#at] !== code) return false;
    this.#at++;
    return true;
  }

  #expect(code: number): void {
    if (!this.#takes(code)) this.#fail();
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.page[this.#at];
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #failAt(at: number): never {
    this.#at = at;
    this.#fail();
  }

  #fail(): never {
    const at = this.#at;
    throw new RangeError(at < this.page.length ? `not JSON at byte ${at}` : "truncated JSON");
  }

  #refuse(what: string): never {
    throw new RangeError(`a row ${what}, at byte ${this.#at}`);
  }
}
