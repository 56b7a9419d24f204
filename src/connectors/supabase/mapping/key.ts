import { TYPE } from "../../../bson/elements.ts";
import { BsonWriter, nameBytes } from "../../../bson/writer.ts";
import { DocumentId, idElement } from "../../../model/document.ts";
import type { Table } from "../schema/table.ts";
import { writeKey } from "./encode.ts";
import { type Field, layoutOf } from "./layout.ts";
import { Misfit } from "./misfit.ts";
import { type FieldPlace, membersOf } from "./to-row/bson-value.ts";
import { printField } from "./to-row/decode.ts";
import { sourceText, type WireValue, wireOf } from "./to-row/wire-value.ts";

const ID = nameBytes("_id");

/** Types whose order in Postgres is that of their `_id`s: not text, which a database sorts by its language. */
const ORDERED: ReadonlySet<string> = new Set(["int2", "int4", "int8", "uuid", "bool"]);

/** Whether rows in the order of their key are documents in the order of their `_id`s. */
export function isOrdered(table: Table): boolean {
  return layoutOf(table).keyFields.every(({ type }) => !type.isArray && ORDERED.has(type.kind));
}

/**
 * What the key's columns are compared with in a filter to find the row of this `_id`, in the key's order; undefined for an
 * `_id` that no row of this table has. Postgres may still refuse a text: we do not know the values of an enum.
 */
export function keyTexts(table: Table, id: DocumentId): string[] | undefined {
  return readKey(table, id)?.map((text, at) => conditionText(layoutOf(table).keyFields[at] as Field, text));
}

/** What a column is compared with in a filter to find this text of `printField`; not of arrays. */
export function conditionText(field: Field, text: string): string {
  const wire = wireOf(field, text);
  return typeof wire.value === "boolean" ? String(wire.value) : sourceText(wire);
}

/** The same as `printField` gives them. */
export function readKey(table: Table, id: DocumentId): string[] | undefined {
  const { keyFields } = layoutOf(table);
  try {
    const places = placesOf(keyFields, id);
    if (places === undefined) return undefined;
    const texts = keyFields.map((field, at) => printField(field, places[at] as FieldPlace));
    if (texts.includes(null)) return undefined;
    const wires = keyFields.map((field, at) => wireOf(field, texts[at] as string));
    // What would be made of these texts must be this very `_id`: not a Date for a time, or "5" for 5.
    return idOf(keyFields, wires).key === id.key ? (texts as string[]) : undefined;
  } catch (error) {
    if (error instanceof Misfit || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The `_id` of the row with these texts in its key's columns, in the key's order; undefined where they are none. */
export function idOfTexts(table: Table, texts: readonly string[]): DocumentId | undefined {
  const { keyFields } = layoutOf(table);
  try {
    const wires = keyFields.map((field, at) => wireOf(field, texts[at] as string));
    return idOf(keyFields, wires);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function placesOf(keyFields: readonly Field[], { element }: DocumentId): FieldPlace[] | undefined {
  const whole: FieldPlace = { bytes: element, type: element[0] ?? 0, start: 1, end: element.length };
  if (keyFields.length === 1) return [whole];
  if (whole.type !== TYPE.object) return undefined;
  const members = [...membersOf(whole)];
  const isLike = members.every(([name], at) => name === keyFields[at]?.column.name);
  return isLike && members.length === keyFields.length ? members.map(([, place]) => place) : undefined;
}

/** The `_id` of the row with these values in its key's columns. */
function idOf(keyFields: readonly Field[], wires: readonly WireValue[]): DocumentId {
  const writer = new BsonWriter();
  const start = writer.begin();
  writeId(writer, keyFields, wires);
  writer.end(start);
  return new DocumentId(idElement(writer.written()));
}

/** Writes the field `_id`. True when it alone gives the exact texts back. */
export function writeId(
  writer: BsonWriter,
  keyFields: readonly Field[],
  wires: readonly WireValue[],
): boolean {
  if (keyFields.length === 1) return writeKey(writer, keyFields[0] as Field, ID, wires[0] as WireValue);
  writer.element(TYPE.object, ID);
  const start = writer.begin();
  keyFields.forEach((field, at) => {
    writeKey(writer, field, field.name, wires[at] as WireValue);
  });
  writer.end(start);
  return true;
}
