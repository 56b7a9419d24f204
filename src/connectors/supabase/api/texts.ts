/** The body of an answer: UTF-8, as it came. */
export class ExactText {
  readonly bytes: Buffer;
  /** How many rows it holds, where the answer says. */
  readonly rows: number | undefined;

  constructor(bytes: Buffer, rows?: number) {
    this.bytes = bytes;
    this.rows = rows;
  }

  get text(): string {
    return this.bytes.toString("utf8");
  }
}

/** Exact texts of answers, by names that stand for them where the SDK would round them. */
export class RowTexts {
  readonly #kept = new Map<string, ExactText>();
  /** The time of the last answer, by the clock of what gave it; undefined where it did not say. */
  time: Date | undefined;
  #count = 0;

  /** @returns the name under which the text can be taken, once */
  keep(text: ExactText): string {
    const name = `text ${++this.#count}`;
    this.#kept.set(name, text);
    return name;
  }

  take(name: unknown): ExactText {
    const text = typeof name === "string" ? this.#kept.get(name) : undefined;
    if (text === undefined) throw new Error("an answer has no text");
    this.#kept.delete(name as string);
    return text;
  }
}
