import { TYPE } from "../../../bson/elements.ts";
import type { BsonWriter } from "../../../bson/writer.ts";
import { keptOf, plainText, scaledOf, withoutEndZeros } from "../../../json/decimal-text.ts";
import type { Name } from "../../../json/json-bson.ts";
import { JsonNumber, type JsonValue } from "../../../json/json-reader.ts";
import type { Field } from "./layout.ts";
import { writeJsonLiteral, writeTextLiteral } from "./literal-bson.ts";
import { mismatch, stringIn, writeScalar } from "./scalar.ts";
import { jsonText } from "./to-row/json-text.ts";
import type { WireValue } from "./to-row/wire-value.ts";
import { writeJsonText } from "./write-json-text.ts";

/**
 * Writes a column's value as a field of a document. True when the field alone gives the exact text back; for floats, whose
 * texts have several forms, when it gives the value back. Throws RangeError on what no such column holds.
 */
export function writeField(writer: BsonWriter, field: Field, wire: WireValue): boolean {
  const { value } = wire;
  const { kind, isArray } = field.type;
  if (value === null) {
    writer.element(TYPE.null, field.name);
    return true;
  }
  if (kind === "json" || kind === "jsonb") {
    const text = stringIn(value);
    return isArray
      ? writeJsonLiteral(writer, field.name, text, kind)
      : writeJsonText(writer, field.name, text, kind);
  }
  if (kind === "other" && isArray) return writeTextLiteral(writer, field.name, stringIn(value));
  if (isArray) {
    if (!Array.isArray(value)) return mismatch();
    return writeArray(writer, field, value, field.name) && jsonText(value) === wire.raw;
  }
  return writeScalar(writer, kind, field.column.scale, value, field.name);
}

/** Writes the value of a key's column, so that two are equal exactly when Postgres holds them equal. */
export function writeKey(writer: BsonWriter, field: Field, name: Uint8Array, { value }: WireValue): boolean {
  const { kind } = field.type;
  if (value === null || field.type.isArray || (typeof value === "object" && !(value instanceof JsonNumber)))
    return mismatch();
  if (kind === "timestamp" || kind === "timestamptz") {
    writer.element(TYPE.string, name);
    writer.string(stringIn(value));
    return true;
  }
  if (value instanceof JsonNumber && kind === "numeric" && keptOf(value.text).as === "text") {
    const plain = plainNumeric(value.text);
    writer.element(TYPE.string, name);
    writer.string(plain);
    return plain === value.text;
  }
  return writeScalar(writer, kind, field.column.scale, value, name);
}

/**
 * Without the zeros at the end of a fraction: one text for each number. Throws RangeError on an exponent, which Postgres
 * writes in no numeric: written out, a few characters could take all memory.
 */
export function plainNumeric(text: string): string {
  const scaled = /[eE]/.test(text) ? undefined : scaledOf(text);
  if (scaled === undefined) return mismatch();
  const plain = plainText(scaled);
  if (!plain.includes(".")) return plain;
  const bare = withoutEndZeros(plain);
  return bare.endsWith(".") ? bare.slice(0, -1) : bare;
}

function writeArray(writer: BsonWriter, field: Field, items: readonly JsonValue[], name: Name): boolean {
  writer.element(TYPE.array, name);
  const start = writer.begin();
  let isExact = true;
  for (let i = 0; i < items.length; i++) {
    const item = items[i] as JsonValue;
    const name = String(i);
    if (item === null) writer.element(TYPE.null, name);
    else if (Array.isArray(item)) isExact = writeArray(writer, field, item, name) && isExact;
    else isExact = writeScalar(writer, field.type.kind, field.column.scale, item, name) && isExact;
  }
  writer.end(start);
  return isExact;
}
