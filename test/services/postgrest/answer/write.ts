import type { Answer } from "../../http/delivery.ts";
import { Parser } from "../request/parser.ts";
import { listedNames, payloadColumns, payloadSql } from "../request/payload.ts";
import { applied, type Preferences } from "../request/preferences.ts";
import { columnTypes, knownTable, queryParts } from "../request/query.ts";
import { contentRange } from "../request/range.ts";
import { type Exchange, SINGULAR } from "../request/request.ts";
import type { CachedColumn, CachedTable } from "../schema.ts";
import type { Row } from "../session.ts";
import { identifier } from "../sql.ts";
import { PostgrestError } from "./errors.ts";
import { contentType, notSingular, pageBody } from "./read.ts";

/** How many rows an upsert has added: a setting of the transaction that counts up for each row, and down for each conflict. */
const ADDED = "coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0)";

/** POST of a table: adds rows, or also replaces those with the same key. */
export async function insertRows(exchange: Exchange, name: string): Promise<Answer> {
  const { schema, parameters, preferences } = exchange;
  const table = knownTable(schema, name);
  const relation = `${identifier(schema.schema)}.${identifier(name)}`;
  const columns = payloadColumns(exchange, table);
  const listed = parameters.get("on_conflict");
  const target = listed === null ? table.key : listedNames(new Parser("on_conflict parameter", listed));
  const resolution = target.length === 0 ? undefined : preferences.resolution;
  const merging = resolution === "merge-duplicates";
  const names = columns.map((column) => identifier(column.name));
  const into = names.length === 0 ? "" : `(${names.join(", ")})`;
  const counted = merging ? ` WHERE set_config('pgrst.inserted', (${ADDED} + 1)::text, true) <> '0'` : "";
  const values = names.map((column) => `body.${column}`).join(", ");
  const { select } = queryParts(parameters, relation, columnTypes(table), new Set(parameters.keys()));
  const statement =
    `INSERT INTO ${relation}${into} SELECT ${values} FROM ${payloadSql(exchange, columns)}${counted}` +
    conflictSql(resolution, target, names);
  const row = await write(exchange, statement, select, merging ? ADDED : "NULL");
  const count = preferences.count === undefined ? undefined : Number(row.page_total);
  const nothingAdded = merging && Number(row.added) === 0;
  return {
    ...result(exchange, row, nothingAdded ? 200 : 201),
    headers: {
      "Content-Range": contentRange(0, 0, count),
      ...applied(resolution === undefined ? without(preferences, "resolution") : preferences, [
        ...(["resolution", "missing", "return", "count", "handling", "timezone"] as const),
      ]),
      ...bodyHeaders(exchange),
    },
  };
}

/** DELETE of the rows of a table that the filters let through. */
export async function deleteRows(exchange: Exchange, name: string): Promise<Answer> {
  const { relation, select, where } = filtered(exchange, name, "DELETE");
  const row = await write(exchange, `DELETE FROM ${relation}${where}`, select);
  const { count } = exchange.preferences;
  const total = count === undefined ? undefined : Number(row.page_total);
  return {
    ...result(exchange, row, 204),
    headers: { "Content-Range": contentRange(0, 0, total), ...changeHeaders(exchange, []) },
  };
}

/** PATCH of the rows of a table that the filters let through, with the one object of the body. */
export async function updateRows(exchange: Exchange, name: string): Promise<Answer> {
  const { table, relation, select, where } = filtered(exchange, name, "UPDATE");
  const columns = payloadColumns(exchange, table);
  const row = columns.length === 0 ? NOTHING : await update(exchange, columns, { relation, select, where });
  const rows = Number(row.page_total);
  const total = exchange.preferences.count === undefined ? undefined : rows;
  return {
    ...result(exchange, row, 204),
    headers: { "Content-Range": contentRange(0, rows, total), ...changeHeaders(exchange, ["missing"]) },
  };
}

const NOTHING: Row = { page_total: "0", body: "[]", added: null };

interface Filtered {
  readonly relation: string;
  readonly select: string;
  readonly where: string;
}

function filtered(
  exchange: Exchange,
  name: string,
  verb: string,
): Filtered & { readonly table: CachedTable } {
  const { schema, parameters, safeUpdate } = exchange;
  const table = knownTable(schema, name);
  const relation = `${identifier(schema.schema)}.${identifier(name)}`;
  const { select, where } = queryParts(parameters, relation, columnTypes(table));
  if (safeUpdate && where === "") throw new PostgrestError(400, "21000", `${verb} requires a WHERE clause`);
  return { table, relation, select, where };
}

function update(exchange: Exchange, columns: readonly CachedColumn[], { relation, select, where }: Filtered) {
  const sets = columns.map(({ name }) => `${identifier(name)} = new_values.${identifier(name)}`);
  const values = `(SELECT body.* FROM ${payloadSql(exchange, columns, true)}) AS new_values`;
  return write(exchange, `UPDATE ${relation} SET ${sets.join(", ")} FROM ${values}${where}`, select);
}

/** Runs a writing statement and gives what came of it; undone when more rows changed than the request allows. */
function write(exchange: Exchange, statement: string, select: string, added = "NULL"): Promise<Row> {
  const { maxAffected: limit, return: wanted } = exchange.preferences;
  const maxAffected = exchange.method === "POST" ? undefined : limit;
  const represented = wanted === "representation";
  const body = represented ? "coalesce(json_agg(page), '[]')" : "''";
  const singular = represented && exchange.accept === SINGULAR;
  const judge = (row: Row): void => {
    const rows = Number(row.page_total);
    if (maxAffected !== undefined && rows > maxAffected) throw tooMany(rows);
    if (singular && rows !== 1) throw notSingular(rows);
  };
  return exchange.run({
    readOnly: false,
    sql:
      `WITH source AS (${statement} RETURNING ${represented ? select : "1"}) ` +
      `SELECT count(page) AS page_total, ${body} AS body, ${added} AS added FROM (SELECT * FROM source) AS page`,
    ...(maxAffected !== undefined || singular ? { judge } : {}),
  });
}

export function tooMany(rows: number): PostgrestError {
  const message = "Query result exceeds max-affected preference constraint";
  return new PostgrestError(400, "PGRST124", message, { details: `The query affects ${rows} rows` });
}

function conflictSql(
  resolution: Preferences["resolution"],
  target: readonly string[],
  names: readonly string[],
): string {
  if (resolution === undefined) return "";
  const on = ` ON CONFLICT(${target.map(identifier).join(", ")})`;
  if (resolution === "ignore-duplicates" || names.length === 0) return `${on} DO NOTHING`;
  const sets = names.map((column) => `${column} = EXCLUDED.${column}`).join(", ");
  return `${on} DO UPDATE SET ${sets} WHERE set_config('pgrst.inserted', (${ADDED} - 1)::text, true) <> '-1'`;
}

function result(exchange: Exchange, row: Row, status: number): Pick<Answer, "status" | "body"> {
  if (exchange.preferences.return !== "representation")
    return status === 204 ? { status } : { status, body: "" };
  const body = pageBody(exchange, String(row.body), Number(row.page_total));
  return { status: status === 204 ? 200 : status, body };
}

function bodyHeaders(exchange: Exchange): Record<string, string> {
  return exchange.preferences.return === "representation" ? { "Content-Type": contentType(exchange) } : {};
}

function changeHeaders(exchange: Exchange, more: readonly (keyof Preferences)[]): Record<string, string> {
  const names = ["return", "count", "handling", "timezone", "maxAffected", ...more] as const;
  return { ...applied(exchange.preferences, names), ...bodyHeaders(exchange) };
}

function without(preferences: Preferences, name: keyof Preferences): Preferences {
  const { [name]: _, ...others } = preferences;
  return others;
}
