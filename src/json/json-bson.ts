import { TYPE } from "../bson/elements.ts";
import type { BsonWriter } from "../bson/writer.ts";
import { keptOf } from "./decimal-text.ts";
import { JsonNumber, type JsonValue } from "./json-reader.ts";

/** Deeper JSON is kept as its text: servers take about a hundred levels, and the document around it has its own. */
export const MOST_LEVELS = 90;

const LONG_DIGITS = 15;
const LEAST_LONG = -(2n ** 63n);
const MOST_LONG = 2n ** 63n - 1n;

/** A field's name, as `BsonWriter.element` takes it. */
export type Name = Uint8Array | string;

/**
 * Writes one JSON value under `name`. True when every number in it is printed again as it was written, where no exponents are
 * printed. Throws UnwritableText.
 */
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
