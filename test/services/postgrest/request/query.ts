import { PostgrestError } from "../answer/errors.ts";
import type { CachedTable, SchemaCache } from "../schema.ts";
import { identifier, literal } from "../sql.ts";
import { condition, type FieldSql } from "./filters.ts";
import { type Field, Parser } from "./parser.ts";

/** Parameters that are not filters. */
const RESERVED = new Set(["select", "order", "limit", "offset", "columns", "on_conflict"]);

/** The parts of a query over `relation`, as SQL. */
export interface QueryParts {
  /** The output columns. */
  readonly select: string;
  /** ` WHERE …`, or empty. */
  readonly where: string;
  /** ` ORDER BY …`, or empty. */
  readonly order: string;
}

/** What a URL asks for of a relation whose columns `relation` qualifies. `skipped` parameters are not filters. */
export function queryParts(
  parameters: URLSearchParams,
  relation: string,
  types: ReadonlyMap<string, string>,
  skipped: ReadonlySet<string> = new Set(),
): QueryParts {
  const sql = fieldSql(relation, types);
  const conditions = [...parameters]
    .filter(([key]) => !RESERVED.has(key) && !skipped.has(key))
    .map(([key, value]) => condition(key, value, sql));
  return {
    select: selectSql(parameters.get("select") ?? "*", relation, sql),
    where: conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`,
    order: orderSql(parameters.get("order"), sql),
  };
}

/** The table that a request names; throws what PostgREST says of one that its cache has not. */
export function knownTable({ schema, tables }: SchemaCache, name: string): CachedTable {
  const table = tables.get(name);
  if (table !== undefined) return table;
  const near = nearest(name, [...tables.keys()]);
  throw new PostgrestError(
    404,
    "PGRST205",
    `Could not find the table '${schema}.${name}' in the schema cache`,
    {
      hint: near === undefined ? null : `Perhaps you meant the table '${schema}.${near}'`,
    },
  );
}

export function columnTypes(table: CachedTable): ReadonlyMap<string, string> {
  return new Map(table.columns.map(({ name, type }) => [name, type]));
}

/** The name that shares most pairs of letters with `name`, if it shares three quarters of them. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const pairs = (text: string) =>
    new Set(Array.from({ length: text.length - 1 }, (_, i) => text.slice(i, i + 2).toLowerCase()));
  const wanted = pairs(name);
  const classification = (other: string) => {
    const found = pairs(other);
    const shared = [...found].filter((pair) => wanted.has(pair)).length;
    return (2 * shared) / Math.max(1, found.size + wanted.size);
  };
  const [best] = names
    .map((other) => ({ other, score: classification(other) }))
    .sort((a, b) => b.score - a.score)
    .filter(({ score }) => score >= 0.75);
  return best?.other;
}

function fieldSql(relation: string, types: ReadonlyMap<string, string>): FieldSql {
  return ({ name, path }: Field) => {
    const column = `${relation}.${identifier(name)}`;
    if (path.length === 0) return column;
    const json = /^jsonb?$/.test(types.get(name) ?? "") ? column : `to_jsonb(${column})`;
    const steps = path.map(({ arrow, key }) => arrow + (/^-?\d+$/.test(key) ? key : literal(key)));
    return `(${json}${steps.join("")})`;
  };
}

function selectSql(text: string, relation: string, sql: FieldSql): string {
  const parser = new Parser("select parameter", text);
  const items: string[] = [];
  if (parser.done) return `${relation}.*`;
  do items.push(selectItem(parser, relation, sql));
  while (parser.separator(","));
  if (!parser.peek(")")) parser.end();
  return items.join(", ");
}

/** `*`, `column`, `alias:column`, `column::type`. */
function selectItem(parser: Parser, relation: string, sql: FieldSql): string {
  if (parser.take("*")) return `${relation}.*`;
  let alias: string | undefined;
  let field = parser.field();
  if (parser.peek(":") && !parser.peek("::") && field.path.length === 0) {
    parser.take(":");
    alias = field.name;
    field = parser.field();
  }
  const type = parser.take("::") ? parser.until(",)") : undefined;
  if (parser.peek("(")) throw parser.failure("no embedding: this gateway has none");
  const value = type === undefined ? sql(field) : `CAST (${sql(field)} AS ${typeName(type, parser)})`;
  const last = field.path.at(-1)?.key;
  const output = alias ?? (last !== undefined && !/^-?\d+$/.test(last) ? last : undefined);
  return output === undefined ? value : `${value} AS ${identifier(output)}`;
}

/** The name of a type, in a form that can only be one: `text`, `character varying(3)`, `int4[]`. */
function typeName(text: string, parser: Parser): string {
  if (!/^[\p{L}_][\p{L}\p{N}_ ]*(\(\d+\))?(\[\])*$/u.test(text)) throw parser.failure("a type");
  return text;
}

function orderSql(text: string | null, sql: FieldSql): string {
  if (text === null || text === "") return "";
  const parser = new Parser("order", text);
  const terms: string[] = [];
  do {
    let term = sql(parser.field());
    if (parser.take(".asc")) term += " ASC";
    else if (parser.take(".desc")) term += " DESC";
    if (parser.take(".nullsfirst")) term += " NULLS FIRST";
    else if (parser.take(".nullslast")) term += " NULLS LAST";
    terms.push(term);
  } while (parser.separator(","));
  parser.end();
  return ` ORDER BY ${terms.join(", ")}`;
}
