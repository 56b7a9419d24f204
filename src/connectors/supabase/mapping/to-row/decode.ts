import { TYPE } from "../../../../bson/elements.ts";
import { readDouble } from "../../../../bson/numbers.ts";
import { canonicalNumber, scaledOf, withScale } from "../../../../json/decimal-text.ts";
import type { JsonValue } from "../../../../json/json-reader.ts";
import { quoted } from "../../../../json/quoted.ts";
import { type Literal, literalText, MOST_DIMENSIONS } from "../array-literal.ts";
import type { Field } from "../layout.ts";
import { misfit } from "../misfit.ts";
import { dayText, instantOf, timeText } from "../time-text.ts";
import {
  binaryOf,
  dateOf,
  type FieldPlace,
  isNumber,
  jsonOf,
  membersOf,
  numberText,
  stringOf,
  typeName,
  uuidText,
} from "./bson-value.ts";
import { jsonText } from "./json-text.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const LIMITS = { int2: 15n, int4: 31n, int8: 63n } as const;

/**
 * The text of the value that a field stands for, in the form that `sourceText` has: null is SQL's. Nothing is rounded: what
 * the column's type has not exactly is a Misfit.
 */
export function printField(field: Field, place: FieldPlace): string | null {
  const { kind, isArray } = field.type;
  if (place.type === TYPE.null) return null;
  if (kind === "json" || kind === "jsonb")
    return isArray ? printLiteral(kind, place) : printJson(kind, place);
  if (kind === "other" && isArray) return literalText(textsOf(field, place, 1));
  if (isArray) return printArray(field, place, 1);
  return printScalar(field, place);
}

/** The JSON to send for a text of `printField`. */
export function jsonToSend({ type: { kind, isArray } }: Field, text: string): string {
  if (kind === "json" || kind === "jsonb") return isArray ? quoted(text) : text;
  if (kind === "other") return quoted(text);
  if (isArray || kind === "bool") return text;
  const isNumeric = ["int2", "int4", "int8", "numeric", "float4", "float8"].includes(kind);
  return isNumeric && !/[NI]/.test(text) ? text : quoted(text);
}

function printJson(kind: "json" | "jsonb", place: FieldPlace): string {
  const value = jsonOf(place);
  if (kind === "jsonb") refuseNul(value);
  return jsonText(value, kind) as string;
}

/** Postgres's text has no U+0000, and neither has its jsonb. */
function refuseNul(value: JsonValue): void {
  if (typeof value === "string") withoutNul(value);
  else if (Array.isArray(value)) value.forEach(refuseNul);
  else if (value instanceof Map) for (const member of value.values()) refuseNul(member);
}

function withoutNul(text: string): string {
  return text.includes("\0") ? misfit("text with U+0000") : text;
}

/** An array in it is an element that is a JSON array. */
function printLiteral(kind: "json" | "jsonb", place: FieldPlace): string {
  if (place.type !== TYPE.array) return notA(place);
  const items = [...membersOf(place)].map(([, item]) =>
    item.type === TYPE.null ? null : printJson(kind, item),
  );
  return literalText(items);
}

/** The elements of an array of a type that is kept as its text. */
function textsOf(field: Field, place: FieldPlace, dimension: number): Literal {
  if (place.type !== TYPE.array) return notA(place);
  if (dimension > MOST_DIMENSIONS) misfit("an array of more than six dimensions");
  return [...membersOf(place)].map(([, item]) => {
    if (item.type === TYPE.null) return null;
    return item.type === TYPE.array ? textsOf(field, item, dimension + 1) : printScalar(field, item);
  });
}

function printArray(field: Field, place: FieldPlace, dimension: number): string {
  if (place.type !== TYPE.array) return notA(place);
  if (dimension > MOST_DIMENSIONS) misfit("an array of more than six dimensions");
  const items = [...membersOf(place)].map(([, item]) => {
    if (item.type === TYPE.null) return "null";
    if (item.type === TYPE.array) return printArray(field, item, dimension + 1);
    const scalar = { ...field, type: { ...field.type, isArray: false } };
    return jsonToSend(scalar, printScalar(scalar, item));
  });
  return `[${items.join(",")}]`;
}

function printScalar(field: Field, place: FieldPlace): string {
  const { kind } = field.type;
  switch (kind) {
    case "int2":
    case "int4":
    case "int8":
      return integer(kind, place);
    case "numeric":
      return numeric(field.column.scale, place);
    case "float4":
    case "float8":
      return float(kind, place);
    case "bool":
      if (place.type === TYPE.boolean) return place.bytes[place.start] === 0 ? "false" : "true";
      return oneOf(place, ["true", "false"]);
    case "uuid": {
      const text = place.type === TYPE.binary ? uuidText(place) : textOf(place);
      return UUID.test(text) ? text.toLowerCase() : misfit("text that is not a uuid");
    }
    case "date":
      return date(place);
    case "timestamp":
    case "timestamptz":
      return time(kind, place);
    case "bytea":
      return bytea(place);
    default:
      return plainString(field.column.type, place);
  }
}

function integer(kind: keyof typeof LIMITS, place: FieldPlace): string {
  let text = numberOf(place);
  // The shortest text of a large Double has other digits than its value.
  if (place.type === TYPE.double && /^-?\d{16,}$/.test(text))
    text = String(BigInt(readDouble(place.bytes, place.start)));
  const parts = /^(-?)0*(\d+)(?:\.0*)?$/.exec(text);
  if (parts === null) return misfit("a number that is not whole");
  const [, sign, digits = ""] = parts;
  if (digits.length > 20) return misfit("a number that is out of range");
  const value = BigInt(digits) * (sign === "-" ? -1n : 1n);
  const limit = 1n << LIMITS[kind];
  return value >= -limit && value < limit ? String(value) : misfit("a number that is out of range");
}

function numeric(scale: number | undefined, place: FieldPlace): string {
  const text = numberOf(place);
  if (/[NI]/.test(text)) return text;
  const padded = withScale(text === "-0" ? "0" : text, scale);
  if (scale !== undefined && /[^0]/.test((padded.split(".")[1] ?? "").slice(Math.max(scale, 0))))
    return misfit(`a number with more than ${scale} digits after the point`);
  return padded;
}

function float(kind: "float4" | "float8", place: FieldPlace): string {
  const text = numberOf(place);
  const value = Number(text);
  if (/[NI]/.test(text)) return text;
  if (canonicalNumber(String(value)) !== canonicalNumber(text))
    return misfit("a number that would be rounded");
  if (kind === "float4" && !isFloat4(value)) return misfit("a number that would be rounded");
  return Object.is(value, -0) ? "-0" : String(value);
}

/**
 * Whether a Double is a float4, or a decimal that stands for one: it becomes that float4 and has no more digits than are needed
 * to identify it among all others. Postgres and JavaScript choose differently between decimals that are as short.
 */
function isFloat4(value: number): boolean {
  const rounded = Math.fround(value);
  if (rounded === value) return true;
  if (!Number.isFinite(rounded) || rounded === 0) return false;
  let digits = 1;
  while (digits < 9 && !identifies(Number(rounded.toPrecision(digits)), rounded)) digits++;
  return identifies(value, rounded) && Number(value.toPrecision(digits)) === value;
}

/** Whether a decimal identifies this float4 among all others. Midway between two it identifies neither, though it is rounded to one. */
function identifies(decimal: number, float4: number): boolean {
  if (decimal === float4) return true;
  const other = 2 * decimal - float4;
  return Math.fround(decimal) === float4 && Math.fround(other) !== other;
}

/** A number's text; a string counts if it is one. */
function numberOf(place: FieldPlace): string {
  if (isNumber(place)) return numberText(place);
  if (place.type !== TYPE.string) return notA(place);
  const text = stringOf(place);
  const isOne = scaledOf(text) !== undefined || ["NaN", "Infinity", "-Infinity"].includes(text);
  return isOne ? text : misfit("text that is not a number");
}

function date(place: FieldPlace): string {
  if (place.type === TYPE.date) {
    const midnight = timeText("timestamp", dateOf(place));
    return (midnight && dayText(midnight)) ?? misfit("a date that is not midnight in UTC");
  }
  const text = textOf(place);
  return dayText(text) ?? oneOf(place, ["infinity", "-infinity"], "text that is not a date");
}

function time(kind: "timestamp" | "timestamptz", place: FieldPlace): string {
  if (place.type === TYPE.date)
    return timeText(kind, dateOf(place)) ?? misfit("a date outside the range of Postgres");
  const text = textOf(place);
  if (instantOf(kind, text) !== undefined) return text;
  return oneOf(place, ["infinity", "-infinity"], "text that is not an exact time");
}

function bytea(place: FieldPlace): string {
  if (place.type === TYPE.binary) {
    const { subtype, content } = binaryOf(place);
    if (subtype !== 0 && subtype !== 2) misfit("a Binary of another subtype");
    return `\\x${content.toString("hex")}`;
  }
  const text = textOf(place);
  return /^\\x(?:[0-9a-f]{2})*$/i.test(text) ? text.toLowerCase() : misfit("text that is not a bytea");
}

function plainString(type: string, place: FieldPlace): string {
  const text = textOf(place);
  if (/^(?:time|interval)/.test(type) && /\.\d{6}\d*[1-9]/.test(text)) misfit("a time that would be rounded");
  return text;
}

function textOf(place: FieldPlace): string {
  return place.type === TYPE.string ? withoutNul(stringOf(place)) : notA(place);
}

function oneOf(
  place: FieldPlace,
  words: readonly string[],
  otherwise = "text that is not one of its values",
): string {
  const text = textOf(place);
  return words.includes(text) ? text : misfit(otherwise);
}

function notA({ type }: FieldPlace): never {
  return misfit(`a value of BSON type ${typeName(type)}`);
}
