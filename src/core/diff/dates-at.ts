import { type Element, elements, TYPE } from "../../bson/elements.ts";
import { readInt64Rounded } from "../../bson/numbers.ts";

/**
 * The dates, in milliseconds since 1970, that an index on this path holds of a document: those in an array each by
 * itself, and those in the objects of an array. Of a repeated field the first counts. Throws RangeError on broken bytes.
 */
export function datesAt(document: Uint8Array, path: readonly string[]): Iterable<number> {
  const names = path.map((name) => Buffer.from(name));
  return datesIn(document, 0, names);
}

const POSITION = /^(0|[1-9][0-9]*)$/;

function* datesIn(bytes: Uint8Array, at: number, [name, ...rest]: readonly Buffer[]): Generator<number> {
  const element = name && fieldNamed(bytes, at, name);
  if (element === undefined) return;
  const { type, start } = element;
  const [next] = rest;
  if (next === undefined) yield* datesOf(bytes, element);
  // An array's elements are named after their positions.
  else if (type === TYPE.object || (type === TYPE.array && POSITION.test(next.toString())))
    yield* datesIn(bytes, start, rest);
  else if (type === TYPE.array) {
    for (const inner of elements(bytes, start)) {
      if (inner.type === TYPE.object) yield* datesIn(bytes, inner.start, rest);
    }
  }
}

function fieldNamed(bytes: Uint8Array, at: number, name: Buffer): Element | undefined {
  for (const element of elements(bytes, at)) {
    if (name.equals(bytes.subarray(element.nameStart, element.nameEnd))) return element;
  }
  return undefined;
}

function* datesOf(bytes: Uint8Array, { type, start }: Element): Generator<number> {
  if (type === TYPE.date) yield readInt64Rounded(bytes, start);
  if (type !== TYPE.array) return;
  for (const inner of elements(bytes, start)) {
    if (inner.type === TYPE.date) yield readInt64Rounded(bytes, inner.start);
  }
}
