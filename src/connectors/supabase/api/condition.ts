/** Conditions on rows, and names of columns, as PostgREST reads them in an address. */

/** Values are the server's own texts, never numbers or dates of this program: those would be rounded. */
export type Condition =
  | {
      readonly column: string;
      readonly is: "eq" | "neq" | "gt" | "gte" | "lt" | "lte";
      readonly value: string;
    }
  | { readonly column: string; readonly in: readonly string[] }
  /** Neither null nor one of these. */
  | { readonly column: string; readonly notIn: readonly string[] }
  | { readonly column: string; readonly null: boolean }
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] };

/** `*`: every column, under its own name. */
export type SelectedColumn =
  | "*"
  | {
      readonly column: string;
      /** The column's value as this type: `text` gives the exact text of what JSON would blur. */
      readonly cast?: string;
      /** Name in the answer; the column's own without it. */
      readonly as?: string;
    };

/** Parameters of an address: a column of that name must be quoted not to be taken for one. */
const PARAMETERS = new Set([
  "select",
  "order",
  "limit",
  "offset",
  "columns",
  "on_conflict",
  "and",
  "or",
  "not",
]);

/** A column's name where addresses hold one. */
export function columnText(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !PARAMETERS.has(name) ? name : quoted(name);
}

export function selectText(select: readonly SelectedColumn[]): string {
  return select
    .map((selected) => {
      if (selected === "*") return selected;
      const { column, cast, as } = selected;
      const alias = as === undefined ? "" : `${columnText(as)}:`;
      return `${alias}${columnText(column)}${cast === undefined ? "" : `::${cast}`}`;
    })
    .join(",");
}

/** One condition as name and value of a parameter; several parameters are all to hold. */
export function parameterOf(condition: Condition): readonly [name: string, value: string] {
  if ("all" in condition) return ["and", group(condition.all)];
  if ("any" in condition) return ["or", group(condition.any)];
  const name = columnText(condition.column);
  // Outside of a group a single value goes to its end as it is: quotes would belong to it.
  if ("is" in condition) return [name, `${condition.is}.${proper(condition.value)}`];
  return [name, operation(condition)];
}

function group(conditions: readonly Condition[]): string {
  // An empty group is an error to PostgREST, and what it should mean is not the same for `all` and `any`.
  if (conditions.length === 0) throw new Error("a group of no conditions");
  return `(${conditions.map(inGroup).join(",")})`;
}

function inGroup(condition: Condition): string {
  if ("all" in condition) return `and${group(condition.all)}`;
  if ("any" in condition) return `or${group(condition.any)}`;
  return `${columnText(condition.column)}.${operation(condition)}`;
}

function operation(condition: Exclude<Condition, { all: unknown } | { any: unknown }>): string {
  if ("is" in condition) return `${condition.is}.${quoted(condition.value)}`;
  if ("null" in condition) return condition.null ? "is.null" : "not.is.null";
  if ("notIn" in condition) return `not.in.(${condition.notIn.map(quoted).join(",")})`;
  return `in.(${condition.in.map(quoted).join(",")})`;
}

function quoted(text: string): string {
  return `"${proper(text).replace(/["\\]/g, "\\$&")}"`;
}

/** Half a surrogate pair would be sent as a replacement character, and match another row. */
function proper(text: string): string {
  if (/\p{Surrogate}/u.test(text))
    throw new Error("a text with an unpaired surrogate cannot be used in a URL");
  return text;
}

/** Gateways refuse addresses from about 8000 characters on; this leaves room for the rest of one. */
const ROOM = 5000;

/** Splits values into lists, in their order, each of which fits an address as `{ column, in }`. */
export function listsThatFit(values: readonly string[], room: number = ROOM): readonly (readonly string[])[] {
  const lists: string[][] = [];
  let left = 0;
  for (const value of values) {
    const size = new URLSearchParams([["", `${quoted(value)},`]]).toString().length;
    if (lists.length === 0 || size > left) {
      lists.push([]);
      left = room;
    }
    lists.at(-1)?.push(value);
    left -= size;
  }
  return lists;
}
