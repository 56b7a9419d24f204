/** Looks for values that show how a project prints numbers and days, where that costs little. */

import { faultOf } from "../../../http/fault.ts";
import type { Condition, SelectedColumn } from "../../api/condition.ts";
import type { Project } from "../../api/project.ts";
import type { Table } from "../../schema/table.ts";
import { valuesIn } from "./answer.ts";
import { exactnessOf, type KnownExactness } from "./exactness.ts";
import { showsIso } from "./text-forms.ts";
import { watchedColumns } from "./watched-columns.ts";

/** The first whole number that has more digits than are printed of a Single that is rounded. */
const LARGE = "1000001";
/** Rows that are looked at in a column of large numbers, and in one of floating-point numbers. */
const [FEW, MANY] = [20, 200];
/** Columns that are looked at for one table, or one question. */
const COLUMNS = 3;

/** Looks for a number that is printed with all of its digits, once for each table, until one is found. */
export async function searchDigits(project: Project, table: Table, signal: AbortSignal): Promise<void> {
  const exactness = exactnessOf(project);
  if (!exactness.session.is("extra_float_digits", "unknown")) return;
  await exactness.of(table).digitsSearched.once(() => search(project, exactness, table, signal));
}

async function search(
  project: Project,
  exactness: KnownExactness,
  table: Table,
  signal: AbortSignal,
): Promise<void> {
  const { session } = exactness;
  const isKnown = (): boolean => !session.is("extra_float_digits", "unknown");
  const numbers = exactness.largeNumbers.splice(0, COLUMNS);
  const [key] = table.key;
  const type = table.columns.find(({ name }) => name === key)?.type;
  if (key !== undefined && (type === "int4" || type === "int8"))
    numbers.push({ table: table.name, column: key });
  for (const { table: name, column } of numbers) {
    if (isKnown()) return;
    const where: Condition[] = [{ column, is: "gte", value: LARGE }];
    const select = { column, as: "v", cast: "float4" };
    for (const text of await texts(project, name, { select, where, limit: FEW }, signal))
      session.seeNumbers("float4", text);
  }
  // The pages come from the other end.
  for (const { field, watch } of watchedColumns(table).slice(0, COLUMNS)) {
    if (isKnown()) return;
    if (watch !== "float4" && watch !== "float8" && watch !== "shape") continue;
    const column = field.column.name;
    const query = {
      select: { column, as: "v", cast: "text" },
      where: [{ column, null: false }],
      limit: MANY,
    };
    for (const text of await texts(project, table.name, { ...query, order: table.key }, signal))
      session.seeNumbers(watch === "float4" ? "float4" : "float8", text);
  }
}

/** Looks at one day or time of any table, once: JSON writes those in ISO form always, and texts do not. */
export async function searchDates(project: Project, signal: AbortSignal): Promise<void> {
  const exactness = exactnessOf(project);
  if (!exactness.session.is("DateStyle", "unknown")) return;
  await exactness.datesSearched.once(() => askDates(project, exactness, signal));
}

async function askDates(project: Project, exactness: KnownExactness, signal: AbortSignal): Promise<void> {
  const columns = exactness.tables.flatMap(({ name: table, columns, writable }) =>
    columns
      .filter(
        ({ type }) => writable && (type === "date" || type.startsWith("timestamp")) && !type.endsWith("]"),
      )
      .map(({ name }) => ({ table, column: name })),
  );
  for (const { table, column } of columns.slice(0, COLUMNS)) {
    const select = { column, as: "v", cast: "text" };
    const [text] = await texts(
      project,
      table,
      { select, where: [{ column, null: false }], limit: 1 },
      signal,
    );
    if (text === undefined || text.endsWith("infinity")) continue;
    exactness.session.found("DateStyle", showsIso(text) ? "good" : "bad");
    return;
  }
}

interface WantedValues {
  readonly select: SelectedColumn;
  readonly where: readonly Condition[];
  readonly order?: readonly string[];
  readonly limit: number;
}

/** The texts of one column; none where the server does not give them: it may be another table's matter. */
async function texts(
  project: Project,
  table: string,
  { select, ...query }: WantedValues,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const answer = await project.rows(table, { ...query, select: [select], descending: true }, signal);
    return valuesIn(answer.text).filter((value) => value !== null);
  } catch (error) {
    if (signal.aborted || faultOf(error) === undefined) throw error;
    return [];
  }
}
