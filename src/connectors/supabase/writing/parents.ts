/** Rows and the rows that they refer to, by foreign keys of one column. */

import { JsonNumber, readJson } from "../../../json/json-reader.ts";
import { inReferenceOrder } from "../../reference-order.ts";
import { refusalCode } from "../api/fault.ts";
import type { Project } from "../api/project.ts";
import type { Reference, Table } from "../schema/table.ts";
import type { RowToSend } from "./row-to-send.ts";

/** Types whose values have one text only, so that texts can be compared. */
const PLAIN: ReadonlySet<string> = new Set(["int2", "int4", "int8", "uuid", "text", "varchar"]);
/** Keys that are asked for at once, and characters of an address that hold them. */
const KEYS = 100;
const ADDRESS = 5_000;

/** The same rows, those that others of them refer to first. */
export function parentsFirst(table: Table, rows: readonly RowToSend[]): readonly RowToSend[] {
  const own = table.references.filter((reference) => reference.table === table.name);
  const [{ to } = { to: "" }] = own;
  if (own.length === 0 || own.some((reference) => reference.to !== to)) return rows;
  const named = rows.map((row) => ({
    row,
    name: textOf(row, to) ?? "",
    after: own.map(({ column }) => textOf(row, column)).filter((text) => text !== undefined),
  }));
  return inReferenceOrder(named).order.map(({ row }) => row);
}

/** Those of the rows that certainly refer to a row of another table that is not there. */
export async function withoutParents(
  project: Project,
  table: Table,
  rows: readonly RowToSend[],
  signal: AbortSignal,
): Promise<ReadonlySet<RowToSend>> {
  const found = new Set<RowToSend>();
  for (const reference of table.references) {
    const type = table.columns.find(({ name }) => name === reference.column)?.type ?? "";
    if (reference.table === table.name || !PLAIN.has(type)) continue;
    const texts = new Set(
      rows.map((row) => textOf(row, reference.column)).filter((text) => text !== undefined),
    );
    const there = await parents(project, reference, [...texts], signal);
    if (there === undefined) continue;
    for (const row of rows) {
      const text = textOf(row, reference.column);
      if (text !== undefined && !there.has(text)) found.add(row);
    }
  }
  return found;
}

/** Undefined where the key may not read the table. */
async function parents(
  project: Project,
  { table, to }: Reference,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const there = new Set<string>();
  for (const chunk of chunks(texts)) {
    try {
      // A server that gives fewer rows than it is asked for is asked for the others.
      for (let open = chunk; open.length > 0; ) {
        const query = { select: [{ column: to }], where: [{ column: to, in: open }], limit: open.length };
        const { text } = await project.rows(table, query, signal);
        const page = readJson(text, 10);
        const values = Array.isArray(page)
          ? page.map((row) => (row instanceof Map ? row.get(to) : null))
          : [];
        const known = values.flatMap((value) =>
          value instanceof JsonNumber ? [value.text] : typeof value === "string" ? [value] : [],
        );
        for (const value of known) there.add(value);
        const rest = open.filter((value) => !there.has(value));
        if (rest.length === open.length) break;
        open = rest;
      }
    } catch (error) {
      if (refusalCode(error) === "42501") return undefined;
      throw error;
    }
  }
  return there;
}

function* chunks(texts: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < texts.length; ) {
    let to = from;
    let length = 0;
    while (to < texts.length && to - from < KEYS && (to === from || length < ADDRESS))
      length += encodeURIComponent(texts[to++] ?? "").length + 9;
    yield texts.slice(from, to);
    from = to;
  }
}

/** A column's value as conditions have it; undefined for null. */
function textOf(row: RowToSend, column: string): string | undefined {
  const text = row.texts[row.columns.indexOf(column)];
  if (text === undefined || text === "null") return undefined;
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}
