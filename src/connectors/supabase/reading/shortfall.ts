import { DualsyncError } from "../../../errors.ts";
import type { Project } from "../api/project.ts";
import { onlyKey, type Table } from "../schema/table.ts";
import { rowsOf } from "./rows.ts";

/**
 * Holds the number of rows that a whole table gave against what the server counts. Where the order of the key is the
 * database's own, rows that it passed over are seen in no other way: a damaged index, or one made under other rules of
 * sorting, does that. As rows come and go meanwhile, only what is the same twice is a proof.
 * @throws DualsyncError when the table gives fewer rows than it has, again and while their number stays
 */
export async function mustGiveAll(
  project: Project,
  table: Table,
  given: number,
  signal: AbortSignal,
): Promise<void> {
  const count = (): Promise<number> => project.count(table.name, table.key[0] ?? "", [], signal);
  const counted = await count();
  if (given >= counted) return;
  let again = 0;
  for await (const batch of rowsOf(project, onlyKey(table)).read({ signal })) again += batch.length;
  if (again !== given || (await count()) !== counted) return;
  throw new DualsyncError(
    project.role,
    `${project.label} gives ${given} rows of ${table.name} and counts ${counted}, each time.`,
    {
      hint: "What was read is not all of it. An index of the table may be damaged: run reindex table on it in the project's SQL editor, then the same command again.",
    },
  );
}
