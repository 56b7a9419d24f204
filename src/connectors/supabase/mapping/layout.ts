import { nameBytes } from "../../../bson/writer.ts";
import type { SelectedColumn } from "../api/condition.ts";
import { type ColumnType, columnType, isSelectedAsText } from "../schema/column-type.ts";
import type { Column, Table } from "../schema/table.ts";

/** The field that holds the exact texts of values that BSON, or a common way to read it, would not give back. */
export const SIDECAR = "_ds";

/** A column, with what is needed of it for every row. */
export interface Field {
  readonly column: Column;
  readonly type: ColumnType;
  /** As BSON wants it. */
  readonly name: Uint8Array;
  /** How its member begins in a row. */
  readonly head: string;
  readonly headBytes: Uint8Array;
}

/** A table, with what is needed of it for every row. */
export interface Layout {
  /** In the table's order. */
  readonly fields: readonly Field[];
  /** Places of the primary key's columns in `fields`, in the key's order. */
  readonly key: readonly number[];
  readonly keyFields: readonly Field[];
  /** The key is one column named id (or _id): it is the `_id`, and not repeated. */
  readonly isIdAlone: boolean;
  /** Places in `fields`, by the name of the column. */
  readonly places: ReadonlyMap<string, number>;
}

const layouts = new WeakMap<Table, Layout>();

export function layoutOf(table: Table): Layout {
  let layout = layouts.get(table);
  if (layout === undefined) {
    layout = makeLayout(table);
    layouts.set(table, layout);
  }
  return layout;
}

function makeLayout(table: Table): Layout {
  const places = new Map(table.columns.map(({ name }, place) => [name, place]));
  const fields = table.columns.map((column) => {
    const head = `${JSON.stringify(column.name)}:`;
    const [type, name] = [columnType(column.type), nameBytes(column.name)];
    return { column, type, name, head, headBytes: Buffer.from(head) };
  });
  const key = table.key.map((name) => places.get(name) as number);
  return {
    fields,
    key,
    keyFields: key.map((place) => fields[place] as Field),
    isIdAlone: table.key.length === 1 && (table.key[0] === "id" || table.key[0] === "_id"),
    places,
  };
}

/** One sentence on why rows of this table cannot become documents; undefined: they can. */
export function mappingProblem(table: Table): string | undefined {
  const names = new Set(table.columns.map(({ name }) => name));
  if (table.key.length === 0) return "it has no primary key, and a document needs an `_id`";
  if (table.key.some((name) => !names.has(name))) return "a column of its primary key cannot be read";
  if (names.size < table.columns.length) return "two of its columns have the same name";
  for (const { name, type } of table.columns) {
    if (name === "_id" && !(table.key.length === 1 && table.key[0] === "_id"))
      return "its column _id is not its primary key, and a document has only one `_id`";
    if (name === SIDECAR) return `it has a column ${SIDECAR}, the name under which exact values are kept`;
    const { isArray, kind } = columnType(type);
    if (table.key.includes(name) && (isArray || kind === "json" || kind === "jsonb"))
      return `its key column ${name} is of type ${type}, which cannot be an \`_id\``;
  }
  return undefined;
}

/** What rows are read with. */
export function selectOf(table: Table): readonly SelectedColumn[] {
  return layoutOf(table).fields.map(({ column: { name }, type }) =>
    isSelectedAsText(type) ? { column: name, cast: "text" } : { column: name },
  );
}
