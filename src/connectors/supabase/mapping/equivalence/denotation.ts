import { type Element, elements, TYPE } from "../../../../bson/elements.ts";
import { BsonWriter } from "../../../../bson/writer.ts";
import { DocumentId } from "../../../../model/document.ts";
import type { Table } from "../../schema/table.ts";
import { writeField, writeKey } from "../encode.ts";
import { readKey } from "../key.ts";
import { type Field, type Layout, layoutOf, SIDECAR } from "../layout.ts";
import { Misfit, misfit } from "../misfit.ts";
import { type FieldPlace, membersOf, nameOf, placeOf, stringOf } from "../to-row/bson-value.ts";
import { printField } from "../to-row/decode.ts";
import { wireOf } from "../to-row/wire-value.ts";
import { compareTexts } from "./compare-texts.ts";

/** What a document says of one column. */
export interface Denoted {
  /** As `printField` gives it; null is SQL's. */
  readonly text: string | null;
  /** Every time in it was a date, which has milliseconds only. */
  readonly isCut: boolean;
}

/** What a document says of a row: one entry a column, undefined where it says nothing. */
export interface Denotation {
  readonly values: readonly (Denoted | undefined)[];
  /** Fields that no column has. */
  readonly extra: readonly string[];
}

/** Reads a document as a row of the table. Throws Misfit, with the column in its text, for one that is none. */
export function denotationOf(table: Table, bytes: Uint8Array): Denotation {
  const layout = layoutOf(table);
  const { found, extra, id, sidecar } = fieldsOf(layout, bytes);
  const keys = keyOf(table, bytes, id);
  const values = layout.fields.map((field, place) => {
    try {
      const isId = layout.isIdAlone && place === layout.key[0];
      const own = found.get(field.column.name);
      const value = denotedBy(field, isId ? id : own, sidecar.get(field.column.name), isId);
      const keyed = keys.get(place);
      const kept = isId && own !== undefined ? { text: printField(field, own), isCut: false } : value;
      if (keyed === undefined) return value;
      return agreed(field, keyed, kept, isId ? value : kept);
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      return misfit(`column ${field.column.name} (${field.column.type}): ${error.what}`);
    }
  });
  return { values, extra };
}

interface DenotedFields {
  readonly found: ReadonlyMap<string, FieldPlace>;
  readonly extra: readonly string[];
  readonly id: FieldPlace;
  /** By the name of the column. */
  readonly sidecar: ReadonlyMap<string, string>;
}

function fieldsOf({ places }: Layout, bytes: Uint8Array): DenotedFields {
  const found = new Map<string, FieldPlace>();
  const extra: string[] = [];
  const sidecar = new Map<string, string>();
  let id: FieldPlace | undefined;
  for (const element of elements(bytes)) {
    const name = nameOf(bytes, element);
    const place = placeOf(bytes, element);
    if (name === "_id") id = place;
    else if (places.has(name)) {
      if (found.has(name)) misfit(`column ${name}: two fields with this name`);
      found.set(name, place);
    } else if (name !== SIDECAR) extra.push(name);
    else if (place.type === TYPE.object) {
      for (const [column, entry] of membersOf(place))
        if (entry.type === TYPE.string) sidecar.set(column, stringOf(entry));
    }
  }
  return { found, extra, id: id ?? misfit("a document without an `_id`"), sidecar };
}

/** The key's texts, by the places of its columns. */
function keyOf(
  table: Table,
  bytes: Uint8Array,
  { type, start, end }: FieldPlace,
): ReadonlyMap<number, string> {
  const element = new Uint8Array(1 + end - start);
  element[0] = type;
  element.set(bytes.subarray(start, end), 1);
  const texts = readKey(table, new DocumentId(element));
  if (texts === undefined) return misfit("an `_id` that cannot be a key of this table");
  return new Map(layoutOf(table).key.map((place, at) => [place, texts[at] as string]));
}

/** The key's column says what the `_id` says; of two texts for it, the one with more digits counts. */
function agreed(
  field: Field,
  keyed: string,
  kept: Denoted | undefined,
  better: Denoted | undefined,
): Denoted {
  const fromKey = { text: keyed, isCut: false };
  if (kept === undefined) return better ?? fromKey;
  if (kept.text === null) return misfit("null, where the `_id` has a value");
  const classify = compareTexts(field.type, field.column.type, keyed, kept.text);
  if (classify === "equal") return better ?? fromKey;
  if (classify === "cut" && kept.isCut) return fromKey;
  return misfit("a value that is not the one in the `_id`");
}

function denotedBy(
  field: Field,
  place: FieldPlace | undefined,
  entry: string | undefined,
  isKey: boolean,
): Denoted | undefined {
  if (place === undefined) return undefined;
  if (entry !== undefined && isBelieved(field, place, entry, isKey)) return { text: entry, isCut: false };
  return { text: printField(field, place), isCut: isCut(place) };
}

/**
 * An exact text counts as long as the field holds what would be made of it: an application may have changed the field since. As
 * far as Postgres goes: drivers write numbers back in another type, and some members of a JSON object in another order.
 */
function isBelieved(field: Field, held: FieldPlace, entry: string, isKey: boolean): boolean {
  try {
    const made = madeOf(field, entry, isKey);
    // What no row can hold throws here, though both say the same.
    const other = printField(field, held);
    if (Buffer.compare(valueBytes(made), valueBytes(held)) === 0 && made.type === held.type) return true;
    const one = printField(field, made);
    if (one === null || other === null) return one === other;
    return compareTexts(field.type, field.column.type, one, other) === "equal";
  } catch (error) {
    if (error instanceof RangeError || error instanceof Misfit) return false;
    throw error;
  }
}

function valueBytes({ bytes, start, end }: FieldPlace): Uint8Array {
  return bytes.subarray(start, end);
}

/** The value that a row with this text has in its document. Throws RangeError when no row can have it. */
function madeOf(field: Field, text: string, isKey: boolean): FieldPlace {
  const writer = new BsonWriter(text.length + 64);
  const start = writer.begin();
  const wire = wireOf(field, text);
  if (isKey) writeKey(writer, field, field.name, wire);
  else writeField(writer, field, wire);
  writer.end(start);
  const bytes = writer.written();
  const [element] = elements(bytes);
  return placeOf(bytes, element as Element);
}

function isCut(place: FieldPlace): boolean {
  if (place.type === TYPE.date) return true;
  if (place.type !== TYPE.array) return false;
  return [...membersOf(place)].every(([, item]) => item.type === TYPE.null || isCut(item));
}
