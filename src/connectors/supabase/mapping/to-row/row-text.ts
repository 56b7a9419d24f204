/** The text of a row, as PostgREST sends it: what rows are hashed by. */

import { withoutEndZeros } from "../../../../json/decimal-text.ts";
import { quoted } from "../../../../json/quoted.ts";
import type { Table } from "../../schema/table.ts";
import { denotationOf } from "../equivalence/denotation.ts";
import { type Field, layoutOf } from "../layout.ts";
import { Misfit } from "../misfit.ts";
import { jsonToSend } from "./decode.ts";

/**
 * The row that a document stands for, in the very text that an answer to a request for its columns, one by one, has for it;
 * undefined for a document that stands for none. Where that is not certain (a time that an application wrote in
 * another form) it is a text that no answer has.
 */
export function rowText(table: Table, document: Uint8Array): string | undefined {
  try {
    const { values } = denotationOf(table, document);
    let text = "{";
    for (const [place, field] of layoutOf(table).fields.entries()) {
      const denoted = values[place];
      if (denoted === undefined && !field.column.nullable) return undefined;
      text += `${place === 0 ? "" : ","}${field.head}${valueText(field, denoted?.text ?? null)}`;
    }
    return `${text}}`;
  } catch (error) {
    if (error instanceof Misfit || error instanceof RangeError) return undefined;
    throw error;
  }
}

function valueText(field: Field, text: string | null): string {
  if (text === null) return "null";
  const { kind } = field.type;
  if (kind === "json" || kind === "jsonb") return quoted(text);
  const json = jsonToSend(field, text);
  return kind === "float4" || kind === "float8" ? json.replace(NUMBERS, (one) => floatText(kind, one)) : json;
}

/** Every number of a float's JSON, or of an array of them; the infinities and NaN stand in quotes. */
const NUMBERS = /-?\d[\d.]*(?:[eE][+-]?\d+)?/g;

/** From which power of ten on Postgres writes an exponent; it does below -4, too. */
const EXPONENT_FROM = { float4: 6, float8: 15 } as const;

/** A number as JavaScript writes it in the form that Postgres has for it: the same digits. */
export function floatText(kind: "float4" | "float8", text: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (parts === null) return text;
  const [, sign = "", whole = "", fraction = "", power = "0"] = parts;
  const all = whole + fraction;
  const digits = withoutEndZeros(all.replace(/^0+/, ""));
  if (digits === "") return `${sign}0`;
  const exponent = Number(power) + whole.length - 1 - (all.length - all.replace(/^0+/, "").length);
  if (exponent < -4 || exponent >= EXPONENT_FROM[kind]) {
    const shown = String(Math.abs(exponent)).padStart(2, "0");
    const point = digits.length > 1 ? `.${digits.slice(1)}` : "";
    return `${sign}${digits[0]}${point}e${exponent < 0 ? "-" : "+"}${shown}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const integer = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  const rest = digits.slice(exponent + 1);
  return `${sign}${integer}${rest === "" ? "" : `.${rest}`}`;
}
