import type { Cautions } from "../../powers/cautions.ts";
import type { Project } from "../api/project.ts";
import { rowOf } from "../mapping/to-row/row.ts";
import type { Tables } from "../reading/tables.ts";
import type { Table } from "../schema/table.ts";
import { hasControlTable } from "./control-table.ts";
import { mayHaveSequence } from "./sequences.ts";

/** Columns that are named in one sentence. */
const MOST_NAMED = 10;

export function cautionsOf(project: Project, tables: Tables): Cautions {
  return {
    async unprepared(signal) {
      if (await hasControlTable(project, signal)) return undefined;
      return "The target has no control table yet, and nothing is written to it before that is there: run dualsync sql, and what it prints in the project's SQL editor.";
    },
    async before(collections, signal) {
      const written: Table[] = [];
      for (const name of collections) {
        const table = await tables.lookUp(name, signal);
        if (table !== undefined) written.push(table);
      }
      return [...triggers(written), ...sequences(written), ...identities(written), ...unseen(written)];
    },
    irreplaceableDocument(collection, { bytes }) {
      const row = rowOf(tables.known(collection), bytes);
      if ("reason" in row) return row.reason;
      const [column] = row.jsonNulls;
      return column && `its column ${column} holds JSON's null, which the API would write as SQL's NULL`;
    },
    irreplaceable(collection) {
      const column = tables.known(collection).columns.find(({ identity }) => identity === "always");
      return (
        column && `only the database fills its column ${column.name}, so that a row could not be put back`
      );
    },
  };
}

function triggers(tables: readonly Table[]): string[] {
  return tables.flatMap(({ name, triggers: found = [] }) => {
    if (found.length === 0) return [];
    const what = found.length === 1 ? "the trigger" : `${found.length} triggers:`;
    return [
      `${name} has ${what} ${named(found)}. Triggers run when rows are written or deleted; what they do elsewhere is not undone.`,
    ];
  });
}

function sequences(tables: readonly Table[]): string[] {
  const moved = tables.flatMap((table) =>
    table.columns
      .filter((column) => mayHaveSequence(table, column))
      .map((column) => `${table.name}.${column.name}`),
  );
  if (moved.length === 0) return [];
  return [
    `Sequences are moved past the values that are written, and stay there after undo; columns that may have one: ${named(moved)}.`,
  ];
}

function identities(tables: readonly Table[]): string[] {
  const kept = tables.flatMap(({ name, columns }) =>
    columns.filter(({ identity }) => identity === "always").map((column) => `${name}.${column.name}`),
  );
  if (kept.length === 0) return [];
  return [
    `Only the database fills these columns (generated always as identity), so rows that are written anew get other values there: ${named(kept)}.`,
  ];
}

/** Said once, however many tables it is true of. */
function unseen(tables: readonly Table[]): string[] {
  if (tables.every((table) => table.triggers !== undefined)) return [];
  return [
    "Triggers that run when rows are written are not known, because the project does not show them: run dualsync sql, and what it prints in the SQL editor.",
  ];
}

function named(names: readonly string[]): string {
  const some = names.slice(0, MOST_NAMED).join(", ");
  return names.length > MOST_NAMED ? `${some} and ${names.length - MOST_NAMED} more` : some;
}
