import { elements, TYPE, valueEnd } from "../../../bson/elements.ts";
import { exactNumber } from "../../../bson/numbers.ts";

/** 2^53 and 2^53 + 2, as digits. */
const [LEAST, MOST] = ["9007199254740992", "9007199254740994"];

/**
 * Whether a query for several ids may go wrong because of this one. A decimal between 2^53 + 1 and 2^53 + 2, such as
 * 9007199254740993.5, is read as one less from an index key, and its negative as one more (seen in MongoDB 9.0). A scan for
 * several ids goes by what it reads: it passes by the negative ones and never ends at the others, not even when its time is up;
 * nor at an id between what is there and what is read. All of those are numbers between 2^53 and 2^53 + 2, or hold one.
 * Equality with one id, a range, and writes go by the key itself.
 */
export function isMisread(element: Uint8Array): boolean {
  return holdsMisread(element, element[0] as number, 1);
}

function holdsMisread(bytes: Uint8Array, type: number, at: number): boolean {
  switch (type) {
    case TYPE.int64:
    case TYPE.decimal128: {
      const { digits, exponent } = exactNumber(bytes, type, at);
      return exponent === LEAST.length && digits > LEAST && digits < MOST;
    }
    case TYPE.object:
    case TYPE.array:
      return anyElement(bytes, at);
    case TYPE.codeWithScope:
      return anyElement(bytes, valueEnd(bytes, TYPE.code, at + 4));
    default:
      return false; // between those two there is no double
  }
}

function anyElement(bytes: Uint8Array, at: number): boolean {
  for (const { type, start } of elements(bytes, at)) if (holdsMisread(bytes, type, start)) return true;
  return false;
}
