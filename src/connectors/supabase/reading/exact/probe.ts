import type { Batch, DocumentId } from "../../../../model/document.ts";
import type { Condition } from "../../api/condition.ts";
import { isTooMuch, refusalCode } from "../../api/fault.ts";
import type { Project } from "../../api/project.ts";
import { documentsOf } from "../../mapping/documents.ts";
import { keyTexts } from "../../mapping/key.ts";
import { layoutOf, selectOf } from "../../mapping/layout.ts";
import { onlyKey, type Table } from "../../schema/table.ts";
import { oneOf } from "../key-range.ts";
import { exactnessOf } from "./exactness.ts";
import { type Texts, textsOf } from "./page-values.ts";
import { sameValues } from "./same-values.ts";
import { seeTexts } from "./see-texts.ts";
import { type WatchedColumn, watchedColumns } from "./watched-columns.ts";

/** Characters of an address that hold the conditions. */
const ADDRESS = 5_000;
/** Whole numbers from here on have more digits than are printed of a Single that is rounded. */
const LARGE = 1_000_001;

/** Columns of large numbers that are remembered. */
const MOST_LARGE = 3;

interface ProbeRow {
  readonly id: DocumentId;
  readonly keys: readonly string[];
  /** In the order of the columns that are tried. */
  readonly texts: Texts;
}

/**
 * Tries, on a few rows, whether the project takes the very texts that it gave for the same values. A row that does not come back
 * when it is asked for by them shows a column that is rewritten on its way: by a setting, or by somebody's own cast.
 */
export async function probe(
  project: Project,
  table: Table,
  page: Buffer,
  sample: Batch,
  signal: AbortSignal,
): Promise<void> {
  const exactness = exactnessOf(project);
  const { session } = exactness;
  noteLargeNumbers(project, table, page);
  const columns = watchedColumns(table);
  if (columns.length === 0 || sample.length === 0) return;
  const texts = textsOf(table, page, columns);
  for (const [at, column] of columns.entries()) seeTexts(exactness, table, column, texts[at] as Texts);
  const isSettled = session.is("extra_float_digits", "good") || session.isToldToRound;
  const tried = columns.flatMap((column, at) => {
    const isTried = column.watch.startsWith("float") ? !isSettled : column.watch !== "shape";
    return isTried && !column.isOfKey ? [{ column, texts: texts[at] as Texts }] : [];
  });
  const rows = Array.from({ length: sample.length }, (_, at): ProbeRow => {
    const id = sample.idOf(at);
    return { id, keys: keyTexts(table, id) ?? [], texts: tried.map((one) => one.texts[at] ?? null) };
  });
  const trial = { project, table, columns: tried.map(({ column }) => column), signal };
  if (tried.length > 0) await tryRows(trial, fitting(trial, rows));
}

interface ProbeTrial {
  readonly project: Project;
  readonly table: Table;
  readonly columns: readonly WatchedColumn[];
  readonly signal: AbortSignal;
}

/** The rows whose conditions fit into one address. */
function fitting({ table, columns }: ProbeTrial, rows: readonly ProbeRow[]): readonly ProbeRow[] {
  const names = [...table.key, ...columns.map(({ field }) => field.column.name)];
  let left = ADDRESS;
  return rows.filter(({ keys, texts }) => {
    if ([...keys, ...texts].some((text) => text !== null && text.length > ADDRESS)) return false;
    const room = [...keys, ...texts, ...names].reduce(
      (sum, text) => sum + encodeURIComponent(text ?? "null").length + 12,
      0,
    );
    if (room > left) return false;
    left -= room;
    return true;
  });
}

async function tryRows(trial: ProbeTrial, rows: readonly ProbeRow[]): Promise<void> {
  const { project, table, columns, signal } = trial;
  if (rows.length === 0) return;
  const back = await comingBack(trial, rows);
  if (back === undefined) {
    // One of them cannot be compared, or not with what it gave: each is tried for itself.
    for (const [at, column] of columns.entries()) {
      const own = rows.map((row) => ({ ...row, texts: [row.texts[at] ?? null] }));
      if (columns.length > 1) await tryRows({ ...trial, columns: [column] }, own);
      else await compareColumn(trial, column, own);
    }
    return;
  }
  const lost = rows.filter(({ id }) => !back.has(id.key));
  if (lost.length === 0) return;
  for (const [at, column] of columns.entries()) {
    const own = lost.map((row) => ({ ...row, texts: [row.texts[at] ?? null] }));
    await compareColumn({ project, table, columns: [column], signal }, column, own);
  }
}

/** The keys of those rows that are found by all of their texts; undefined where the project refuses to look for them. */
async function comingBack(
  { project, table, columns, signal }: ProbeTrial,
  rows: readonly ProbeRow[],
): Promise<ReadonlySet<string> | undefined> {
  const names = [...table.key, ...columns.map(({ field }) => field.column.name)];
  const conditionOf = ({ keys, texts }: ProbeRow): Condition => ({
    all: [...keys, ...texts].map((text, at): Condition => {
      const column = names[at] as string;
      return text === null ? { column, null: true } : { column, is: "eq", value: text };
    }),
  });
  const narrow = onlyKey(table);
  const query = { select: selectOf(narrow), where: [{ any: rows.map(conditionOf) }], limit: rows.length };
  try {
    const { bytes } = await project.rows(table.name, query, signal);
    return new Set(
      documentsOf(narrow, bytes)
        .docs()
        .map(({ id }) => id.key),
    );
  } catch (error) {
    if (signal.aborted || !(isTooMuch(error) || refusalCode(error) !== undefined)) throw error;
    return undefined;
  }
}

/** A row may have been changed, or be gone: only what the server says of its value and its text at once is believed. */
async function compareColumn(
  { project, table, signal }: ProbeTrial,
  { field, watch }: WatchedColumn,
  rows: readonly ProbeRow[],
): Promise<void> {
  const texts = new Set(rows.flatMap((row) => row.texts).filter((text) => text !== null));
  if (texts.size === 0) return;
  const where = [
    oneOf(
      table.key,
      rows.map(({ keys }) => keys),
    ),
  ];
  const found = await sameValues({ project, table, field, where, texts }, signal);
  if (found !== "other") return;
  const exactness = exactnessOf(project);
  if (watch.startsWith("float")) exactness.nameRounded(table, field.column.name);
  else exactness.nameRewritten(table, field.column.name);
}

/** Columns of whole numbers that show how many digits are printed, once they are asked for as Singles. */
function noteLargeNumbers(project: Project, table: Table, page: Buffer): void {
  const { session, largeNumbers } = exactnessOf(project);
  if (!session.is("extra_float_digits", "unknown") || largeNumbers.length >= MOST_LARGE) return;
  const { fields } = layoutOf(table);
  const columns = fields.flatMap(({ type: { kind, isArray }, column }, place) =>
    !isArray && (kind === "int4" || kind === "int8") ? [{ place, name: column.name }] : [],
  );
  if (columns.length === 0) return;
  const texts = textsOf(table, page, columns);
  for (const [at, { name }] of columns.entries())
    if (texts[at]?.some((text) => Number(text) >= LARGE) === true)
      largeNumbers.push({ table: table.name, column: name });
}
