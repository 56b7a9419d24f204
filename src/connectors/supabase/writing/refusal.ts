import type { Table } from "../schema/table.ts";

/** SQLSTATE of a row that refers to one that is not there. */
export const ORPHAN = "23503";

/** SQLSTATEs of a row that another one keeps out. */
export const BLOCKED: readonly string[] = ["23505", "23P01"];

/** Our own code of a row that alone is more than the gateway takes. */
export const TOO_LARGE = "413";

/** By SQLSTATE, or by the beginning of one. Never the server's own words: they hold values. */
const REASONS: readonly (readonly [start: string, reason: string])[] = [
  ["23502", "a column that must not be null has no value"],
  ["23505", "another row has a value that must be unique"],
  ["23514", "it breaks a check constraint"],
  ["23P01", "it breaks an exclusion constraint"],
  ["23", "it breaks a constraint"],
  ["44", "the view does not accept this row"],
  ["22001", "a text is too long for its column"],
  ["22003", "a number is out of its column's range"],
  ["22008", "a time is out of its column's range"],
  ["22P02", "a text is not one of its column's values"],
  ["22", "a value does not fit its column"],
  ["54", "it is larger than the database accepts"],
  ["P0", "a trigger refuses it"],
  [TOO_LARGE, "it alone is larger than a request that the project's gateway accepts"],
  ["21", "it would change another row of the same request"],
];

/** Why the database refused a row, by the code that it gave. */
export function refusalReason({ references }: Table, code: string): string {
  if (code === ORPHAN) return `the row that it refers to is missing${foreignKeys(references)} (${ORPHAN})`;
  const found = REASONS.find(([start]) => code.startsWith(start));
  return `${found?.[1] ?? "the database refuses it"}${code === TOO_LARGE ? "" : ` (${code})`}`;
}

/** Keys of several columns are not known. */
function foreignKeys(references: Table["references"]): string {
  if (references.length === 0) return "";
  return `: ${references.map(({ column, table, to }) => `${column} → ${table}.${to}`).join(", ")}`;
}
