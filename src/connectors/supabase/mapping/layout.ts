import { nameBytes } from "../../../bson/writer.ts";
import { type SelectedColumn, selectText } from "../api/condition.ts";
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
}

/** What rows are read with, and what of an answer's rows is what. */
export interface WireForm {
  readonly select: readonly SelectedColumn[];
  /** How the members of a row begin, in the order in which they are asked for. */
  readonly heads: readonly Uint8Array[];
  /** Places in `heads`, by the name of the member. */
  readonly members: ReadonlyMap<string, number>;
  /** The member that holds the value, for each of the fields. */
  readonly carriers: readonly number[];
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
  readonly wire: WireForm;
}

/** Characters of an address that the names of columns may take: gateways refuse one from about eight thousand on, and keys need the rest. */
const MOST_SELECTED = 3_000;

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
    return { column, type: columnType(column.type), name: nameBytes(column.name), head };
  });
  const key = table.key.map((name) => places.get(name) as number);
  return {
    fields,
    key,
    keyFields: key.map((place) => fields[place] as Field),
    isIdAlone: table.key.length === 1 && (table.key[0] === "id" || table.key[0] === "_id"),
    places,
    wire: wireForm(fields),
  };
}

/**
 * Column by column where an address holds that. Else everything, and once more, under names that no column has, what is needed as
 * text.
 */
function wireForm(fields: readonly Field[]): WireForm {
  const named = fields.map(({ column: { name }, type }) =>
    isSelectedAsText(type) ? { column: name, cast: "text" } : { column: name },
  );
  const names = fields.map(({ column: { name } }) => name);
  if (lengthOf(named) <= MOST_SELECTED)
    return {
      select: named,
      ...membersOf(names),
      carriers: fields.map((_, place) => place),
    };
  const prefix = unusedPrefix(names);
  const texts = fields.flatMap(({ type }, place) => (isSelectedAsText(type) ? [place] : []));
  const aliases = new Map(texts.map((place, at) => [place, `${prefix}${at}`]));
  const again = [...aliases].map(([place, as]) => ({ column: names[place] as string, cast: "text", as }));
  return {
    select: ["*", ...again],
    ...membersOf([...names, ...aliases.values()]),
    carriers: fields.map((_, place) => {
      const at = texts.indexOf(place);
      return at < 0 ? place : fields.length + at;
    }),
  };
}

function membersOf(names: readonly string[]): Pick<WireForm, "heads" | "members"> {
  return {
    heads: names.map((name) => Buffer.from(`${JSON.stringify(name)}:`)),
    members: new Map(names.map((name, at) => [name, at])),
  };
}

function lengthOf(select: readonly SelectedColumn[]): number {
  return encodeURIComponent(selectText(select)).length;
}

/** What none of the names begins with. */
function unusedPrefix(names: readonly string[]): string {
  let prefix = "t";
  while (names.some((name) => name.startsWith(prefix))) prefix += "_";
  return prefix;
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
  return layoutOf(table).wire.select;
}
