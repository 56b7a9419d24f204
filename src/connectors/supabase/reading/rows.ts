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
      const exact = new ExactLook(project, table);
      const looked = { ...source, documents: exact.anywhere(documents, signal) };
      for (const asked of addressed(table, ids)) {
        const documents = await askApart(
          asked,
          (some) => look(looked, some, signal),
          ([one]) =>
            isNoValue(project, { table, where: whereOf(table, one === undefined ? [] : [one]) }, signal),
        );
        for (const document of documents) found.set(document.id.key, document);
      }
      const wanted = new Set(ids.map(({ key }) => key));
      if ([...found.keys()].some((key) => !wanted.has(key))) exact.sawOtherKeys();
      await exact.done();
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
 * What `ask` finds. A value that the database does not take for one of its column makes it refuse the others, too: it is handled
 * separately. No row has it; a row that cannot be read, of all values, is a failure, and not one that is gone.
 */
export async function askApart<T, R>(
  asked: readonly T[],
  ask: (asked: readonly T[]) => Promise<readonly R[]>,
  isNoValue: (asked: readonly T[]) => Promise<boolean>,
): Promise<readonly R[]> {
  try {
    return await ask(asked);
  } catch (error) {
    if (!isOfRows(error) && !isTooMuch(error)) throw error;
    if (asked.length === 1) {
      if (isOfRows(error) && (await isNoValue(asked))) return [];
      throw error;
    }
  }
  const half = asked.length >> 1;
  const first = await askApart(asked.slice(0, half), ask, isNoValue);
  return [...first, ...(await askApart(asked.slice(half), ask, isNoValue))];
}

/** Whether the server refuses the values of a condition: without a row to give, it has only them to refuse. */
export async function isNoValue(
  project: Project,
  { table, where }: { readonly table: Table; readonly where: Condition },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await project.rows(table.name, { select: selectOf(table), where: [where], limit: 0 }, signal);
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
export function addressed(table: Table, ids: readonly DocumentId[]): Generator<readonly Asked[]> {
  const asked = ids.flatMap((id) => {
    const texts = keyTexts(table, id);
    return texts === undefined ? [] : [{ id, texts }];
  });
  return inAddresses(asked, ({ texts }) => addressLength(table.key, texts));
}

/** What fits into one address, by the characters that each takes there. */
export function* inAddresses<T>(asked: readonly T[], lengthOf: (one: T) => number): Generator<readonly T[]> {
  let chunk: T[] = [];
  let length = 0;
  for (const one of asked) {
    const size = lengthOf(one);
    if (chunk.length > 0 && (length + size > ADDRESS || chunk.length >= IDS)) {
      yield chunk;
      chunk = [];
      length = 0;
    }
    chunk.push(one);
    length += size;
  }
  if (chunk.length > 0) yield chunk;
}

/** Of values with their columns: with quotes, a comma and, in longer conditions, the column's name and what belongs to it. */
export function addressLength(columns: readonly string[], texts: readonly string[]): number {
  const lengthOf = (text: string): number => encodeURIComponent(text).length;
  return texts.reduce((sum, text, at) => sum + lengthOf(text) + lengthOf(columns[at] ?? "") + 24, 0);
}
