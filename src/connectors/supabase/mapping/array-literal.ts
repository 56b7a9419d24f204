/** An array as Postgres writes it: nested for its dimensions; the elements are texts, null is SQL NULL. */
export type Literal = readonly (string | null | Literal)[];

/** No array of Postgres has more dimensions. */
export const MOST_DIMENSIONS = 6;

/** Bounds that are not the usual ones stand in front: [0:1]={…}. */
const BOUNDS = /^(?:\[[+-]?\d+:[+-]?\d+\])+=/;

/** Reads an array literal, without its bounds. Throws RangeError, without the text, when it is none. */
export function readLiteral(text: string): Literal {
  let at = BOUNDS.exec(text)?.[0].length ?? 0;
  const array = items(1);
  if (at !== text.length) fail();
  return array;

  function items(dimension: number): Literal {
    if (text[at] !== "{" || dimension > MOST_DIMENSIONS) fail();
    at++;
    const found: (string | null | Literal)[] = [];
    if (text[at] === "}") {
      at++;
      return found;
    }
    for (;;) {
      found.push(text[at] === "{" ? items(dimension + 1) : element());
      const next = text[at++];
      if (next === "}") return found;
      if (next !== ",") fail();
    }
  }

  function element(): string | null {
    if (text[at] !== '"') return bare();
    const start = ++at;
    let escapes = false;
    while (text[at] !== '"') {
      if (at >= text.length) fail();
      if (text[at] === "\\") {
        escapes = true;
        at++;
      }
      at++;
    }
    const inner = text.slice(start, at++);
    return escapes ? inner.replace(/\\([\s\S])/g, "$1") : inner;
  }

  function bare(): string | null {
    const start = at;
    while (at < text.length && !'{},"\\'.includes(text[at] as string)) at++;
    const found = text.slice(start, at);
    if (found === "") fail();
    return found === "NULL" ? null : found;
  }

  function fail(): never {
    throw new RangeError(`not an array literal at character ${at}`);
  }
}

/** As Postgres writes an array whose bounds are the usual ones. */
export function literalText(array: Literal): string {
  return `{${array.map((item) => (item === null ? "NULL" : typeof item === "string" ? element(item) : literalText(item))).join(",")}}`;
}

function element(text: string): string {
  const isPlain = text !== "" && !/[ \t\n\r\v\f{},"\\]/.test(text) && text.toUpperCase() !== "NULL";
  return isPlain ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}
