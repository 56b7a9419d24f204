/** Ranges of ids as conditions on the columns of a primary key. */
import { compareIds } from "../../../bson/compare-ids.ts";
import type { DocumentId } from "../../../model/document.ts";
import type { IdRange } from "../../collection.ts";
import type { Condition } from "../api/condition.ts";
import { keyTexts } from "../mapping/key.ts";
import type { Table } from "../schema/table.ts";

type KeyComparison = "gt" | "gte" | "lt" | "lte";

/** What the server should be asked for. */
export interface KeyRange {
  readonly where: readonly Condition[];
  /** Present where a bound is an id that no row of this table can have, so that the server cannot compare with it. */
  readonly holds?: (id: DocumentId) => boolean;
}

export interface Bounds {
  readonly range?: IdRange | undefined;
  /** Only what comes after this id. */
  readonly after?: DocumentId | undefined;
  /** Only what comes up to this id, itself included. */
  readonly upTo?: DocumentId | undefined;
}

/** The conditions for a range of ids of this table. */
export function keyRange(table: Table, { range = {}, after, upTo }: Bounds): KeyRange {
  const bounds: readonly (readonly [KeyComparison, DocumentId | undefined])[] = [
    ["gte", range.from],
    ["gt", after],
    ["lt", range.to],
    ["lte", upTo],
  ];
  const where: Condition[] = [];
  const here: ((id: DocumentId) => boolean)[] = [];
  for (const [is, id] of bounds) {
    if (id === undefined) continue;
    const values = keyTexts(table, id);
    if (values !== undefined) where.push(...compared(table.key, is, values));
    else here.push((other) => agrees(is, compareIds(other.element, id.element)));
  }
  return here.length === 0 ? { where } : { where, holds: (id) => here.every((holds) => holds(id)) };
}

function agrees(is: KeyComparison, order: number): boolean {
  if (is === "gt") return order > 0;
  if (is === "lte") return order <= 0;
  return is === "gte" ? order >= 0 : order < 0;
}

/**
 * Rows whose key compares so with these values, column before column. The first condition says nothing new: it is what
 * lets the database begin in the middle of its index.
 */
function compared(key: readonly string[], is: KeyComparison, values: readonly string[]): Condition[] {
  const [column, ...rest] = key;
  const [value, ...others] = values;
  if (column === undefined || value === undefined) throw new RangeError("a key without columns");
  if (rest.length === 0) return [{ column, is, value }];
  const strict = is === "gt" || is === "gte" ? "gt" : "lt";
  const wide = strict === "gt" ? "gte" : "lte";
  return [
    { column, is: wide, value },
    {
      any: [
        { column, is: strict, value },
        { all: [{ column, is: "eq", value }, ...compared(rest, is, others)] },
      ],
    },
  ];
}

/** Rows with one of these keys. */
export function oneOf(key: readonly string[], values: readonly (readonly string[])[]): Condition {
  const [column, ...rest] = key;
  if (column === undefined) throw new RangeError("a key without columns");
  if (rest.length === 0) return { column, in: values.map(([value]) => value ?? "") };
  return {
    any: values.map((texts) => ({
      all: key.map((name, i) => ({ column: name, is: "eq" as const, value: texts[i] ?? "" })),
    })),
  };
}
