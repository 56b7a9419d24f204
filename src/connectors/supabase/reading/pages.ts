/** Rows in the order of their key, page after page. */
import type { DocumentId } from "../../../model/document.ts";
import { Batch } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { Condition, SelectedColumn } from "../api/condition.ts";
import { isTooMuch } from "../api/fault.ts";
import type { Project } from "../api/project.ts";
import type { ExactText } from "../api/texts.ts";
import type { Table } from "../schema/table.ts";
import { type Bounds, keyRange } from "./key-range.ts";
import { Succession } from "./succession.ts";

/** Rows that are asked for at once; projects give 1,000 at most where nobody has set another number. */
const ROWS = 1_000;
/** Bytes of an answer that the size of the next page aims at. */
const PAGE_BYTES = 4_000_000;

/** So often an answer that is no page of rows is asked for again: on its way it may have been cut short. */
const GARBLED = 2;

/** On a busy table rows come and go between two questions; not so often in a row. */
export const ROUNDS = 6;

export interface PagesOptions extends Bounds {
  /** What the rows must fulfil besides. */
  readonly where?: readonly Condition[];
  /** Largest number of rows of a page. */
  readonly batchSize?: number | undefined;
  readonly signal: AbortSignal;
}

export interface PageSource {
  readonly project: Project;
  readonly table: Table;
  readonly select: readonly SelectedColumn[];
  /** The documents of a page's exact text. */
  documents(answer: ExactText): Batch;
}

/**
 * Reads to the end of the range. An answer is never treated as the end because it is short, as the server gives fewer rows
 * than it is asked for when it likes; only none at all is, and only when the server counts none either.
 * @throws DualsyncError when the server gives none and counts some, or gives rows again or out of order
 */
export async function* pages(source: PageSource, options: PagesOptions): AsyncGenerator<Batch> {
  const reader = new PageReader(source, options);
  let next = reader.read(options.after);
  for (;;) {
    const page = await next;
    if (page === undefined) return;
    const last = page.idOf(page.length - 1);
    next = reader.read(last);
    next.catch(() => undefined); // it is awaited when its turn comes
    const kept = reader.kept(page);
    if (kept.length > 0) yield kept;
  }
}

function isGarbled(error: unknown): boolean {
  return error instanceof DualsyncError && error.cause instanceof RangeError;
}

class PageReader {
  readonly #source: PageSource;
  readonly #options: PagesOptions;
  readonly #succession: Succession;
  #rows: number;

  constructor(source: PageSource, options: PagesOptions) {
    this.#source = source;
    this.#options = options;
    this.#succession = new Succession(source.table, options.after);
    this.#rows = Math.min(ROWS, options.batchSize ?? ROWS);
  }

  /** The rows after this id; undefined at the end. */
  async read(after: DocumentId | undefined): Promise<Batch | undefined> {
    const where = this.#where(after);
    let rest = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const page = await this.#ask(where);
      if (page.length > 0) return this.#following(page);
      rest = await this.#count(where);
      if (rest === 0) return undefined;
    }
    throw withheld(this.#source, rest);
  }

  /** Without what only this program knows to be outside of the range. */
  kept(page: Batch): Batch {
    const { holds } = keyRange(this.#source.table, this.#options);
    return holds === undefined ? page : Batch.of(page.docs().filter(({ id }) => holds(id)));
  }

  #where(after: DocumentId | undefined): readonly Condition[] {
    const { where = [], range } = this.#options;
    return [...keyRange(this.#source.table, { range, after }).where, ...where];
  }

  /** Asks for less when that was too much for the server or the line. */
  async #ask(where: readonly Condition[]): Promise<Batch> {
    const { project, table, select, documents } = this.#source;
    const { signal, batchSize = Number.POSITIVE_INFINITY } = this.#options;
    for (let garbled = 0; ; ) {
      const query = { select, where, order: table.key, limit: this.#rows };
      try {
        const answer = await project.rows(table.name, query, signal);
        const page = documents(answer);
        this.#aimAt(answer.bytes.length, page.length, batchSize);
        return page;
      } catch (error) {
        if (this.#rows > 1 && isTooMuch(error)) this.#rows = Math.ceil(this.#rows / 2);
        else if (!isGarbled(error) || ++garbled > GARBLED) throw error;
      }
    }
  }

  /** Large rows come in small pages; a page that was cut in halves grows again slowly. */
  #aimAt(bytes: number, rows: number, most: number): void {
    if (rows === 0) return;
    const fitting = Math.max(1, Math.floor((PAGE_BYTES * rows) / Math.max(1, bytes)));
    this.#rows = Math.min(fitting, most, ROWS, Math.ceil(this.#rows * 1.25));
  }

  #count(where: readonly Condition[]): Promise<number> {
    const { project, table } = this.#source;
    return project.count(table.name, table.key[0] ?? "", where, this.#options.signal);
  }

  #following(page: Batch): Batch {
    if (this.#succession.take(page)) return page;
    const { table, project } = this.#source;
    throw new DualsyncError(
      project.role,
      `${project.label} returns rows of ${table.name} twice or out of order.`,
      {
        hint: "Do several rows share a key (does another table inherit from it?), or does a proxy answer wrongly? The table does not count as fully read.",
        ofOneCollection: true,
      },
    );
  }
}

/** The error when a server returns none of the rows that it counts. */
export function withheld(
  { project, table }: Pick<PageSource, "project" | "table">,
  rows: number,
): DualsyncError {
  return new DualsyncError(
    project.role,
    `${project.label} returns no rows of ${table.name}, but counts ${rows} more.`,
    {
      hint: "The table does not count as fully read. Run the same command again.",
      ofOneCollection: true,
    },
  );
}
