/** Rows of one table as documents. */
import type { Batch, Doc, DocumentId } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { Condition } from "../api/condition.ts";
import { isOfRows, isTooMuch } from "../api/fault.ts";
import type { Project } from "../api/project.ts";
import type { ExactText } from "../api/texts.ts";
import { documentsOf } from "../mapping/documents.ts";
import { keyTexts } from "../mapping/key.ts";
import { selectOf } from "../mapping/layout.ts";
import type { Table } from "../schema/table.ts";
import { ExactLook } from "./exact/look.ts";
import { oneOf } from "./key-range.ts";
import { type PagesOptions, pages, ROUNDS, withheld } from "./pages.ts";

/** Characters of an address that hold ids: gateways refuse addresses from about eight thousand on. */
const ADDRESS = 5_000;
/** Ids that are asked for at once. */
const IDS = 200;

export interface Rows {
  /** In the order of the key. */
  read(options: PagesOptions): AsyncGenerator<Batch>;
  /** The first or the last key; undefined: there are no rows. */
  end(which: "first" | "last", signal: AbortSignal): Promise<DocumentId | undefined>;
  find(ids: readonly DocumentId[], signal: AbortSignal): Promise<ReadonlyMap<string, Doc>>;
}

export function rowsOf(project: Project, table: Table): Rows {
  const select = selectOf(table);
  const documents = (answer: ExactText): Batch => toDocuments(project, table, answer);
  const source = { project, table, select, documents };
  return {
    read(options) {
      const look = new ExactLook(project, table);
      return look.checked(pages({ ...source, documents: look.inOrder(documents, options) }, options));
    },
    async end(which, signal) {
      const query = { select, order: table.key, descending: which === "last", limit: 1 };
      const page = documents(await project.rows(table.name, query, signal));
      return page.length === 0 ? undefined : page.idOf(0);
    },
    async find(ids, signal) {
      const found = new Map<string, Doc>();
      const look = new ExactLook(project, table);
      const looked = { ...source, documents: look.anywhere(documents, signal) };
      for (const asked of addressed(table, ids)) {
        for (const document of await lookApart(looked, asked, signal)) found.set(document.id.key, document);
      }
      const wanted = new Set(ids.map(({ key }) => key));
      if ([...found.keys()].some((key) => !wanted.has(key))) look.sawOtherKeys();
      await look.done();
      return found;
    },
  };
}

/** @throws DualsyncError when the answer is no rows of the table, or not as many as it announces */
export function toDocuments({ label, role }: Project, table: Table, { bytes, rows }: ExactText): Batch {
  try {
    const batch = documentsOf(table, bytes);
    if (rows !== undefined && rows !== batch.length)
      throw new RangeError(`${batch.length} rows where ${rows} were announced`);
    return batch;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DualsyncError(
      role,
      `${label} answered with something that is not rows of ${table.name} (${cause.message}).`,
      {
        retryable: true,
        hint: "That answer was discarded. Was the table altered just now? Run the same command again.",
        cause,
      },
    );
  }
}

export interface Asked {
  readonly id: DocumentId;
  readonly texts: readonly string[];
}

/**
 * An id that the database does not take for a value of its column makes it refuse the others, too: it is handled separately. No row
 * has it; a row that cannot be read, of all ids, is a failure, and not one that is gone.
 */
async function lookApart(
  source: Parameters<typeof pages>[0],
  asked: readonly Asked[],
  signal: AbortSignal,
): Promise<readonly Doc[]> {
  try {
    return await look(source, asked, signal);
  } catch (error) {
    if (!isOfRows(error) && !isTooMuch(error)) throw error;
    if (asked.length === 1) {
      if (isOfRows(error) && (await isNoValue(source, asked, signal))) return [];
      throw error;
    }
  }
  const half = asked.length >> 1;
  const first = await lookApart(source, asked.slice(0, half), signal);
  return [...first, ...(await lookApart(source, asked.slice(half), signal))];
}

/** Without a row to give, the server has only the ids to refuse. */
async function isNoValue(
  { project, table, select }: Parameters<typeof pages>[0],
  asked: readonly Asked[],
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await project.rows(table.name, { select, where: [whereOf(table, asked)], limit: 0 }, signal);
    return false;
  } catch (error) {
    if (!isOfRows(error)) throw error;
    return true;
  }
}

function whereOf(table: Table, asked: readonly Asked[]): Condition {
  return oneOf(
    table.key,
    asked.map(({ texts }) => texts),
  );
}

/** The server may give fewer rows than there are: it is asked for the others until it gives none, and counts none. */
async function look(
  source: Parameters<typeof pages>[0],
  asked: readonly Asked[],
  signal: AbortSignal,
): Promise<readonly Doc[]> {
  const { project, table, select, documents } = source;
  const found: Doc[] = [];
  let empty = 0;
  for (let open = asked; open.length > 0; ) {
    const where = [whereOf(table, open)];
    const page = documents(await project.rows(table.name, { select, where, limit: open.length }, signal));
    if (page.length === 0) {
      const rest = await project.count(table.name, table.key[0] ?? "", where, signal);
      if (rest === 0) break;
      if (++empty === ROUNDS) throw withheld(source, rest);
      continue;
    }
    const docs = page.docs();
    found.push(...docs);
    const keys = new Set(docs.map(({ id }) => id.key));
    const rest = open.filter(({ id }) => !keys.has(id.key));
    if (rest.length === open.length) break; // they are under other ids, and not what was asked for
    open = rest;
  }
  return found;
}

/** Ids that fit into one address, with their texts; those that no row of the table can have are left out. */
export function* addressed(table: Table, ids: readonly DocumentId[]): Generator<readonly Asked[]> {
  let chunk: Asked[] = [];
  let length = 0;
  for (const id of ids) {
    const texts = keyTexts(table, id);
    if (texts === undefined) continue;
    const size = texts.reduce((sum, text, i) => sum + addressLength(text, table.key[i] ?? ""), 0);
    if (chunk.length > 0 && (length + size > ADDRESS || chunk.length >= IDS)) {
      yield chunk;
      chunk = [];
      length = 0;
    }
    chunk.push({ id, texts });
    length += size;
  }
  if (chunk.length > 0) yield chunk;
}

/** With quotes, a comma and, in longer conditions, the column's name and what belongs to it. */
function addressLength(text: string, column: string): number {
  return encodeURIComponent(text).length + encodeURIComponent(column).length + 24;
}
