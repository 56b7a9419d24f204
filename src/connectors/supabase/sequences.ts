import type { NotReproduced } from "../connector.ts";
import { identifier } from "./grants.ts";
import type { Project } from "./project.ts";
import type { Table } from "./table.ts";

/** A function of the optional SQL kit. Arguments: `table_name`, `column_name`, both as they are, without quotes. */
const SETVAL = "dualsync_setval";

/**
 * Moves the sequences of the table behind the largest value that its rows have now: rows that bring their own leave them
 * where they were, and the next row of the application would be given a number that is taken. Over the API that needs
 * a function; without it the statement is told, under a key that stays the same.
 */
export async function moveSequences(
  project: Project,
  table: Table,
  signal: AbortSignal,
): Promise<readonly NotReproduced[]> {
  const left: NotReproduced[] = [];
  for (const { name, hasSequence, identity } of table.columns) {
    if (hasSequence !== true && identity !== "default") continue;
    const given = JSON.stringify({ table_name: table.name, column_name: name });
    if ((await project.rpc(SETVAL, given, signal)) !== undefined) continue;
    left.push({
      key: `sequence ${project.schema}.${table.name}.${name}`,
      reason: `it does not go on behind the rows that were written: run in the SQL editor: ${setval(project.schema, table.name, name)}`,
    });
  }
  return left;
}

/** Leaves the sequence of an empty table as it is. */
function setval(schema: string, table: string, column: string): string {
  const name = `${identifier(schema)}.${identifier(table)}`;
  return `select setval(pg_get_serial_sequence(${literal(name)}, ${literal(column)}), (select max(${identifier(column)}) from ${name}));`;
}

function literal(text: string): string {
  return text.includes("\\") ? ` E'${text.replace(/['\\]/g, "\\$&")}'` : `'${text.replaceAll("'", "''")}'`;
}
