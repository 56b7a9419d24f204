import type { Batch, DocumentId } from "../../../model/document.ts";
import type { Condition } from "../api/condition.ts";
import { isTooMuch } from "../api/fault.ts";
import type { Project } from "../api/project.ts";
import { onlyKey, type Table } from "../schema/table.ts";
import { type Bounds, keyRange } from "./key-range.ts";
import { rowsOf } from "./rows.ts";

/** Rows between two keys that are counted at once, where all of them at once are too much for the server. */
const ROWS = 20_000;

/** Exact number of rows, counted by the server: all at once, or range after range of the key where that takes it too long. */
export async function countRows(
  project: Project,
  table: Table,
  bounds: Bounds,
  signal: AbortSignal,
): Promise<number> {
  const { where, holds } = keyRange(table, bounds);
  if (holds !== undefined) {
    // The server cannot know which rows are meant.
    let rows = 0;
    for await (const batch of keysOf(project, table, bounds, signal)) rows += batch.length;
    return rows;
  }
  try {
    return await project.count(table.name, table.key[0] ?? "", where, signal);
  } catch (error) {
    if (!isTooMuch(error) || table.key.length === 0) throw error;
  }
  return await countByRanges(project, table, bounds, signal);
}

/** The same range after range of the key, for a table that takes the server too long at once. */
export async function countByRanges(
  project: Project,
  table: Table,
  bounds: Bounds,
  signal: AbortSignal,
): Promise<number> {
  const { where } = keyRange(table, bounds);
  const column = table.key[0] ?? "";
  const count = (conditions: readonly Condition[]): Promise<number> =>
    project.count(table.name, column, [...where, ...conditions], signal);
  let counted = 0;
  let read = 0;
  let last: DocumentId | undefined;
  let after: DocumentId | undefined;
  for await (const batch of keysOf(project, table, bounds, signal)) {
    read += batch.length;
    last = batch.idOf(batch.length - 1);
    if (read < ROWS) continue;
    counted += await count(between(table, after, last));
    [after, read] = [last, 0];
  }
  return counted + (await count(between(table, after)));
}

function keysOf(project: Project, table: Table, bounds: Bounds, signal: AbortSignal): AsyncGenerator<Batch> {
  return rowsOf(project, onlyKey(table)).read({ ...bounds, signal });
}

/** Rows after one key and up to another one, whatever their number under that key. */
function between(table: Table, after: DocumentId | undefined, upTo?: DocumentId): readonly Condition[] {
  return keyRange(table, { after, upTo }).where;
}
