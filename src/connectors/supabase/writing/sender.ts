/** Rows on their way into one table: as many at once as the project takes, and those that it refuses handled one by one. */
import { faultOf } from "../../http/fault.ts";
import { isOfRows, isTooMuch, refusalCode } from "../api/fault.ts";
import type { Project } from "../api/project.ts";
import type { Table } from "../schema/table.ts";
import { parentsFirst, withoutParents } from "./parents.ts";
import { ORPHAN, TOO_LARGE } from "./refusal.ts";
import type { RowToSend } from "./row-to-send.ts";

/** Rows sent at once, and bytes of them: roles have a few seconds for a statement. */
const ROWS = 500;
const BYTES = 1_000_000;
/** As many rows are sent one by one rather than asking for all that they refer to. */
const FEW = 4;
/** The server's complaint about one row twice in a statement. */
const TWICE = "21000";

export interface Sent {
  /** Rows that were taken together, and how many of them the server has written: none that was there and was to stay. */
  readonly done: { readonly rows: readonly RowToSend[]; readonly written: number }[];
  /** By the code of the refusal. */
  readonly refused: { readonly row: RowToSend; readonly code: string }[];
}

export interface SendOptions {
  readonly table: Table;
  /** Leave rows that are there as they are. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
}

export class Sender {
  readonly #project: Project;
  /** Shrinks when the project finds it too much, and grows again slowly. */
  #rows = ROWS;

  constructor(project: Project) {
    this.#project = project;
  }

  /**
   * Each row has a key of its own. Rows that refer to rows that are missing are sent again as long as others get through:
   * they may be what was missing.
   */
  async send(rows: readonly RowToSend[], options: SendOptions): Promise<Sent> {
    const sent: Sent = { done: [], refused: [] };
    for (let open = parentsFirst(options.table, rows); open.length > 0; ) {
      const now: Sent = { done: [], refused: [] };
      for (const group of grouped(open)) await this.#all(group, options, now);
      const orphans = now.refused.filter(({ code }) => code === ORPHAN);
      const isOver = orphans.length === open.length;
      sent.done.push(...now.done);
      sent.refused.push(...(isOver ? now.refused : now.refused.filter(({ code }) => code !== ORPHAN)));
      open = isOver ? [] : orphans.map(({ row }) => row);
    }
    return sent;
  }

  async #all(rows: readonly RowToSend[], options: SendOptions, sent: Sent): Promise<void> {
    for (let from = 0; from < rows.length; ) {
      let to = from + 1;
      let bytes = rows[from]?.text.length ?? 0;
      while (to < rows.length && to - from < this.#rows && bytes < BYTES)
        bytes += rows[to++]?.text.length ?? 0;
      await this.#piece(rows.slice(from, to), options, sent);
      from = to;
    }
  }

  async #piece(rows: readonly RowToSend[], options: SendOptions, sent: Sent): Promise<void> {
    const [first] = rows;
    if (first === undefined) return;
    const { table, keep, signal } = options;
    const text = `[${rows.map((row) => row.text).join(",")}]`;
    const { columns } = first;
    try {
      const upsert = { text, columns, onConflict: table.key, ignoreDuplicates: keep };
      const written = await this.#project.upsert(table.name, upsert, signal);
      sent.done.push({ rows, written });
      this.#rows = Math.min(ROWS, Math.ceil(this.#rows * 1.25));
    } catch (error) {
      const code = refusalCode(error) ?? "";
      const isMuch = isTooMuch(error);
      if (rows.length === 1) {
        if (faultOf(error)?.status === 413) sent.refused.push({ row: first, code: TOO_LARGE });
        else if (isOfRows(error)) sent.refused.push({ row: first, code });
        else throw error;
        return;
      }
      if (!isMuch && !isOfRows(error) && code !== TWICE) throw error;
      const middle = Math.ceil(rows.length / 2);
      if (isMuch) this.#rows = middle;
      const lost =
        code === ORPHAN && rows.length > FEW
          ? await withoutParents(this.#project, table, rows, signal)
          : new Set<RowToSend>();
      if (lost.size === 0) {
        await this.#piece(rows.slice(0, middle), options, sent);
        await this.#piece(rows.slice(middle), options, sent);
        return;
      }
      // Halving would find each of many by itself.
      for (const row of lost) sent.refused.push({ row, code });
      await this.#piece(
        rows.filter((row) => !lost.has(row)),
        options,
        sent,
      );
    }
  }
}

function grouped(rows: readonly RowToSend[]): Iterable<readonly RowToSend[]> {
  const groups = new Map<string, RowToSend[]>();
  for (const row of rows) {
    const group = groups.get(row.shape);
    if (group === undefined) groups.set(row.shape, [row]);
    else group.push(row);
  }
  return groups.values();
}
