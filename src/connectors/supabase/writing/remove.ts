import type { DocumentId } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import { refusalCode } from "../api/fault.ts";
import type { Project } from "../api/project.ts";
import { oneOf } from "../reading/key-range.ts";
import { type Asked, addressed, rowsOf } from "../reading/rows.ts";
import type { Table } from "../schema/table.ts";
import { ORPHAN } from "./refusal.ts";

/**
 * Deletes the rows of these ids and resolves with how many were there and are gone. Rows that others refer to go after
 * those; where others remain that refer to them, it fails with that reason when all else is deleted.
 */
export async function removeRows(
  project: Project,
  table: Table,
  ids: readonly DocumentId[],
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  let open = [...addressed(table, unique(ids))];
  for (let isMoving = true; open.length > 0 && isMoving; ) {
    const referred: (readonly Asked[])[] = [];
    let refusal: unknown;
    isMoving = false;
    for (const chunk of open) {
      try {
        removed += await removeChunk(project, table, chunk, signal);
        isMoving = true;
      } catch (error) {
        if (refusalCode(error) !== ORPHAN) throw error;
        refusal = error;
        if (chunk.length === 1) referred.push(chunk);
        else referred.push(...halves(chunk));
        isMoving ||= chunk.length > 1;
      }
    }
    open = referred;
    if (open.length > 0 && !isMoving) throw stillReferred(project, table, refusal);
  }
  return removed;
}

function stillReferred({ role, label }: Project, { name }: Table, cause: unknown): DualsyncError {
  return new DualsyncError(role, `Other rows of ${label} refer to rows of ${name} that should be deleted.`, {
    hint: "They stay. Delete what refers to them first.",
    ofOneCollection: true,
    reason: "referred",
    cause: cause instanceof Error ? cause.cause : cause,
  });
}

/** If an answer was lost, rows that are gone then count as deleted. */
async function removeChunk(
  project: Project,
  table: Table,
  chunk: readonly Asked[],
  signal: AbortSignal,
): Promise<number> {
  const ids = chunk.map(({ id }) => id);
  const rows = rowsOf(project, { ...table, columns: table.columns.filter(isKey(table)) });
  const before = await rows.find(ids, signal);
  const where = [
    oneOf(
      table.key,
      chunk.map(({ texts }) => texts),
    ),
  ];
  const removed = await project.remove(table.name, where, chunk.length, signal);
  if (removed >= before.size) return removed;
  const after = await rows.find(ids, signal);
  return [...before.keys()].filter((key) => !after.has(key)).length;
}

function isKey({ key }: Table): (column: { readonly name: string }) => boolean {
  return ({ name }) => key.includes(name);
}

function halves<T>(items: readonly T[]): readonly (readonly T[])[] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

function unique(ids: readonly DocumentId[]): readonly DocumentId[] {
  return [...new Map(ids.map((id) => [id.key, id])).values()];
}
