import { canonicalNumber } from "../../../../json/decimal-text.ts";
import { JsonNumber, type JsonValue, readJson } from "../../../../json/json-reader.ts";
import type { ColumnType, Kind } from "../../schema/column-type.ts";
import { type Literal, literalText, readLiteral } from "../array-literal.ts";
import { instantOf } from "../time-text.ts";

/** Far above what servers store; deeper JSON is equal only as text. */
const MOST_LEVELS = 1000;

/** `cut`: the second is the first without what comes after its milliseconds. */
export type TextClassification = "equal" | "cut" | "different";

/**
 * Whether two texts, as `printField` and `sourceText` give them, are one value to Postgres: numbers by value, digit for digit;
 * times by instant; json and jsonb by structure, as jsonb compares, so the order of a json's members does not count; fixed
 * length text without the blanks at its end. `type` is the column's full type.
 */
export function compareTexts(column: ColumnType, type: string, a: string, b: string): TextClassification {
  if (a === b) return "equal";
  const { kind, isArray } = column;
  try {
    if (kind === "json" || kind === "jsonb") return same(jsonForm(column, a), jsonForm(column, b));
    if (kind === "other" && isArray)
      return same(
        literalForm(a, (text) => text),
        literalForm(b, (text) => text),
      );
    if (isArray) return compareArrays(kind, type, readJson(a, MOST_LEVELS), readJson(b, MOST_LEVELS));
  } catch (error) {
    if (error instanceof RangeError) return "different";
    throw error;
  }
  return compareScalars(kind, type, a, b);
}

function same(a: string, b: string): TextClassification {
  return a === b ? "equal" : "different";
}

function jsonForm({ isArray }: ColumnType, text: string): string {
  const form = (json: string): string => canonicalJson(readJson(json, MOST_LEVELS));
  return isArray ? literalForm(text, form) : form(text);
}

/** One text for all spellings of an array whose elements have these forms. Bounds are part of its value. */
function literalForm(text: string, form: (element: string) => string): string {
  const forms = (items: Literal): Literal =>
    items.map((item) => {
      if (item === null) return null;
      return typeof item === "string" ? form(item) : forms(item);
    });
  return text.slice(0, text.indexOf("{")) + literalText(forms(readLiteral(text)));
}

/** One text for all spellings of a JSON value that jsonb holds equal. */
export function canonicalJson(value: JsonValue): string {
  if (value instanceof JsonNumber) return canonicalNumber(value.text);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!(value instanceof Map)) return JSON.stringify(value);
  const members = [...value].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(",")}}`;
}

function compareArrays(kind: Kind, type: string, a: JsonValue, b: JsonValue): TextClassification {
  if (a === null || b === null) return a === b ? "equal" : "different";
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return "different";
    const classifications = a.map((item, at) => compareArrays(kind, type, item, b[at] as JsonValue));
    if (classifications.includes("different")) return "different";
    return classifications.includes("cut") ? "cut" : "equal";
  }
  if (typeof a === "object" && typeof b === "object" && !(a instanceof JsonNumber && b instanceof JsonNumber))
    return "different";
  if (Array.isArray(a) || Array.isArray(b) || a instanceof Map || b instanceof Map) return "different";
  return compareScalars(kind, type, scalarText(a as string), scalarText(b as string));
}

function scalarText(value: string | boolean | JsonNumber): string {
  return value instanceof JsonNumber ? value.text : String(value);
}

function compareScalars(kind: Kind, type: string, a: string, b: string): TextClassification {
  switch (kind) {
    case "int2":
    case "int4":
    case "int8":
    case "numeric":
      return same(canonicalNumber(a), canonicalNumber(b));
    case "float4":
      return same(floatText(Math.fround(Number(a))), floatText(Math.fround(Number(b))));
    case "float8":
      return same(floatText(Number(a)), floatText(Number(b)));
    case "uuid":
      return same(a.toLowerCase(), b.toLowerCase());
    case "timestamp":
    case "timestamptz":
      return compareTimes(kind, a, b);
    default:
      return type.startsWith("bpchar") ? same(withoutEndBlanks(a), withoutEndBlanks(b)) : same(a, b);
  }
}

/** In one pass, unlike a pattern for the end of a text, whatever runs of blanks are within it. */
function withoutEndBlanks(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0x20) end--;
  return text.slice(0, end);
}

/** Negative zero is a value of its own here: Postgres prints it, though it compares as zero. */
function floatText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function compareTimes(kind: "timestamp" | "timestamptz", a: string, b: string): TextClassification {
  const [one, other] = [instantOf(kind, a), instantOf(kind, b)];
  if (one === undefined || other === undefined || one.milliseconds !== other.milliseconds) return "different";
  if (one.microseconds === other.microseconds) return "equal";
  return other.microseconds === 0 ? "cut" : "different";
}
