/** The value of a string of a KV store as a field of a document, and back. */
import { isUtf8 } from "node:buffer";
import { type Element, elements, TYPE } from "../../../bson/elements.ts";
import { BsonWriter, UnwritableText } from "../../../bson/writer.ts";
import { MOST_LEVELS, type Name, writeJson } from "../../../json/json-bson.ts";
import { JsonError, type JsonValue, readJson } from "../../../json/json-reader.ts";
import { bytesOf, writeBytes } from "./bytes-bson.ts";
import { stringify } from "./stringify.ts";

/** The field beside a value that keeps the exact text, where the value does not. */
export const RAW = "raw";

/** What takes more room than this as a value is kept as text, which takes less. */
const MOST_PARSED = 12 * 1024 * 1024;
/** What has as many is kept as text, too: reading it would take a hundred times its room. */
const MOST_COMMAS = 1_000_000;

const VALUE = "value";

/**
 * Writes what these bytes are under `name`: JSON whose root is no string as its value, with `raw` beside it where printing the
 * value gives another text; all other text as a string; all other bytes as a Binary. JSON that BSON cannot follow (too deep, too
 * large, half a surrogate pair, a name with a NUL) is text, too.
 */
export function writeString(writer: BsonWriter, name: Name, content: Uint8Array): void {
  const start = writer.length;
  const isParsed =
    mayBeJson(content) && isUtf8(content) && !hasManyParts(content) && writeParsed(writer, name, content);
  if (!isParsed) {
    writer.rewind(start);
    writeBytes(writer, name, content);
  }
}

/**
 * The bytes that a value stands for: those of a string or a plain Binary, else the JSON that an application would make of it. `raw` is
 * the field beside it; it counts as long as the value is what its text parses to. Adds to `losses`, in words. Throws NotAnEntry.
 */
export function readString(
  bytes: Uint8Array,
  value: Element,
  raw: Element | undefined,
  losses: Set<string>,
): Uint8Array {
  const content = bytesOf(bytes, value);
  if (content !== undefined) return content;
  const lost = new Set<string>();
  const text = stringify(bytes, value, lost);
  if (raw?.type === TYPE.string && lost.size === 0) {
    const exact = bytesOf(bytes, raw);
    if (exact !== undefined && printed(exact) === text) return exact;
  }
  for (const loss of lost) losses.add(loss);
  return Buffer.from(text);
}

/** False when it is text to a document. May have written a part of it then. */
function writeParsed(writer: BsonWriter, name: Name, content: Uint8Array): boolean {
  const start = writer.length;
  const text = textOf(content);
  const value = parsed(text);
  if (value === undefined) return false;
  try {
    writeJson(writer, name, value);
  } catch (error) {
    if (error instanceof UnwritableText) return false;
    throw error;
  }
  const written = writer.written();
  const type = written[start] as number;
  // A number that BSON has no form for.
  if (type === TYPE.string) return false;
  const valueStart = start + 1 + nameLength(name);
  if (textAt(written, type, valueStart) !== text) writer.stringField(RAW, text);
  return writer.length - start <= MOST_PARSED;
}

function nameLength(name: Name): number {
  return typeof name === "string" ? Buffer.byteLength(name) + 1 : name.length;
}

function textAt(bytes: Uint8Array, type: number, start: number): string {
  return stringify(bytes, { type, start, end: bytes.length, nameStart: start, nameEnd: start }, new Set());
}

/** What printing the value of a text gives; undefined where the text is kept as such. */
function printed(content: Uint8Array): string | undefined {
  const writer = new BsonWriter(content.length + 64);
  const start = writer.begin();
  writeString(writer, VALUE, content);
  writer.end(start);
  const bytes = writer.written();
  for (const element of elements(bytes)) {
    if (bytesOf(bytes, element) === undefined) return stringify(bytes, element, new Set());
    break;
  }
  return undefined;
}

/** Undefined for what is not JSON, is too deep, or has a string as its root. */
function parsed(text: string): JsonValue | undefined {
  try {
    const value = readJson(text, MOST_LEVELS);
    return typeof value === "string" ? undefined : value;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

function textOf(content: Uint8Array): string {
  return Buffer.from(content.buffer, content.byteOffset, content.length).toString();
}

/** Looks at the first character alone: most texts that are not JSON are seen by it. */
function mayBeJson(content: Uint8Array): boolean {
  let at = 0;
  while (at < content.length && BLANKS.has(content[at] as number)) at++;
  return BEGINNINGS.has(content[at] ?? 0);
}

function hasManyParts(content: Uint8Array): boolean {
  if (content.length < MOST_COMMAS) return false;
  let commas = 0;
  for (let at = content.indexOf(COMMA); at >= 0; at = content.indexOf(COMMA, at + 1)) commas++;
  return commas >= MOST_COMMAS;
}

const COMMA = 0x2c;
const BLANKS: ReadonlySet<number> = new Set(Buffer.from(" \t\n\r"));
const BEGINNINGS: ReadonlySet<number> = new Set(Buffer.from("{[-0123456789tfn"));
