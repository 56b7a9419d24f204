import type { Condition } from "../../api/condition.ts";
import { isOfRows, isTooMuch, refusalCode } from "../../api/fault.ts";
import type { Project } from "../../api/project.ts";
import type { Field } from "../../mapping/layout.ts";
import type { Table } from "../../schema/table.ts";
import { rowsIn, valuesIn } from "./answer.ts";
import { castOf } from "./watched-columns.ts";

/** `other`: some text is not that of its value. `too-much`: fewer rows can be asked about. `unknown`: it is not known. */
export type Sameness = "same" | "other" | "too-much" | "unknown";

/** Rows that are looked at in each round. */
const ROWS = 100;
/** Rows come and change while they are read; not so often in a row. */
const ROUNDS = 20;

export interface ValueQuestion {
  readonly project: Project;
  readonly table: Table;
  readonly field: Field;
  /** Which rows. */
  readonly where: readonly Condition[];
  /** All texts that these rows gave for the column. */
  readonly texts: ReadonlySet<string>;
  /** Rows in the order of the key may lie beyond those that are meant: a round is enough. */
  readonly isOpen?: boolean;
}

/**
 * Whether the values of a column are what their texts say, by the server's own comparison: no row may have a value that none of
 * the texts stands for. One that has, and prints one of these very texts all the same, is proof of the contrary; one that
 * prints another text was changed meanwhile, and is asked about again.
 */
export async function sameValues(question: ValueQuestion, signal: AbortSignal): Promise<Sameness> {
  const { texts, isOpen = false } = question;
  if (texts.size === 0 && question.field.type.kind !== "other") return "same";
  const asked = new Set(texts);
  for (let round = 0; round < ROUNDS; round++) {
    let printed: readonly (string | null)[];
    try {
      printed = await others(question, asked, signal);
    } catch (error) {
      if (isTooMuch(error)) return "too-much";
      // A text that the type does not take back, as of a number that was rounded beyond the largest.
      if (isOfRows(error)) return "other";
      if (refusalCode(error) !== undefined) return "unknown";
      throw error;
    }
    if (printed.some((text) => text === null || asked.has(text))) return "other";
    if (printed.length === 0 || isOpen) return "same";
    for (const text of printed) if (text !== null) asked.add(text);
  }
  return "unknown";
}

/**
 * Whether rows print the same by the type's own output, which is what a cast to `bpchar` makes of a value: the one to `text` may be
 * somebody's own. For values that cannot be compared with texts, and dear: it reads them twice.
 */
export async function sameOutput(
  { project, table, field, where }: Omit<ValueQuestion, "texts">,
  limit: number,
  signal: AbortSignal,
): Promise<Exclude<Sameness, "too-much">> {
  const { name: column } = field.column;
  const select = ["text", "bpchar"].map((cast) => ({ column, as: cast, cast }));
  try {
    const { text } = await project.rows(table.name, { select, where, order: table.key, limit }, signal);
    const isSame = rowsIn(text).every((row) => row.get("text") === row.get("bpchar"));
    return isSame ? "same" : "other";
  } catch (error) {
    if (signal.aborted || !(isTooMuch(error) || refusalCode(error) !== undefined)) throw error;
    return "unknown";
  }
}

/** What rows print that have a value, and none of these. */
async function others(
  { project, table, field, where }: ValueQuestion,
  texts: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly (string | null)[]> {
  const column = field.column.name;
  const query = {
    select: [{ column, as: "v", ...castOf(field) }],
    where: [...where, ...noneOf(field, [...texts])],
    order: table.key,
    limit: ROWS,
  };
  const { text } = await project.rows(table.name, query, signal);
  return valuesIn(text);
}

/** A list of arrays is an array of more dimensions to Postgres, and one of a single empty text is empty to PostgREST. */
function noneOf({ type, column: { name: column } }: Field, texts: readonly string[]): readonly Condition[] {
  if (texts.length === 0) return [{ column, null: false }];
  const isEmpty = texts.length === 1 && texts[0] === "";
  if (!type.isArray && !isEmpty) return [{ column, notIn: texts }];
  return [{ all: texts.map((value) => ({ column, is: "neq" as const, value })) }];
}
