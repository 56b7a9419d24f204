import { type Field, layoutOf } from "../../mapping/layout.ts";
import { isSelectedAsText } from "../../schema/column-type.ts";
import type { Table } from "../../schema/table.ts";

/**
 * Why the text of a column's values is not taken for the value unseen. `float4`, `float8`: it may be rounded, which the server can be
 * asked about. `shape`: so may its coordinates, and it cannot. `range`, `interval`, `money`: it may be in a form of another
 * setting. `other`: a type that is not built in may hold any of these, and may have a cast that changes it. `bytea` is only tried.
 */
export type Watch = "float4" | "float8" | "shape" | "range" | "interval" | "money" | "other" | "bytea";

export interface WatchedColumn {
  readonly field: Field;
  /** In the layout. */
  readonly place: number;
  readonly watch: Watch;
  readonly isOfKey: boolean;
}

const SHAPES = new Set(["point", "line", "lseg", "box", "path", "polygon", "circle"]);
const RANGES = /^(?:ts|tstz|date)(?:multi)?range$/;

const watched = new WeakMap<Table, readonly WatchedColumn[]>();

export function watchedColumns(table: Table): readonly WatchedColumn[] {
  let found = watched.get(table);
  if (found === undefined) {
    found = layoutOf(table).fields.flatMap((field, place) => {
      const watch = watchOf(field);
      const isOfKey = table.key.includes(field.column.name);
      return watch === undefined ? [] : [{ field, place, watch, isOfKey }];
    });
    watched.set(table, found);
  }
  return found;
}

function watchOf({ type: { kind }, column }: Field): Watch | undefined {
  if (kind === "float4" || kind === "float8" || kind === "other" || kind === "bytea") return kind;
  const base = column.type.replace(/\[\]$/, "");
  if (base === "interval" || base === "money") return base;
  if (RANGES.test(base)) return "range";
  return SHAPES.has(base) ? "shape" : undefined;
}

/** How to select the column so that its text is what a condition takes for its value. */
export function castOf({ type }: Field): { readonly cast?: string } {
  return type.isArray || isSelectedAsText(type) ? { cast: "text" } : {};
}
