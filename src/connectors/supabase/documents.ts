import { TYPE } from "../../bson/elements.ts";
import { BsonWriter, nameBytes } from "../../bson/writer.ts";
import { Batch } from "../../document.ts";
import { writeField } from "./encode.ts";
import { BytesReader, JsonNumber } from "./json-reader.ts";
import { writeId } from "./key.ts";
import { type Field, type Layout, layoutOf, SIDECAR } from "./layout.ts";
import type { Table } from "./table.ts";
import { sourceText, type WireValue } from "./wire-value.ts";

/** Far above what arrays and composites nest; json and jsonb arrive as text. */
const MOST_LEVELS = 1000;

const SIDECAR_NAME = nameBytes(SIDECAR);
const [COMMA, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x2c, 0x5b, 0x5d, 0x7b, 0x7d];

/**
 * The documents of one page: the exact text of an answer, in UTF-8, to a request for the columns of `selectOf(table)`. A table with a
 * `mappingProblem` has none. Throws RangeError when the text is not JSON, or not rows of this table; it says where, and
 * holds no value.
 */
export function documentsOf(table: Table, page: Buffer): Batch {
  const layout = layoutOf(table);
  const reader = new BytesReader(page, MOST_LEVELS);
  const writer = new BsonWriter(page.length + 1024);
  const row: WireValue[] = [];
  const ends: number[] = [];
  reader.expect(OPEN_BRACKET);
  if (!reader.takes(CLOSE_BRACKET)) {
    do {
      readRow(reader, layout, row);
      writeDocument(writer, layout, row);
      ends.push(writer.length);
    } while (reader.takes(COMMA));
    reader.expect(CLOSE_BRACKET);
  }
  reader.finish();
  return new Batch(writer.written(), ends, true);
}

/** Fills `row` in the table's order, whatever the order of the members. */
function readRow(reader: BytesReader, { fields, places }: Layout, row: WireValue[]): void {
  row.length = 0;
  reader.expect(OPEN_BRACE);
  for (let count = 0; count < fields.length; count++) {
    if (count > 0) reader.expect(COMMA);
    const expected = fields[count]?.headBytes as string;
    const place = reader.takesText(expected) ? count : places.get(reader.name());
    if (place === undefined || row[place] !== undefined)
      throw new RangeError(`a row with a column that was not asked for, at byte ${reader.end}`);
    const start = reader.at;
    const value = reader.value();
    const isWhole = typeof value === "object" && value !== null && !(value instanceof JsonNumber);
    row[place] = { value, raw: isWhole ? reader.between(start, reader.end) : "" };
  }
  if (!reader.takes(CLOSE_BRACE))
    throw new RangeError(`a row with more columns than were asked for, at byte ${reader.end}`);
}

function writeDocument(writer: BsonWriter, layout: Layout, row: readonly WireValue[]): void {
  const start = writer.begin();
  const inexact: number[] = [];
  let place = 0;
  try {
    const { key, keyFields, fields, isIdAlone } = layout;
    place = key[0] as number;
    const isExact = writeId(
      writer,
      keyFields,
      key.map((at) => row[at] as WireValue),
    );
    if (isIdAlone && !isExact) inexact.push(place);
    for (place = 0; place < fields.length; place++) {
      if (isIdAlone && place === key[0]) continue;
      if (!writeField(writer, fields[place] as Field, row[place] as WireValue)) inexact.push(place);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`column ${layout.fields[place]?.column.name}: ${error.message}`);
  }
  if (inexact.length > 0) writeSidecar(writer, layout, row, inexact);
  writer.end(start);
}

function writeSidecar(
  writer: BsonWriter,
  { fields }: Layout,
  row: readonly WireValue[],
  inexact: readonly number[],
): void {
  writer.element(TYPE.object, SIDECAR_NAME);
  const start = writer.begin();
  for (const place of inexact) {
    writer.stringField((fields[place] as Field).name, sourceText(row[place] as WireValue));
  }
  writer.end(start);
}
