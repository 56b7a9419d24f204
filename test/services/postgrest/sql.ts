import { PostgrestError } from "./answer/errors.ts";

export function identifier(name: string): string {
  return `"${untilNul(name).replaceAll('"', '""')}"`;
}

/** A literal of no type yet: Postgres reads it as what stands on the other side. */
export function literal(text: string): string {
  return `'${withoutNul(text).replaceAll("'", "''")}'`;
}

/** The text of an array of Postgres with these elements. */
export function arrayText(elements: readonly string[]): string {
  return `{${elements.map((element) => `"${untilNul(element).replace(/["\\]/g, "\\$&")}"`).join(",")}}`;
}

/** Where it builds SQL itself, PostgREST cuts a text at U+0000, which Postgres has not. */
function untilNul(text: string): string {
  return text.replace(/\0.*$/s, "");
}

function withoutNul(text: string): string {
  if (!text.includes("\0")) return text;
  throw new PostgrestError(400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00');
}
