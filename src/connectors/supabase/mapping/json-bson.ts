import { TYPE } from "../../../bson/elements.ts";
import { type BsonWriter, UnwritableText } from "../../../bson/writer.ts";
import { JsonNumber, JsonReader, type JsonValue, TooDeep } from "../../../json/json-reader.ts";
import { keptOf } from "./decimal-text.ts";
import { type JsonStyle, quoted } from "./to-row/json-text.ts";

/** Deeper JSON is kept as its text: servers take about a hundred levels, and the document around it has its own. */
export const MOST_LEVELS = 90;

const LONG_DIGITS = 15;
const LEAST_LONG = -(2n ** 63n);
const MOST_LONG = 2n ** 63n - 1n;

/** A field's name, as `BsonWriter.element` takes it. */
export type Name = Uint8Array | string;

/**
 * Writes the value of a JSON text under `name`; text that BSON cannot follow (too deep, an unpaired surrogate, a field name with a NUL character)
 * as a string. True when printing the value gives the text back: not so with a null alone, which stands for SQL's. Blanks count
 * in a json; a jsonb has none of its own. Throws RangeError on text that is not JSON.
 */
export function writeJsonText(writer: BsonWriter, name: Name, text: string, style: JsonStyle): boolean {
  const start = writer.length;
  try {
    const reader = new SpellingReader(text, MOST_LEVELS);
    const value = reader.value();
    reader.finish();
    const areNumbersExact = writeJson(writer, name, value);
    return areNumbersExact && value !== null && reader.isUsual && (style === "jsonb" || !reader.hasBlanks);
  } catch (error) {
    if (!(error instanceof TooDeep || error instanceof UnwritableText)) throw error;
    // Nothing behind the place where it became too deep was looked at yet.
    if (error instanceof TooDeep) mustBeJson(text);
    writer.rewind(start);
    writer.stringField(name, text);
    return false;
  }
}

/** JSON.parse follows any depth. Throws RangeError, without the text. */
function mustBeJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new RangeError("not JSON");
  }
}

/** Writes one JSON value. True when every number in it is printed again as it was written. */
export function writeJson(writer: BsonWriter, name: Name, value: JsonValue): boolean {
  if (typeof value === "string") {
    writer.stringField(name, value);
    return true;
  }
  if (value instanceof JsonNumber) return writeJsonNumber(writer, name, value.text);
  if (value === null) {
    writer.element(TYPE.null, name);
    return true;
  }
  if (typeof value === "boolean") {
    writer.element(TYPE.boolean, name);
    writer.boolean(value);
    return true;
  }
  let isExact = true;
  writer.element(value instanceof Map ? TYPE.object : TYPE.array, name);
  const start = writer.begin();
  if (value instanceof Map) {
    for (const [member, part] of value) if (!writeJson(writer, member, part)) isExact = false;
  } else {
    const items = value as readonly JsonValue[];
    for (let i = 0; i < items.length; i++)
      if (!writeJson(writer, String(i), items[i] as JsonValue)) isExact = false;
  }
  writer.end(start);
  return isExact;
}

/** Whole numbers as Int32 or Int64, all others, and larger ones, as decimals are kept. */
function writeJsonNumber(writer: BsonWriter, name: Name, text: string): boolean {
  const whole = wholeNumber(text);
  if (whole === undefined) return writeDecimal(writer, name, text) === text;
  if (typeof whole === "number" && (whole | 0) === whole) {
    writer.element(TYPE.int32, name);
    writer.int32(whole);
  } else {
    writer.element(TYPE.int64, name);
    writer.int64(whole);
  }
  return true;
}

/** A decimal, or a whole number, as a Double, a decimal128 or a string; what it prints, undefined for a string. */
export function writeDecimal(writer: BsonWriter, name: Name, text: string): string | undefined {
  const kept = keptOf(text);
  if (kept.as === "double") {
    writer.element(TYPE.double, name);
    writer.double(kept.value);
    return kept.printed;
  }
  if (kept.as === "decimal128") {
    writer.element(TYPE.decimal128, name);
    writer.raw(kept.bytes);
    return kept.printed;
  }
  writer.stringField(name, text);
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

/** Reads JSON and says whether printing what was read could give another text, its numbers left aside. */
class SpellingReader extends JsonReader {
  /** Blanks between the parts. */
  hasBlanks = false;
  /** No string has an escape that it does not need, and no name came twice. */
  isUsual = true;

  protected override sawBlank(): void {
    this.hasBlanks = true;
  }

  protected override sawEscapes(content: string, start: number): void {
    if (quoted(content) !== this.text.slice(start, this.end)) this.isUsual = false;
  }

  protected override sawRepeatedName(): void {
    this.isUsual = false;
  }
}
