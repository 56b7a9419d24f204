/** What of a project is a view, and what cannot be written and holds rows all the same. */
import type { NotCopied } from "../../../model/collection.ts";
import { refusalCode } from "../api/fault.ts";
import type { Project } from "../api/project.ts";
import type { Table } from "../schema/table.ts";

/** SQLSTATE of a missing column. */
export const NO_COLUMN = "42703";

/** A column that Postgres gives to everything that holds rows of its own, and to no view. */
const OF_HOLDERS = "tableoid";

/**
 * Whether the description leaves open that it is a view: it takes no rows, or has no key, or one that may be null, which no
 * key of a table may. The columns of a view may be null whatever they show, unless a domain rules that out.
 */
export function mayBeView({ writable, key, columns, isView }: Table): boolean {
  if (isView !== undefined) return false;
  const isNullable = (name: string): boolean =>
    columns.find((column) => column.name === name)?.nullable !== false;
  return !writable || key.length === 0 || key.some(isNullable);
}

/** As the project answers when it is asked for no row of it; undefined: it does not say. */
export async function isView(
  project: Project,
  { name, columns }: Table,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  // No table can have a column of that name.
  if (columns.some((column) => column.name === OF_HOLDERS)) return true;
  try {
    await project.rows(name, { select: [{ column: OF_HOLDERS }], limit: 0 }, signal);
    return false;
  } catch (error) {
    const code = refusalCode(error);
    if (code === undefined) throw error;
    return code === NO_COLUMN ? true : undefined;
  }
}

/** SQLSTATE of a materialized view without data. */
const NO_ROWS_YET = "55000";

/** Why something that takes no rows is not copied: a loss where it holds rows that no table has. */
export async function readOnly(
  project: Project,
  { name, columns, isView }: Table,
  signal: AbortSignal,
): Promise<NotCopied> {
  if (isView !== false) return { name, reason: "a view, which shows rows of tables" };
  const what = "it takes no rows, as a materialized view or a foreign table";
  const select = columns.slice(0, 1).map((column) => ({ column: column.name }));
  try {
    const { text } = await project.rows(name, { select, limit: 1 }, signal);
    return text.trim() === "[]"
      ? { name, reason: `${what}, and holds none of its own` }
      : { name, reason: `${what}, and those that it holds are not copied`, isLoss: true };
  } catch (error) {
    const code = refusalCode(error);
    if (code === undefined) throw error;
    return code === NO_ROWS_YET
      ? { name, reason: "a materialized view that was never filled" }
      : { name, reason: `${what}, and what it holds cannot be read (${code})`, isLoss: true };
  }
}
