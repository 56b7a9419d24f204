import { scaledOf } from "../../../../json/decimal-text.ts";
import { JsonNumber, type JsonValue, readJson } from "../../../../json/json-reader.ts";
import { isSelectedAsText } from "../../schema/column-type.ts";
import type { Field } from "../layout.ts";

/** Far above what arrays nest. */
const MOST_LEVELS = 1000;

/** A column's value as it came: `raw` is its exact JSON text, and only looked at for arrays. */
export interface WireValue {
  readonly value: JsonValue;
  readonly raw: string;
}

/** A value's exact text: what a string says, a number's digits, the JSON of all else. */
export function sourceText({ value, raw }: WireValue): string {
  if (typeof value === "string") return value;
  return value instanceof JsonNumber ? value.text : raw;
}

/** The value of a column that this exact text is of. Throws RangeError. */
export function wireOf({ type }: Field, text: string): WireValue {
  const { kind, isArray } = type;
  if (isSelectedAsText(type)) return { value: text, raw: "" };
  if (isArray) return { value: readJson(text, MOST_LEVELS), raw: text };
  if (kind === "bool") return { value: booleanOf(text), raw: text };
  const mayBeNumber = ["int2", "int4", "int8", "numeric", "float4", "float8"].includes(kind);
  return { value: mayBeNumber && scaledOf(text) !== undefined ? new JsonNumber(text) : text, raw: "" };
}

/** The text may be of a document that anybody wrote, and goes into a body as it is. */
function booleanOf(text: string): boolean {
  if (text !== "true" && text !== "false") throw new RangeError("text that is neither true nor false");
  return text === "true";
}
