/** dualsync's own table in a project that it writes to: the lease, and who filled what from where. */
import { DualsyncError } from "../../../errors.ts";
import type { Filled, History, Provenance } from "../../connector.ts";
import { refusalCode } from "../api/fault.ts";
import type { Project } from "../api/project.ts";
import { NO_TABLE } from "../reading/tables.ts";
import { LEASE_FUNCTIONS, OWN_TABLE } from "../sql/sql-lease.ts";

const FILLED = "filled";
const COLLECTION = "collection ";
/** Rows that are asked for at once. */
const ROWS = 500;

type Fields = Readonly<Record<string, unknown>>;

/** Calls a function of `sql-lease.ts` and parses what it answers. @throws DualsyncError `refused` when it is not there */
export async function callOwn(
  project: Project,
  name: keyof typeof LEASE_FUNCTIONS,
  given: Fields,
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
    `The target ${label} has no place yet for the right to write to it, so that two runs could write at once.`,
    {
      hint: "Nothing was written. Run dualsync sql, install what it prints in the project's SQL editor, once, and run the same command again.",
    },
  );
}

/** The rows of the own table by their ids; none where there is no such table. */
async function readOwn(project: Project, signal: AbortSignal): Promise<ReadonlyMap<string, Fields>> {
  const found = new Map<string, Fields>();
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

async function page(
  project: Project,
  where: readonly { column: string; is: "gt" | "eq"; value: string }[],
  signal: AbortSignal,
): Promise<readonly Fields[]> {
  const query = { select: [{ column: "id" }, { column: "content" }], where, order: ["id"], limit: ROWS };
  try {
    const { text } = await project.rows(OWN_TABLE, query, signal);
    return JSON.parse(text) as readonly Fields[];
  } catch (error) {
    if (error instanceof SyntaxError) throw garbled(project);
    if (NO_TABLE.has(refusalCode(error) ?? "")) return [];
    throw error;
  }
}

/** The nonce of the run that holds the lease now, or held it last. */
export async function readNonce(project: Project, signal: AbortSignal): Promise<string | undefined> {
  const [lease] = await page(project, [{ column: "id", is: "eq", value: "lease" }], signal);
  const nonce = lease === undefined ? undefined : fieldsOf(lease.content).nonce;
  return typeof nonce === "string" ? nonce : undefined;
}

export async function readHistory(project: Project, signal: AbortSignal): Promise<History> {
  const collections = new Map<string, Provenance>();
  let filled: Filled | undefined;
  for (const [id, content] of await readOwn(project, signal)) {
    if (id === FILLED) filled = readFilled(content);
    const provenance = id.startsWith(COLLECTION) ? readProvenance(content) : undefined;
    if (provenance !== undefined) collections.set(id.slice(COLLECTION.length), provenance);
  }
  return filled === undefined ? { collections } : { filled, collections };
}

/** Notes things under the lease of this nonce, and without it nothing. Resolves with whether it was held. */
export function notes(project: Project, nonce: string) {
  const note = async (name: string, content: Fields, signal: AbortSignal): Promise<boolean> =>
    (await callOwn(project, "note", { nonce, name, content }, signal)) === true;
  return {
    filled(filled: Filled, signal: AbortSignal): Promise<boolean> {
      // A list, not an object: jsonb would put names in an order of its own.
      const documents = [...filled.documents].map(([name, count]) => ({ name, count }));
      return note(FILLED, { ...filled, documents, at: new Date() }, signal);
    },
    provenance: (collection: string, provenance: Provenance, signal: AbortSignal): Promise<boolean> =>
      note(COLLECTION + collection, { ...provenance }, signal),
  };
}

function readFilled(content: Fields): Filled {
  const documents: readonly unknown[] = Array.isArray(content.documents) ? content.documents : [];
  const since = new Date(text(content.since));
  return {
    command: text(content.command),
    from: text(content.from),
    run: text(content.run),
    token: text(content.token),
    complete: content.complete === true,
    verified: content.verified === true,
    since: Number.isNaN(since.getTime()) ? new Date(0) : since,
    documents: new Map(documents.map(fieldsOf).map(({ name, count }) => [text(name), Number(count)])),
  };
}

function readProvenance(content: Fields): Provenance | undefined {
  const incarnation = text(content.incarnation);
  if (incarnation === "") return undefined;
  const source = text(content.source);
  const known = { incarnation, fromEmpty: content.fromEmpty === true, from: text(content.from) };
  return source === "" ? known : { ...known, source };
}

function garbled({ label, role }: Project): DualsyncError {
  return new DualsyncError(role, `What the table ${OWN_TABLE} of ${label} holds is not understood.`, {
    hint: `Only dualsync should write to it. If nobody needs its history: delete from ${OWN_TABLE};`,
  });
}

/** Hostile until proved otherwise. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
