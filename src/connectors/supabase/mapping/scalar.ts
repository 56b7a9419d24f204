import { TYPE } from "../../../bson/elements.ts";
import type { BsonWriter } from "../../../bson/writer.ts";
import { withScale } from "../../../json/decimal-text.ts";
import { type Name, writeDecimal } from "../../../json/json-bson.ts";
import { JsonNumber, type JsonValue } from "../../../json/json-reader.ts";
import type { Kind } from "../schema/column-type.ts";
import { instantOf, timeText } from "./time-text.ts";

const INTEGERS = {
  int2: { least: -32_768, most: 32_767 },
  int4: { least: -2_147_483_648, most: 2_147_483_647 },
} as const;
const BACKSLASH = 0x5c;
const LEAST_INT8 = -(2n ** 63n);
const MOST_INT8 = 2n ** 63n - 1n;

/**
 * Writes one value, neither null nor a part of JSON, by the rule of its type. True when printing it gives the text back.
 * `scale`: digits after the point that every value has.
 */
export function writeScalar(
  writer: BsonWriter,
  kind: Kind,
  scale: number | undefined,
  value: JsonValue,
  name: Name,
): boolean {
  switch (kind) {
    case "int2":
    case "int4":
    case "int8":
      return writeInteger(writer, kind, value, name);
    case "numeric":
    case "float4":
    case "float8":
      return writeNumber(writer, kind, scale, value, name);
    case "timestamp":
    case "timestamptz":
      return writeTime(writer, kind, stringIn(value), name);
    case "bytea":
      writer.element(TYPE.binary, name);
      writer.binary(bytesOf(stringIn(value)));
      return true;
    default:
      if (typeof value === "boolean" && kind === "bool") {
        writer.element(TYPE.boolean, name);
        writer.boolean(value);
        return true;
      }
      if (kind === "bool") return mismatch();
      writer.element(TYPE.string, name);
      writer.string(stringIn(value));
      return true;
  }
}

function writeInteger(
  writer: BsonWriter,
  kind: "int2" | "int4" | "int8",
  value: JsonValue,
  name: Name,
): true {
  if (!(value instanceof JsonNumber)) return mismatch();
  const { text } = value;
  if (kind !== "int8") {
    const number = Number(text);
    const { least, most } = INTEGERS[kind];
    if (!(Number.isInteger(number) && number >= least && number <= most)) mismatch();
    writer.element(TYPE.int32, name);
    writer.int32(number);
    return true;
  }
  writer.element(TYPE.int64, name);
  if (text.length <= 15) {
    const number = Number(text);
    if (!Number.isInteger(number)) mismatch();
    writer.int64(number);
    return true;
  }
  if (!/^-?\d{1,19}$/.test(text)) mismatch();
  const number = BigInt(text);
  if (number < LEAST_INT8 || number > MOST_INT8) mismatch();
  writer.int64(number);
  return true;
}

function writeNumber(
  writer: BsonWriter,
  kind: "numeric" | "float4" | "float8",
  scale: number | undefined,
  value: JsonValue,
  name: Name,
): boolean {
  if (!(value instanceof JsonNumber)) {
    if (value !== "NaN" && value !== "Infinity" && value !== "-Infinity") mismatch();
    writer.element(TYPE.double, name);
    writer.double(Number(value));
    return true;
  }
  const { text } = value;
  if (kind === "numeric") {
    const printed = writeDecimal(writer, name, text);
    return printed === undefined || withScale(printed, scale) === text;
  }
  writer.element(TYPE.double, name);
  writer.double(Number(text));
  return true;
}

/** Years 1 to 9999 as a date, cut to its milliseconds; the infinities and all other years as their text. */
function writeTime(writer: BsonWriter, kind: "timestamp" | "timestamptz", text: string, name: Name): boolean {
  const time = /^\d{4}-/.test(text) && !text.endsWith("BC") ? instantOf(kind, text)?.milliseconds : undefined;
  const printed = time === undefined ? undefined : timeText(kind, time);
  if (time === undefined || printed === undefined || !/^\d{4}-(?!.*BC)/.test(printed)) {
    writer.element(TYPE.string, name);
    writer.string(text);
    return true;
  }
  writer.element(TYPE.date, name);
  writer.int64(time);
  return printed === text;
}

/**
 * The bytes of a bytea's text, in either form that Postgres writes: what begins with `\x` is hex, for in the other one a
 * backslash stands before another one or three octal digits.
 */
function bytesOf(text: string): Uint8Array {
  if (!text.startsWith("\\x")) return unescaped(text);
  const bytes = Buffer.from(text.slice(2), "hex");
  return bytes.length * 2 === text.length - 2 ? bytes : mismatch();
}

function unescaped(text: string): Uint8Array {
  const bytes = Buffer.alloc(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) mismatch();
    if (code === BACKSLASH && text.charCodeAt(++at) !== BACKSLASH) {
      const octal = text.slice(at, at + 3);
      if (!/^[0-3][0-7]{2}$/.test(octal)) mismatch();
      code = Number.parseInt(octal, 8);
      at += 2;
    }
    bytes[length++] = code;
  }
  return bytes.subarray(0, length);
}

export function stringIn(value: JsonValue): string {
  return typeof value === "string" ? value : mismatch();
}

export function mismatch(): never {
  throw new RangeError("a value is not of its column's type");
}
