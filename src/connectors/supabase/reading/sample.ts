import type { Batch } from "../../../model/document.ts";
import { isTooMuch } from "../api/fault.ts";
import type { Project, RowsAndCount, RowsQuery } from "../api/project.ts";
import { selectOf } from "../mapping/layout.ts";
import type { Table } from "../schema/table.ts";
import { countByRanges } from "./count.ts";
import { probe } from "./exact/probe.ts";
import { toDocuments } from "./rows.ts";

export interface TableSample {
  /** A few, in no order. */
  readonly rows: Batch;
  /** Of all rows, exact. */
  readonly count: number;
}

/** A few rows of a table, which are tried for what is not read exactly, and how many there are. */
export async function sampleOf(
  project: Project,
  table: Table,
  limit: number,
  signal: AbortSignal,
): Promise<TableSample> {
  const query = { select: selectOf(table), limit };
  const { answer, count } = await rowsAndCount(project, table, query, signal);
  const rows = toDocuments(project, table, answer);
  await probe(project, table, answer.bytes, rows, signal);
  return { rows, count };
}

/** In one request; where that is too much for the server, the rows alone, and the count by ranges of the key. */
async function rowsAndCount(
  project: Project,
  table: Table,
  query: RowsQuery,
  signal: AbortSignal,
): Promise<RowsAndCount> {
  try {
    return await project.rowsAndCount(table.name, query, signal);
  } catch (error) {
    if (!isTooMuch(error) || table.key.length === 0) throw error;
  }
  const answer = await project.rows(table.name, query, signal);
  return { answer, count: await countByRanges(project, table, {}, signal) };
}
