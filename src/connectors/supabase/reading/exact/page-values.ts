import type { JsonValue } from "../../../../json/json-reader.ts";
import { type Literal, literalText } from "../../mapping/array-literal.ts";
import { RowScanner, type Token } from "../../mapping/fast/row-scanner.ts";
import { layoutOf } from "../../mapping/layout.ts";
import { sourceText, type WireValue } from "../../mapping/to-row/wire-value.ts";
import type { Table } from "../../schema/table.ts";

/** Texts of a column's values, as conditions take them, one a row: null is SQL's. */
export type Texts = readonly (string | null)[];

const [MINUS, ZERO, NINE] = [0x2d, 0x30, 0x39];

/** The texts of the columns at these places of the layout in a page of rows, in the order of the columns. Throws RangeError as reading it does. */
export function textsOf(
  table: Table,
  page: Buffer,
  columns: readonly { readonly place: number }[],
): readonly Texts[] {
  const rows = new RowScanner(page, layoutOf(table));
  const found = columns.map((): (string | null)[] => []);
  while (rows.next()) {
    for (const [at, { place }] of columns.entries()) {
      const { start, end } = rows.tokens[place] as Token;
      const first = page[start] as number;
      const isNumber = first === MINUS || (first >= ZERO && first <= NINE);
      found[at]?.push(isNumber ? page.toString("latin1", start, end) : textOf(rows.wire(place)));
    }
  }
  return found;
}

function textOf(wire: WireValue): string | null {
  const { value } = wire;
  if (value === null) return null;
  return Array.isArray(value) ? literalText(value.map(literalOf)) : sourceText(wire);
}

/** An array of a built-in type comes as JSON, and goes into a condition as Postgres writes it. */
function literalOf(value: JsonValue): string | null | Literal {
  if (value === null) return null;
  return Array.isArray(value) ? value.map(literalOf) : sourceText({ value, raw: String(value) });
}
