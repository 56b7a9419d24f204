import { EJSON } from "bson";
import { type Element, elements, readInt32, TYPE } from "../../bson/elements.ts";
import { RawValue, readLeaf } from "../../bson/leaf.ts";
import { typeName } from "../../bson/type-name.ts";
import { cutText } from "../../model/cut-text.ts";

const LONGEST = 120;
/** A value of more bytes is longer than what is shown of it: only its beginning is read. */
const LARGE = 3 * LONGEST + 32;

/** A value in a document: its type, and where its bytes lie. */
export type StoredValue = Pick<Element, "type" | "start" | "end">;

/**
 * A value as canonical Extended JSON, fields in stored order, cut after 120 characters; its bytes in hex where they would
 * not read as what they are. It is shown beside its type. Takes the same time for values of all sizes. Never throws.
 */
export function valueText(bytes: Buffer, value: StoredValue): string {
  try {
    return cutText(printValue(bytes, value, LONGEST + 1) ?? inHex(bytes, value), LONGEST);
  } catch {
    return cutText(inHex(bytes, value), LONGEST);
  }
}

/** At least the first `budget` characters; undefined where only bytes say what it is. */
function printValue(bytes: Buffer, value: StoredValue, budget: number): string | undefined {
  const { type, start, end } = value;
  if (type === TYPE.object || type === TYPE.array) return printElements(bytes, value, budget);
  if (end - start > LARGE) return printLarge(bytes, value);
  const leaf = readLeaf(bytes, type, start, end);
  if (!(leaf instanceof RawValue)) return EJSON.stringify(leaf, { relaxed: false });
  if (type === TYPE.undefined) return '{"$undefined":true}';
  if (type === TYPE.date) return `{"$date":{"$numberLong":"${bytes.readBigInt64LE(start)}"}}`;
  return undefined;
}

function printElements(bytes: Buffer, { type, start }: StoredValue, budget: number): string {
  const named = type === TYPE.object;
  let text = named ? "{" : "[";
  for (const element of elements(bytes, start)) {
    if (text.length > budget) return text;
    if (text.length > 1) text += ",";
    if (named) text += `${JSON.stringify(textOf(bytes, element.nameStart, element.nameEnd))}:`;
    text +=
      printValue(bytes, element, budget - text.length) ??
      `${typeName(element.type)} ${inHex(bytes, element)}`;
  }
  return text + (named ? "}" : "]");
}

function printLarge(bytes: Buffer, value: StoredValue): string | undefined {
  const { type, start, end } = value;
  if (type === TYPE.string) return JSON.stringify(textOf(bytes, start + 4, end));
  if (type === TYPE.symbol) return `{"$symbol":${JSON.stringify(textOf(bytes, start + 4, end))}`;
  if (type === TYPE.code) return `{"$code":${JSON.stringify(textOf(bytes, start + 4, end))}`;
  if (type !== TYPE.binary) return undefined;
  // The length as stored: of the old subtype 2 this is the inner one too.
  const content = bytes.subarray(start + 5, start + Math.min(5 + readInt32(bytes, start), LARGE));
  return `{"$binary":{"base64":"${content.toString("base64")}`;
}

/** Text of at most the first bytes; where it is cut it may end with half a character, read as U+FFFD. */
function textOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("utf8", start, Math.min(end, start + LARGE));
}

function inHex(bytes: Buffer, { start, end }: StoredValue): string {
  return `0x${bytes.toString("hex", start, Math.min(end, start + LONGEST))}`;
}
