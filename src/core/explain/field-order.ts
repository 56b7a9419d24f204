import { type Element, TYPE } from "../../bson/elements.ts";
import { type PairingBudget, pairElements } from "./element-pairs.ts";

/** Elements held at one time: some 30 MB. */
const MOST_HELD = 250_000;

/** Where two documents, or two arrays, of the same size start. */
interface Nested {
  readonly a: number;
  readonly b: number;
  readonly isArray: boolean;
}

/**
 * True when two documents are the same except for the order of fields, at any depth. Arrays keep their order, fields of one
 * name theirs; types and values are the same bytes. False for bytes that are not BSON, unless they are the same; false,
 * too, where one of the documents has hundreds of thousands of fields in another order.
 */
export function equalIgnoringFieldOrder(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  const one = Buffer.from(a.buffer, a.byteOffset, a.length);
  const other = Buffer.from(b.buffer, b.byteOffset, b.length);
  if (one.equals(other)) return true;
  try {
    return one.readInt32LE(0) === one.length && other.readInt32LE(0) === other.length && walk(one, other);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function walk(a: Buffer, b: Buffer): boolean {
  // A list and no recursion: what a hostile server sends may be nested millions of times.
  const open: Nested[] = [{ a: 0, b: 0, isArray: false }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (!haveEqualFields(a, b, next, open)) return false;
  }
  return true;
}

/** What is nested and has other bytes is left for later. */
function haveEqualFields(a: Buffer, b: Buffer, at: Nested, open: Nested[]): boolean {
  const budget: PairingBudget = { left: MOST_HELD };
  for (const pairing of pairElements(a, at.a, b, at.b, budget)) {
    if (pairing === "too many") return false;
    if (pairing === "other order") {
      if (at.isArray) return false;
      continue;
    }
    const { source, target } = pairing;
    if (source === undefined || target === undefined || !haveSameShape(source, target)) return false;
    if (a.compare(b, target.start, target.end, source.start, source.end) === 0) continue;
    if (source.type !== TYPE.object && source.type !== TYPE.array) return false;
    open.push({ a: source.start, b: target.start, isArray: source.type === TYPE.array });
  }
  return true;
}

function haveSameShape(one: Element, other: Element): boolean {
  return one.type === other.type && one.end - one.start === other.end - other.start;
}
