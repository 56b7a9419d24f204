import type { NotReproduced } from "../../write-outcome.ts";
import { identifier, literal } from "../api/grants.ts";
import type { Project } from "../api/project.ts";
import type { Column, Table } from "../schema/table.ts";
import { SETVAL } from "../sql/sql-setval.ts";

/** Types of columns that have sequences. */
const NUMBERS: ReadonlySet<string> = new Set(["int2", "int4", "int8"]);

/**
 * Moves the sequences of the table behind the largest value that its rows have now: rows that bring their own leave them
 * where they were, and the next row of the application would be given a number that is taken. Over the API that needs
 * a function; without it the statement is reported, under a stable key. Nor does the API show which columns have a
 * sequence, as its description leaves out defaults that are expressions: a key that is a number is taken to have one. Both ways do
 * nothing where there is none.
 */
export async function moveSequences(
  project: Project,
  table: Table,
  signal: AbortSignal,
): Promise<readonly NotReproduced[]> {
  const left: NotReproduced[] = [];
  for (const column of table.columns) {
    const { name } = column;
    if (!mayHaveSequence(table, column)) continue;
    const given = JSON.stringify({ table_name: table.name, column_name: name });
    if ((await project.rpc(SETVAL, given, signal)) !== undefined) continue;
    left.push({
      key: `sequence ${project.schema}.${table.name}.${name}`,
      reason: `if its numbers come from a sequence, the sequence is behind the rows that were written: run in the SQL editor: ${setval(project.schema, table.name, name)}`,
    });
  }
  return left;
}

/** Whether the column may have a sequence of its own, as far as the project shows that. */
export function mayHaveSequence({ key, references }: Table, column: Column): boolean {
  const { name, type, identity, hasSequence } = column;
  if (hasSequence === true || identity === "default") return true;
  const isKey = key.length === 1 && key[0] === name;
  return (
    isKey && NUMBERS.has(type) && identity === undefined && references.every((one) => one.column !== name)
  );
}

/** Leaves the sequence of an empty table as it is. */
function setval(schema: string, table: string, column: string): string {
  const name = `${identifier(schema)}.${identifier(table)}`;
  return `select setval(pg_get_serial_sequence(${literal(name)}, ${literal(column)}), (select max(${identifier(column)}) from ${name}));`;
}
