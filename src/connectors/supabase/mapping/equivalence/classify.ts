import { elements } from "../../../../bson/elements.ts";
import { BsonWriter } from "../../../../bson/writer.ts";
import type { Classification } from "../../../powers/mapping.ts";
import type { Table } from "../../schema/table.ts";
import { type Field, layoutOf, SIDECAR } from "../layout.ts";
import { Misfit } from "../misfit.ts";
import { nameOf } from "../to-row/bson-value.ts";
import { compareTexts } from "./compare-texts.ts";
import { type Denotation, type Denoted, denotationOf } from "./denotation.ts";

/**
 * What `other` is to `own`, which was made of a row of this table: `equivalent` when both stand for the same row, by the rules of
 * `compareTexts`; a field that is missing is SQL's null where the column may be null, and fields that no column has do not
 * count. `lossy-equal` when a date in `other` has lost what comes after its milliseconds, and nothing else is different.
 */
export function classify(table: Table, own: Uint8Array, other: Uint8Array): Classification {
  const [ours, theirs] = [read(table, own), read(table, other)];
  if (ours === undefined || theirs === undefined) return "different";
  let isCut = false;
  for (const [place, field] of layoutOf(table).fields.entries()) {
    const found = compareValues(field, ours.values[place], theirs.values[place]);
    if (found === "different") return "different";
    if (found === "cut") isCut = true;
  }
  return isCut ? "lossy-equal" : "equivalent";
}

/** The columns in which they are not the same; undefined where `other` cannot stand for a row of this table at all. */
export function differing(table: Table, own: Uint8Array, other: Uint8Array): readonly string[] | undefined {
  const [ours, theirs] = [read(table, own), read(table, other)];
  if (ours === undefined || theirs === undefined) return undefined;
  return [...layoutOf(table).fields.entries()]
    .filter(([place, field]) => compareValues(field, ours.values[place], theirs.values[place]) !== "equal")
    .map(([, { column }]) => column.name);
}

function read(table: Table, bytes: Uint8Array): Denotation | undefined {
  try {
    return denotationOf(table, bytes);
  } catch (error) {
    if (error instanceof Misfit || error instanceof RangeError) return undefined;
    throw error;
  }
}

function compareValues(field: Field, own: Denoted | undefined, other: Denoted | undefined) {
  if (other === undefined && !field.column.nullable) return "different";
  const [a, b] = [own?.text ?? null, other?.text ?? null];
  if (a === null || b === null) return a === b ? "equal" : "different";
  const found = compareTexts(field.type, field.column.type, a, b);
  return found === "cut" && other?.isCut !== true ? "different" : found;
}

/** `own`, followed by the fields of `other` that no column of the table has, in their order. */
export function merged(table: Table, own: Uint8Array, other: Uint8Array): Uint8Array {
  const { places } = layoutOf(table);
  const writer = new BsonWriter(own.length + other.length);
  const start = writer.begin();
  writer.raw(own.subarray(4, own.length - 1));
  for (const element of elements(other)) {
    const name = nameOrNone(other, element);
    if (name !== undefined && (name === "_id" || name === SIDECAR || places.has(name))) continue;
    writer.raw(other.subarray(element.nameStart - 1, element.end));
  }
  writer.end(start);
  return writer.written();
}

/** Undefined for a name that is not UTF-8, and so no column's. */
function nameOrNone(bytes: Uint8Array, element: Parameters<typeof nameOf>[1]): string | undefined {
  try {
    return nameOf(bytes, element);
  } catch (error) {
    if (error instanceof Misfit) return undefined;
    throw error;
  }
}
