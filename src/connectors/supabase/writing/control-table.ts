/** The control table in a project that dualsync writes to: the lease, and who filled what from where. */
import { DualsyncError } from "../../../model/errors.ts";

import {
  type ControlFields,
  type ControlRecord,
  fieldsOf,
  historyOf,
} from "../../control/control-records.ts";
import type { History } from "../../powers/run-history.ts";
import { NO_TABLE, refusalCode } from "../api/fault.ts";
import type { Project } from "../api/project.ts";
import { CONTROL_TABLE, LEASE_FUNCTIONS } from "../sql/sql-lease.ts";

/** Rows that are asked for at once. */
const ROWS = 500;

/** Calls a function of `sql-lease.ts` and parses what it answers. @throws DualsyncError `refused` when it is not there */
export async function callControl(
  project: Project,
  name: keyof typeof LEASE_FUNCTIONS,
  given: ControlFields,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    const answer = await project.rpc(LEASE_FUNCTIONS[name], JSON.stringify(given), signal);
    if (answer !== undefined) return JSON.parse(answer) as unknown;
  } catch (error) {
    if (!NO_TABLE.has(refusalCode(error) ?? "")) throw error;
  }
  throw notInstalled(project);
}

function notInstalled({ label }: Project): DualsyncError {
  return new DualsyncError(
    "refused",
    `The target ${label} has no control table yet, so two runs could write at once.`,
    {
      hint: "Nothing was written. Run dualsync sql, run what it prints once in the project's SQL editor, then run the same command again.",
    },
  );
}

/** The rows of the own table by their ids; none where there is no such table. */
async function readControl(
  project: Project,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ControlFields>> {
  const found = new Map<string, ControlFields>();
  for (let last: string | undefined; ; ) {
    const where = last === undefined ? [] : [{ column: "id", is: "gt" as const, value: last }];
    const rows = await page(project, where, signal);
    for (const row of rows) {
      // A row that comes again would come for ever.
      if (typeof row.id !== "string" || found.has(row.id)) throw garbled(project);
      found.set(row.id, fieldsOf(row.content));
      last = row.id;
    }
    if (rows.length === 0) return found;
  }
}

async function page(project: Project, where: Where, signal: AbortSignal): Promise<readonly ControlFields[]> {
  return (await ownRows(project, where, signal)) ?? [];
}

type Where = readonly { column: string; is: "gt" | "eq"; value: string }[];

/** Undefined where there is no such table. */
async function ownRows(
  project: Project,
  where: Where,
  signal: AbortSignal,
): Promise<readonly ControlFields[] | undefined> {
  const query = { select: [{ column: "id" }, { column: "content" }], where, order: ["id"], limit: ROWS };
  try {
    const { text } = await project.rows(CONTROL_TABLE, query, signal);
    return JSON.parse(text) as readonly ControlFields[];
  } catch (error) {
    if (error instanceof SyntaxError) throw garbled(project);
    if (NO_TABLE.has(refusalCode(error) ?? "")) return undefined;
    throw error;
  }
}

export async function hasControlTable(project: Project, signal: AbortSignal): Promise<boolean> {
  return (await ownRows(project, [{ column: "id", is: "eq", value: "lease" }], signal)) !== undefined;
}

/** The nonce of the run that holds the lease now, or held it last. */
export async function readNonce(project: Project, signal: AbortSignal): Promise<string | undefined> {
  const [lease] = await page(project, [{ column: "id", is: "eq", value: "lease" }], signal);
  const nonce = lease === undefined ? undefined : fieldsOf(lease.content).nonce;
  return typeof nonce === "string" ? nonce : undefined;
}

export async function readHistory(project: Project, signal: AbortSignal): Promise<History> {
  return historyOf(await readControl(project, signal));
}

/** Leaves a record under the lease of this nonce, and without it nothing. Resolves with whether it was held. */
export async function writeRecord(
  project: Project,
  nonce: string,
  { id: name, content }: ControlRecord,
  signal: AbortSignal,
): Promise<boolean> {
  return (await callControl(project, "note", { nonce, name, content }, signal)) === true;
}

function garbled({ label, role }: Project): DualsyncError {
  return new DualsyncError(role, `The control table ${CONTROL_TABLE} of ${label} has unexpected contents.`, {
    hint: `Only dualsync should write to it. If nobody needs its history: delete from ${CONTROL_TABLE};`,
  });
}
