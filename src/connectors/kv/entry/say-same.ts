import { isUtf8 } from "node:buffer";
import { canonicalNumber } from "../../../json/decimal-text.ts";
import { JsonError, JsonNumber, type JsonValue, readJson } from "../../../json/json-reader.ts";
import { contentHash } from "./content-hash.ts";
import type { EntryValue } from "./entry.ts";

/** Deeper JSON is equal only as text. */
const MOST_LEVELS = 200;

/**
 * Whether two contents are the same, or the same JSON in other words: blanks, escapes and the spelling of numbers do not count, the order
 * of members does. Of strings JSON alone whose root is no string: "q" and the text q are two things.
 */
export function saySame(a: EntryValue, b: EntryValue): boolean {
  if (a.type !== b.type) return false;
  if (contentHash(a) === contentHash(b)) return true;
  if (!(a.type === "string" || a.type === "json") || a.type !== b.type) return false;
  const [one, other] = [jsonOf(a.value), jsonOf(b.value)];
  if (one === undefined || other === undefined) return false;
  if (a.type === "string" && typeof one === "string") return false;
  return isEqualJson(one, other);
}

function jsonOf(content: Uint8Array): JsonValue | undefined {
  if (!isUtf8(content)) return undefined;
  try {
    return readJson(Buffer.from(content.buffer, content.byteOffset, content.length).toString(), MOST_LEVELS);
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

function isEqualJson(a: JsonValue, b: JsonValue): boolean {
  if (a instanceof JsonNumber)
    return b instanceof JsonNumber && canonicalNumber(a.text) === canonicalNumber(b.text);
  if (a instanceof Map) return b instanceof Map && areEqualLists([...a].flat(), [...b].flat());
  if (Array.isArray(a)) return Array.isArray(b) && areEqualLists(a, b);
  return a === b;
}

function areEqualLists(a: readonly JsonValue[], b: readonly JsonValue[]): boolean {
  return a.length === b.length && a.every((one, at) => isEqualJson(one, b[at] as JsonValue));
}
