/** Documents written as rows. */

import { withNull } from "../../../bson/null-fields.ts";
import type { Batch, Doc, DocumentId } from "../../../model/document.ts";
import type { WriteMode } from "../../contract.ts";
import type { OnStubs } from "../../powers/related-writes.ts";
import { add, NOTHING, type NotReproduced, type Rejected, type WriteOutcome } from "../../write-outcome.ts";
import type { Project } from "../api/project.ts";
import { classify } from "../mapping/equivalence/classify.ts";
import { rowOf } from "../mapping/to-row/row.ts";
import { rowsOf } from "../reading/rows.ts";
import { BLOCKED, ORPHAN, refusalReason } from "./refusal.ts";
import { removeRows } from "./remove.ts";
import type { RowToSend } from "./row-to-send.ts";
import { Sender } from "./sender.ts";
import type { Writable, WritableTables } from "./writable.ts";

/** Fields without a column are named up to this number, for each table. */
const MOST_FIELDS = 50;
const LOST = "the table has no column of this name: the field is not written";

interface Task extends Writable {
  readonly mode: Exclude<WriteMode, "append">;
  readonly signal: AbortSignal;
}

/**
 * Writes documents into tables whose columns decide what fits. A row that is there counts as the document's when the mapping
 * calls the two equivalent. What a trigger makes of a row afterwards is not seen here, but when it is read back: then the
 * row is another one than the document each time, and whoever verifies the write rejects it by name; a diff shows
 * such rows as changed in the columns that the trigger fills, most often `updated_at`.
 */
export class Writer {
  readonly #project: Project;
  readonly #tables: WritableTables;
  readonly #sender: Sender;
  readonly #fields = new Map<string, Set<string>>();

  constructor(project: Project, tables: WritableTables) {
    this.#project = project;
    this.#tables = tables;
    this.#sender = new Sender(project);
  }

  /** Of several documents under one `_id` the last stays, as if each had been written by itself; with `create` the first. */
  async write(name: string, batch: Batch, mode: WriteMode, signal: AbortSignal): Promise<WriteOutcome> {
    const task = { ...(await this.#tables.of(name, signal)), mode, signal };
    let outcome = NOTHING;
    for (const round of rounds(batch.docs())) outcome = add(outcome, await this.#round(task, round));
    return outcome;
  }

  async remove(name: string, ids: readonly DocumentId[], signal: AbortSignal): Promise<number> {
    const { table } = await this.#tables.of(name, signal);
    return await removeRows(this.#project, table, ids, signal);
  }

  /**
   * Adds rows for those of these documents that have none, with null for each reference that may be null, so that others can
   * refer to them; `onStubs` hears of those before. @returns the ids of the rows that were added
   */
  async stub(
    name: string,
    docs: readonly Doc[],
    onStubs: OnStubs,
    signal: AbortSignal,
  ): Promise<readonly DocumentId[]> {
    const task: Task = { ...(await this.#tables.of(name, signal)), mode: "create", signal };
    const { table } = task;
    const columns = [
      ...table.references.map(({ column }) => column),
      ...(table.relations ?? []).flatMap((relation) => relation.columns),
    ];
    const open = new Set(
      columns.filter((column) => table.columns.some((one) => one.name === column && one.nullable)),
    );
    const { present } = await this.#compare(task, docs);
    const rows = docs.flatMap((doc) => {
      const row = present.has(doc.id.key) ? undefined : rowOf(table, doc.bytes);
      if (row === undefined || "reason" in row || row.jsonNulls.length > 0) return [];
      const columns = row.columns.map(
        ([column, text]) => [column, open.has(column) ? "null" : text] as const,
      );
      return [toSend(task, doc, columns)];
    });
    await onStubs(
      name,
      rows.map(({ doc: { id, bytes } }) => ({ id, bytes: withNull(bytes, [...open]) })),
    );
    const { done } = await this.#sender.send(rows, { table, keep: true, signal });
    const own: RowToSend[] = [];
    for (const { rows: taken, written } of done)
      own.push(...(written === taken.length ? taken : await this.#heldAsSent(task, taken)));
    return own.map(({ doc }) => doc.id);
  }

  /** Where somebody else came first, which rows are those that were sent. */
  async #heldAsSent(
    { table, computed, signal }: Task,
    rows: readonly RowToSend[],
  ): Promise<readonly RowToSend[]> {
    const ids = rows.map(({ doc }) => doc.id);
    const held = await rowsOf(this.#project, table).find(ids, signal);
    return rows.filter((row) => {
      const found = held.get(row.doc.id.key);
      const own = found && rowOf(table, found.bytes);
      if (own === undefined || "reason" in own) return false;
      const texts = new Map(own.columns);
      return row.columns.every((name, at) => computed.has(name) || texts.get(name) === row.texts[at]);
    });
  }

  /** Each document has an `_id` of its own. */
  async #round(task: Task, docs: readonly Doc[]): Promise<WriteOutcome> {
    const rejected: Rejected[] = [];
    const extra = new Set<string>();
    const unsendable = new Map<Doc, string>();
    const rows: RowToSend[] = [];
    for (const doc of docs) {
      const row = rowOf(task.table, doc.bytes);
      if ("reason" in row) {
        rejected.push({ id: doc.id, reason: row.reason });
        continue;
      }
      for (const name of row.extra) extra.add(name);
      const [column] = row.jsonNulls;
      if (column === undefined) rows.push(toSend(task, doc, row.columns));
      else unsendable.set(doc, `column ${column}: JSON's null, which the API would write as SQL's NULL`);
    }
    const notReproduced = this.#lost(task.table.name, extra);
    const made = { ...NOTHING, rejected, ...(notReproduced.length === 0 ? {} : { notReproduced }) };
    return add(add(made, await this.#leave(task, unsendable)), await this.#put(task, rows));
  }

  /** Names the fields that are lost, the same ones each time; a table has few, or has more than anybody would read. */
  #lost(table: string, names: Iterable<string>): NotReproduced[] {
    const known = this.#fields.get(table) ?? new Set();
    this.#fields.set(table, known);
    const found = new Map<string, string>();
    for (const name of names) {
      if (known.size < MOST_FIELDS) known.add(name);
      if (known.has(name)) found.set(`field ${table}.${name}`, LOST);
      else found.set(`fields ${table}`, "more fields without a column");
    }
    return [...found].map(([key, reason]) => ({ key, reason }));
  }

  /** Documents that cannot be sent: fine where they are there already. */
  async #leave(task: Task, docs: ReadonlyMap<Doc, string>): Promise<WriteOutcome> {
    const { differ, unchanged } = await this.#compare(task, [...docs.keys()]);
    const rejected = differ.map((doc) => ({ id: doc.id, reason: docs.get(doc) ?? "" }));
    return { written: 0, unchanged, rejected };
  }

  async #put(task: Task, rows: readonly RowToSend[]): Promise<WriteOutcome> {
    if (rows.length === 0) return NOTHING;
    if (task.mode === "replace") return await this.#replace(task, rows);
    if (task.mode === "insert") return await this.#insert(task, rows);
    const { present, unchanged, differ } = await this.#compare(task, docsOf(rows));
    const occupied = {
      written: 0,
      unchanged,
      rejected: differ.filter(({ id }) => present.has(id.key)).map(isOccupied),
    };
    const absent = rows.filter(({ doc }) => !present.has(doc.id.key));
    return add(occupied, await this.#insert(task, absent));
  }

  async #replace(task: Task, rows: readonly RowToSend[]): Promise<WriteOutcome> {
    const { done, refused } = await this.#sender.send(rows, { ...task, keep: false });
    const written = done.reduce((sum, piece) => sum + piece.rows.length, 0);
    return { written, unchanged: 0, rejected: refused.map((one) => rejectedOf(task, one)) };
  }

  /** Rows that turn out to be there are compared, and replaced where they differ, unless they are to stay. */
  async #insert(task: Task, rows: readonly RowToSend[]): Promise<WriteOutcome> {
    const { done, refused } = await this.#sender.send(rows, { ...task, keep: true });
    let outcome: WriteOutcome = { ...NOTHING, rejected: refused.map((one) => rejectedOf(task, one)) };
    for (const { rows: taken, written } of done) {
      if (written >= taken.length) outcome = add(outcome, { ...NOTHING, written: taken.length });
      else outcome = add(outcome, await this.#settle(task, taken, written));
    }
    return outcome;
  }

  /** Of these rows the server wrote so many, without saying which: the others were there. */
  async #settle(task: Task, rows: readonly RowToSend[], inserted: number): Promise<WriteOutcome> {
    const { present, differ } = await this.#compare(task, docsOf(rows));
    const others = new Set(differ);
    const changed = rows.filter(({ doc }) => others.has(doc));
    const left = differ.map((doc) => (present.has(doc.id.key) ? isOccupied(doc) : isSwallowed(doc)));
    const { rejected, written: replaced } =
      task.mode === "create" ? { rejected: left, written: 0 } : await this.#replace(task, changed);
    const settled = rows.length - rejected.length;
    // What a trigger alters differs although it was inserted, and is counted once.
    const written = Math.min(settled, inserted + replaced);
    return { written, unchanged: settled - written, rejected };
  }

  /** `differ`: among them those that are absent. */
  async #compare({ table, signal }: Task, docs: readonly Doc[]): Promise<ComparedRow> {
    if (docs.length === 0) return { present: new Map(), differ: [], unchanged: 0 };
    const ids = docs.map(({ id }) => id);
    const present = await rowsOf(this.#project, table).find(ids, signal);
    const differ = docs.filter(({ id, bytes }) => {
      const found = present.get(id.key)?.bytes;
      if (found === undefined) return true;
      return Buffer.compare(found, bytes) !== 0 && classify(table, found, bytes) !== "equivalent";
    });
    return { present, differ, unchanged: docs.length - differ.length };
  }
}

interface ComparedRow {
  readonly present: ReadonlyMap<string, Doc>;
  readonly differ: readonly Doc[];
  readonly unchanged: number;
}

/** The documents in order, in parts without two of one `_id`. */
function rounds(docs: readonly Doc[]): readonly (readonly Doc[])[] {
  const found: Doc[][] = [];
  const counts = new Map<string, number>();
  for (const doc of docs) {
    const { key } = doc.id;
    const round = counts.get(key) ?? 0;
    counts.set(key, round + 1);
    const docsOfRound = found[round] ?? [];
    docsOfRound.push(doc);
    found[round] = docsOfRound;
  }
  return found;
}

function toSend({ computed }: Task, doc: Doc, columns: readonly (readonly [string, string])[]): RowToSend {
  const sent = columns.filter(([name]) => !computed.has(name));
  const names = sent.map(([name]) => name);
  const text = `{${sent.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
  return { doc, shape: JSON.stringify(names), columns: names, texts: sent.map(([, value]) => value), text };
}

function docsOf(rows: readonly RowToSend[]): readonly Doc[] {
  return rows.map(({ doc }) => doc);
}

function rejectedOf(
  { table }: Task,
  { row, code }: { readonly row: RowToSend; readonly code: string },
): Rejected {
  const { id } = row.doc;
  const reason = refusalReason(table, code);
  if (code === ORPHAN) return { id, reason, waits: true };
  return BLOCKED.includes(code) ? { id, reason, blocked: true } : { id, reason };
}

/** Only a trigger, or a rule, can do that. */
function isSwallowed({ id }: { readonly id: DocumentId }): Rejected {
  return {
    id,
    reason: "the database did not take it, without an error: a trigger of the table keeps it out",
  };
}

function isOccupied({ id }: { readonly id: DocumentId }): Rejected {
  return { id, reason: "another row of the target now has this key", occupied: true };
}
