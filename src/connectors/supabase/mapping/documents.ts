import { TYPE } from "../../../bson/elements.ts";
import { BsonWriter, nameBytes } from "../../../bson/writer.ts";
import { Batch } from "../../../model/document.ts";
import type { Table } from "../schema/table.ts";
import { writeField } from "./encode.ts";
import { writePlainField, writePlainKey } from "./fast/plain-value.ts";
import { RowScanner, type Token } from "./fast/row-scanner.ts";
import { writeId } from "./key.ts";
import { type Field, type Layout, layoutOf, SIDECAR } from "./layout.ts";
import { sourceText } from "./to-row/wire-value.ts";

const ID = nameBytes("_id");
const SIDECAR_NAME = nameBytes(SIDECAR);

/**
 * The documents of one page: the exact text of an answer, in UTF-8, to a request for the columns of `selectOf(table)`. A
 * table with a `mappingProblem` has none. Throws RangeError when the text is not JSON, or not rows of this table; it says
 * where, and holds no value.
 */
export function documentsOf(table: Table, page: Buffer): Batch {
  const layout = layoutOf(table);
  const rows = new RowScanner(page, layout);
  const writer = new BsonWriter(page.length + 1024);
  const ends: number[] = [];
  while (rows.next()) {
    writeDocument(writer, layout, rows);
    ends.push(writer.length);
  }
  return new Batch(writer.written(), ends, true);
}

function writeDocument(writer: BsonWriter, layout: Layout, rows: RowScanner): void {
  const start = writer.begin();
  const { key, fields, isIdAlone } = layout;
  const inexact: number[] = [];
  let place = key[0] as number;
  try {
    if (!writeKeys(writer, layout, rows) && isIdAlone) inexact.push(place);
    for (place = 0; place < fields.length; place++) {
      if (isIdAlone && place === key[0]) continue;
      if (!writeValue(writer, fields[place] as Field, rows, place)) inexact.push(place);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`column ${fields[place]?.column.name}: ${error.message}`);
  }
  if (inexact.length > 0) writeSidecar(writer, layout, rows, inexact);
  writer.end(start);
}

/** Writes the `_id`. True when it alone gives the exact texts back. */
function writeKeys(writer: BsonWriter, { key, keyFields }: Layout, rows: RowScanner): boolean {
  if (key.length === 1) {
    const token = rows.tokens[key[0] as number] as Token;
    const isExact = writePlainKey(writer, keyFields[0] as Field, rows.page, token, ID);
    if (isExact !== undefined) return isExact;
  }
  return writeId(
    writer,
    keyFields,
    key.map((at) => rows.wire(at)),
  );
}

function writeValue(writer: BsonWriter, field: Field, rows: RowScanner, place: number): boolean {
  const isExact = writePlainField(writer, field, rows.page, rows.tokens[place] as Token);
  return isExact ?? writeField(writer, field, rows.wire(place));
}

function writeSidecar(
  writer: BsonWriter,
  { fields }: Layout,
  rows: RowScanner,
  inexact: readonly number[],
): void {
  writer.element(TYPE.object, SIDECAR_NAME);
  const start = writer.begin();
  for (const place of inexact) {
    writer.stringField((fields[place] as Field).name, sourceText(rows.wire(place)));
  }
  writer.end(start);
}
