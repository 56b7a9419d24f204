import { createHash } from "node:crypto";
import { EJSON, UUID } from "bson";
import { type Element, elements, isNamed, readInt32, TYPE, valueEnd } from "./elements.ts";
import { RawValue, readLeaf } from "./leaf.ts";

const LONGEST = 200;

/** A string id that needs no quotes: nothing that a shell, a terminal or a reader could take for something else. */
const PLAIN = /^[A-Za-z0-9_.:@/+-]+$/;
/** Plain texts that could be read as another kind of id. */
const TAKEN = /^([0-9a-fA-F]{24}|true|false|null)$/;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Characters that act on a terminal or cannot be seen. Listed, not taken from the Unicode properties that this Node
 * knows: a printed id must stay the same under the next one.
 */
const UNSAFE =
  /[\u007f-\u00a0\u00ad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff0-\uffff]/g;

/**
 * An `_id` element on one line of at most 200 characters, for people and for keys that stay the same: `17` is an int32,
 * `abc` a string (`"17"` quoted where it could be mistaken), 24 hex digits are an ObjectId, all else is Extended JSON in
 * which only int32 and dates are relaxed. Ids that a server holds different print differently. Too long a text is cut and
 * ends with a hash of the id. Never throws: bytes that it cannot read are printed in hex.
 */
export function printId(element: Uint8Array): string {
  const text = readable(element);
  if (text.length <= LONGEST) return text;
  const ending = `… sha256:${createHash("sha256").update(element).digest("hex").slice(0, 16)}`;
  // A cut between the two halves of a character would not survive being written to a file.
  return text.slice(0, LONGEST - ending.length).replace(/[\ud800-\udbff]$/, "") + ending;
}

function readable(element: Uint8Array): string {
  try {
    const type = element[0] ?? 0;
    if (valueEnd(element, type, 1) !== element.length) throw new RangeError("not one value");
    const text = printValue(element, type, 1, element.length).replace(UNSAFE, escapeCharacter);
    if (type === TYPE.string) return unquoted(text);
    return type === TYPE.objectId ? text.slice('{"$oid":"'.length, -'"}'.length) : text;
  } catch {
    return inHex(element);
  }
}

/** The string itself in place of its JSON, where that is as clear. */
function unquoted(json: string): string {
  const text = json.slice(1, -1);
  return PLAIN.test(text) && !TAKEN.test(text) && Number.isNaN(Number(text)) ? text : json;
}

/** Written here and not by EJSON, which would move names that look like numbers to the front. */
function printValue(bytes: Uint8Array, type: number, start: number, end: number): string {
  if (type === TYPE.object) return `{${printElements(bytes, start, true)}}`;
  if (type === TYPE.array) return `[${printElements(bytes, start, false)}]`;
  if (type === TYPE.int32) return String(readInt32(bytes, start));
  const leaf = readLeaf(bytes, type, start, end);
  if (leaf instanceof RawValue) throw new RangeError("not printable");
  // Extended JSON's other form, in the digits that people search for.
  if (leaf instanceof UUID) return JSON.stringify({ $uuid: leaf.toString() });
  return EJSON.stringify(leaf, { relaxed: type === TYPE.date });
}

function printElements(bytes: Uint8Array, at: number, named: boolean): string {
  const parts: string[] = [];
  for (const element of elements(bytes, at)) {
    const value = printValue(bytes, element.type, element.start, element.end);
    if (!named && !isNamed(bytes, element, String(parts.length))) throw new RangeError("not printable");
    parts.push(named ? `${printName(bytes, element)}:${value}` : value);
  }
  return parts.join(",");
}

function printName(bytes: Uint8Array, { nameStart, nameEnd }: Element): string {
  const name = UTF8.decode(bytes.subarray(nameStart, nameEnd));
  // It would read as a type of Extended JSON.
  if (name.startsWith("$")) throw new RangeError("not printable");
  return JSON.stringify(name);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function inHex(element: Uint8Array): string {
  const type = Object.entries(TYPE).find(([, byte]) => byte === element[0])?.[0] ?? "unreadable";
  // Twice as many digits as are shown: the caller cuts.
  return `${type} 0x${Buffer.from(element).subarray(0, LONGEST).toString("hex")}`;
}
