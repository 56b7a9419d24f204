/** What a project answers to a question about values. */
import { type JsonValue, readJson } from "../../../../json/json-reader.ts";
import { sourceText } from "../../mapping/to-row/wire-value.ts";

/** Levels of a value that is asked about. */
const MOST_LEVELS = 1000;

/** @throws RangeError for what is no list of rows */
export function rowsIn(text: string): readonly ReadonlyMap<string, JsonValue>[] {
  const rows = readJson(text, MOST_LEVELS);
  if (!Array.isArray(rows)) throw new RangeError("no rows");
  return rows.map((row) => {
    if (row instanceof Map) return row;
    throw new RangeError("no row");
  });
}

/** The texts of the rows' one column `v`. */
export function valuesIn(text: string): readonly (string | null)[] {
  return rowsIn(text).map((row) => {
    const value = row.get("v") ?? null;
    return value === null ? null : sourceText({ value, raw: "" });
  });
}
