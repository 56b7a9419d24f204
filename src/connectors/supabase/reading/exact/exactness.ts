/** What of a project's tables is not read exactly, as far as reading has shown: one of these for each opened store. */

import type { NotReproduced } from "../../../write-outcome.ts";
import type { Project } from "../../api/project.ts";
import type { Table } from "../../schema/table.ts";
import { CAST, formReason, insideReason, REWRITTEN, ROUNDED, UNPROVED } from "./reasons.ts";
import { Session, type SessionSettings } from "./session.ts";
import { watchedColumns } from "./watched-columns.ts";

/** A column with whole numbers so large that, as a floating-point number, one shows how many digits are printed. */
export interface LargeNumbers {
  readonly table: string;
  readonly column: string;
}

/** Work that is done once, whoever asks for it: what one asker did not finish the next one starts over. */
class Once {
  #work: Promise<void> | undefined;

  async once(work: () => Promise<void>): Promise<void> {
    while (this.#work !== undefined) {
      const before = this.#work;
      try {
        return await before;
      } catch {
        if (this.#work === before) this.#work = undefined;
      }
    }
    this.#work = work();
    await this.#work;
  }
}

/** What is known of the columns of one table. */
class TableState {
  /** By the column; of the table as a whole under "". */
  readonly named = new Map<string, string>();
  /** Columns of numbers that nothing vouches for so far. */
  readonly unproved = new Set<string>();
  /** Columns whose coordinates were seen. */
  readonly shapes = new Set<string>();
  /** Of types that are not built in: whether their texts are made of texts of other types. */
  readonly isMadeOfOthers = new Map<string, boolean>();
  /** Columns that the server cannot compare with their texts, as composites. */
  readonly incomparable = new Set<string>();
  /** Columns with texts too long to be read once more for the sake of a cast that may be there. */
  readonly long = new Set<string>();
  readonly digitsSearched = new Once();
}

export class KnownExactness {
  readonly session = new Session();
  readonly largeNumbers: LargeNumbers[] = [];
  /** The project's tables, as they were listed last. */
  tables: readonly Table[] = [];
  readonly datesSearched = new Once();
  readonly #states = new Map<string, TableState>();

  /** Takes over what the project says of its tables and, where it does, of its settings. */
  know(tables: readonly Table[], settings: SessionSettings | undefined): void {
    this.tables = tables;
    if (settings !== undefined) this.session.learn(settings);
  }

  of(table: Table): TableState {
    let state = this.#states.get(table.name);
    if (state === undefined) {
      state = new TableState();
      this.#states.set(table.name, state);
    }
    return state;
  }

  name(table: Table, column: string, reason: string): void {
    const { named } = this.of(table);
    if (!named.has(column)) named.set(column, reason);
  }

  nameRounded(table: Table, column: string): void {
    this.session.found("extra_float_digits", "bad");
    this.name(table, column, ROUNDED);
  }

  nameForm(table: Table, column: string, setting: "DateStyle" | "IntervalStyle" | "lc_monetary"): void {
    this.session.found(setting, "bad");
    this.name(table, column, formReason(setting));
  }

  nameCast(table: Table, column: string): void {
    this.name(table, column, CAST);
  }

  nameRewritten(table: Table, column: string): void {
    this.name(table, column, REWRITTEN);
  }

  /** All that was found out about a table, by its name; its columns in their order. */
  inexact(name: string): readonly NotReproduced[] {
    const found = new Map<string, string>();
    const add = (column: string, reason: string): void => {
      if (!found.has(column)) found.set(column, reason);
    };
    const { session } = this;
    const table = this.tables.find((one) => one.name === name);
    if (session.isToldToRound && table !== undefined) {
      for (const { field, watch } of watchedColumns(table))
        if (watch === "float4" || watch === "float8" || watch === "shape") add(field.column.name, ROUNDED);
    }
    const state = this.#states.get(name);
    for (const [column, reason] of state?.named ?? []) add(column, reason);
    if (session.is("extra_float_digits", "bad"))
      for (const column of state?.shapes ?? []) add(column, ROUNDED);
    if (!session.is("extra_float_digits", "good"))
      for (const column of state?.unproved ?? []) add(column, UNPROVED);
    const { unusual } = session;
    if (unusual.length > 0)
      for (const [column, is] of state?.isMadeOfOthers ?? []) if (is) add(column, insideReason(unusual));
    const place = (column: string): number => table?.columns.findIndex((one) => one.name === column) ?? 0;
    const inOrder = [...found].sort(([a], [b]) => place(a) - place(b));
    return inOrder.map(([column, reason]) => ({
      key: column === "" ? `collection ${name}` : columnKey(name, column),
      reason,
    }));
  }
}

/** The stable key of a column that is not read exactly. */
export function columnKey(table: string, column: string): string {
  return `column ${table}.${column}`;
}

const exactnesses = new WeakMap<Project, KnownExactness>();

export function exactnessOf(project: Project): KnownExactness {
  let exactness = exactnesses.get(project);
  if (exactness === undefined) {
    exactness = new KnownExactness();
    exactnesses.set(project, exactness);
  }
  return exactness;
}
