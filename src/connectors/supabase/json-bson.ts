import { TYPE } from "../../bson/elements.ts";
import { type BsonWriter, UnwritableText } from "../../bson/writer.ts";
import { keptOf } from "./decimal-text.ts";
import { JsonNumber, type JsonValue, readJson, TooDeep } from "./json-reader.ts";
import { type JsonStyle, jsonText } from "./json-text.ts";

/** Deeper JSON is kept as its text: servers take about a hundred levels, and the document around it has its own. */
export const MOST_LEVELS = 90;

const LONG_DIGITS = 15;
const LEAST_LONG = -(2n ** 63n);
const MOST_LONG = 2n ** 63n - 1n;

/**
 * Writes the value of a JSON text under `name`; text that BSON cannot follow (too deep, half a surrogate pair, a NUL in a
 * name) as a string. True when printing the value gives the text back: not so with a null
 * alone, which stands for SQL's.
 */
export function writeJsonText(writer: BsonWriter, name: Uint8Array, text: string, style: JsonStyle): boolean {
  const start = writer.length;
  try {
    const value = readJson(text, MOST_LEVELS);
    writeJson(writer, value, (type) => writer.element(type, name));
    return value !== null && jsonText(value, style, printedNumber) === text;
  } catch (error) {
    if (!(error instanceof TooDeep || error instanceof UnwritableText)) throw error;
    writer.rewind(start);
    writer.stringField(name, text);
    return false;
  }
}

/** Writes one JSON value; `head` writes the type and the name before it. */
export function writeJson(writer: BsonWriter, value: JsonValue, head: (type: number) => void): void {
  if (typeof value === "string") {
    head(TYPE.string);
    writer.string(value);
  } else if (value === null) head(TYPE.null);
  else if (typeof value === "boolean") {
    head(TYPE.boolean);
    writer.boolean(value);
  } else if (value instanceof JsonNumber) writeJsonNumber(writer, value.text, head);
  else if (value instanceof Map) {
    head(TYPE.object);
    const start = writer.begin();
    for (const [name, member] of value) writeJson(writer, member, (type) => writer.named(type, name));
    writer.end(start);
  } else {
    head(TYPE.array);
    const start = writer.begin();
    (value as readonly JsonValue[]).forEach((item, index) => {
      writeJson(writer, item, (type) => writer.named(type, String(index)));
    });
    writer.end(start);
  }
}

/** Whole numbers as Int32 or Int64, all others, and larger ones, as decimals are kept. */
export function writeJsonNumber(writer: BsonWriter, text: string, head: (type: number) => void): void {
  const whole = wholeNumber(text);
  if (whole !== undefined) {
    const isSmall = typeof whole === "number" && (whole | 0) === whole;
    head(isSmall ? TYPE.int32 : TYPE.int64);
    if (isSmall) writer.int32(whole);
    else writer.int64(whole);
    return;
  }
  writeDecimal(writer, text, head);
}

/** A decimal, or a whole number, as a Double, a decimal128 or a string; what it prints, undefined for a string. */
export function writeDecimal(
  writer: BsonWriter,
  text: string,
  head: (type: number) => void,
): string | undefined {
  const kept = keptOf(text);
  if (kept.as === "double") {
    head(TYPE.double);
    writer.double(kept.value);
    return kept.printed;
  }
  if (kept.as === "decimal128") {
    head(TYPE.decimal128);
    writer.raw(kept.bytes);
    return kept.printed;
  }
  head(TYPE.string);
  writer.string(text);
  return undefined;
}

/** The integer of a text of digits alone, if an int64 holds it; undefined for -0 too. */
function wholeNumber(text: string): number | bigint | undefined {
  for (let at = text.charCodeAt(0) === 0x2d ? 1 : 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return undefined;
  }
  if (text === "-0") return undefined;
  if (text.length <= LONG_DIGITS) return Number(text);
  if (text.length > 20) return undefined;
  const value = BigInt(text);
  return value >= LEAST_LONG && value <= MOST_LONG ? value : undefined;
}

/** What a number of JSON looks like after `writeJsonNumber`, printed again; undefined: it became a string. */
export function printedNumber(text: string): string | undefined {
  if (wholeNumber(text) !== undefined) return text;
  const kept = keptOf(text);
  return kept.as === "text" ? undefined : kept.printed;
}
