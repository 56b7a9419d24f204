import type { Table } from "../../schema/table.ts";
import { type Denotation, denotationOf } from "../equivalence/denotation.ts";
import { type Field, layoutOf } from "../layout.ts";
import { Misfit } from "../misfit.ts";
import { jsonToSend } from "./decode.ts";

export interface Row {
  /**
   * Names and JSON texts, in the table's order, for a body that PostgREST hands to `json_to_recordset`. A column that must not be
   * null and that the document lacks is left out, for the database to give its default; one that may be null is null.
   * Columns that the database computes are among them: whoever writes leaves them out.
   */
  readonly columns: readonly (readonly [string, string])[];
  /** Fields that no column has. */
  readonly extra: readonly string[];
  /** Columns whose value is JSON's null: in such a body null is SQL's, so that it cannot be sent. */
  readonly jsonNulls: readonly string[];
}

/** `reason` names the column and its type, and holds no value. */
export type RowOrReason = Row | { readonly reason: string };

/**
 * The row that a document stands for, ours or one that an application wrote, with every value exact; a reason when it is none.
 * Blanks around a json's text are lost on the way, for Postgres drops them. Throws RangeError on bytes that are not BSON.
 */
export function rowOf(table: Table, bytes: Uint8Array): RowOrReason {
  try {
    return row(table, denotationOf(table, bytes));
  } catch (error) {
    if (error instanceof Misfit) return { reason: error.what };
    throw error;
  }
}

function row(table: Table, { values, extra }: Denotation): RowOrReason {
  const columns: [string, string][] = [];
  const jsonNulls: string[] = [];
  for (const [place, field] of layoutOf(table).fields.entries()) {
    const { name, type, nullable } = field.column;
    const denoted = values[place];
    if (denoted === undefined && !nullable) continue;
    const text = denoted?.text ?? null;
    if (text === null && !nullable) return { reason: `column ${name} (${type}): null, which is not allowed` };
    if (text === "null" && isJson(field)) jsonNulls.push(name);
    if (text !== null && isJson(field) && holdsUnsendable(text))
      return {
        reason: `column ${name} (${type}): JSON with U+0000 or an unpaired surrogate, which cannot be sent`,
      };
    columns.push([name, text === null ? "null" : jsonToSend(field, text)]);
  }
  return { columns, extra, jsonNulls };
}

function isJson({ type: { kind, isArray } }: Field): boolean {
  return !isArray && (kind === "json" || kind === "jsonb");
}

/** A json column may hold these escapes; but Postgres refuses them in a body that it takes apart. */
function holdsUnsendable(text: string): boolean {
  if (!/\\u(?:0000|d[89a-f])/i.test(text)) return false;
  // Behind an even number of backslashes it is no escape, and two halves together are a character.
  return (text.match(/"(?:[^"\\]|\\.)*"/gs) ?? []).some((string) => {
    const content = JSON.parse(string) as string;
    return content.includes("\0") || /\p{Surrogate}/u.test(content);
  });
}
