import { Writable } from "node:stream";

export interface FakeStreamOptions {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** A stream that keeps what was written to it. */
export class FakeStream extends Writable {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  #text = "";

  constructor({ isTTY = false, columns, rows }: FakeStreamOptions = {}) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
    this.columns = columns;
    this.rows = rows;
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#text += chunk;
    done();
  }

  get text(): string {
    return this.#text;
  }

  get lines(): string[] {
    return this.#text.split("\n").filter((line) => line !== "");
  }
}

/** A stream whose reader has gone: each write fails as a broken pipe does. */
export class BrokenPipe extends Writable {
  attempts = 0;

  constructor() {
    super({ decodeStrings: false, emitClose: false, autoDestroy: false });
  }

  override _write(_chunk: string, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.attempts += 1;
    done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  }
}

/** Every escape sequence that reporters may write to a terminal: colours, erasing, moving, cursor and wrap on and off. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are made of them
const OWN_SEQUENCES = /\u001b\[(?:\d+(?:;\d+)*m|\d*[ABCDGJK]|\?(?:25|7)[hl])/g;

export function withoutSequences(text: string): string {
  return text.replace(OWN_SEQUENCES, "");
}

/** Control characters, C1 included, line separators and what reorders text. A line break is allowed. */
const CONTROLS = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

export function controls(text: string): string[] {
  return text.match(CONTROLS) ?? [];
}

export interface ScreenState {
  readonly cursorShown: boolean;
  readonly wraps: boolean;
}

/** What a terminal that got this text is left with. */
export function screenState(text: string): ScreenState {
  return {
    cursorShown: text.lastIndexOf("\u001b[?25h") >= text.lastIndexOf("\u001b[?25l"),
    wraps: text.lastIndexOf("\u001b[?7h") >= text.lastIndexOf("\u001b[?7l"),
  };
}
