import type { Answer } from "../../http/delivery.ts";
import { applied } from "../request/preferences.ts";
import { columnTypes, knownTable, queryParts } from "../request/query.ts";
import { limitSql, rangeStatus, readRange } from "../request/range.ts";
import { type Exchange, SINGULAR } from "../request/request.ts";
import { identifier } from "../sql.ts";
import { PostgrestError } from "./errors.ts";

/** GET and HEAD of a table: the body is what Postgres's own json_agg says. */
export async function readTable(exchange: Exchange, name: string): Promise<Answer> {
  const { parameters, method, headers, schema, preferences, maxRows } = exchange;
  const table = knownTable(schema, name);
  const relation = `${identifier(schema.schema)}.${identifier(name)}`;
  const { select, where, order } = queryParts(parameters, relation, columnTypes(table));
  const range = readRange(parameters, method, headers);
  const source = `SELECT ${select} FROM ${relation}${where}${order}${limitSql(range, maxRows)}`;
  const row = await exchange.run({
    readOnly: true,
    sql: pageSql(source, `${relation}${where}`, exchange),
  });
  const rows = Number(row.page_total);
  const total = await totalOf(exchange, row.total, `${relation}${where}`);
  const { status, contentRange } = rangeStatus(range.offset, rows, total);
  const body = pageBody(exchange, String(row.body), rows);
  return {
    status,
    headers: {
      "Content-Type": contentType(exchange),
      "Content-Range": contentRange,
      ...applied(preferences, ["count", "handling", "timezone"]),
    },
    body,
  };
}

/** One row: the JSON of what `source` gives, how many rows that is, and the exact total of `counted` if it is wanted. */
function pageSql(source: string, counted: string, { method, preferences, maxRows }: Exchange): string {
  const { count } = preferences;
  const capped = count === "estimated" && maxRows !== undefined ? ` LIMIT ${maxRows + 1}` : "";
  const exact = count === "exact" || count === "estimated";
  const total = exact ? `(SELECT count(*) FROM (SELECT 1 FROM ${counted}${capped}) AS counted)` : "NULL";
  const body = method === "HEAD" ? "''" : "coalesce(json_agg(page), '[]')";
  return (
    `WITH source AS (${source}) ` +
    `SELECT ${total} AS total, count(page) AS page_total, ${body} AS body FROM (SELECT * FROM source) AS page`
  );
}

/** The total as the request wants it: exact; the planner's; or exact up to the cap on rows and the planner's above. */
async function totalOf(
  exchange: Exchange,
  exact: string | null | undefined,
  counted: string,
): Promise<number | undefined> {
  const { count } = exchange.preferences;
  if (count === undefined) return undefined;
  const found = exact === null || exact === undefined ? 0 : Number(exact);
  if (count === "exact" || (count === "estimated" && found <= (exchange.maxRows ?? found))) return found;
  const row = await exchange.run({
    readOnly: true,
    sql: `EXPLAIN (FORMAT JSON) SELECT 1 FROM ${counted}`,
  });
  const [{ Plan: plan }] = JSON.parse(String(row["QUERY PLAN"])) as [{ Plan: { "Plan Rows": number } }];
  return Math.max(found, plan["Plan Rows"]);
}

export function contentType({ accept }: Exchange): string {
  return `${accept === SINGULAR ? SINGULAR : "application/json"}; charset=utf-8`;
}

/** The page, or its only row for a request of one object. */
export function pageBody({ accept }: Exchange, page: string, rows: number): string {
  if (accept !== SINGULAR) return page;
  if (rows === 1) return page.slice(1, -1);
  throw notSingular(rows);
}

export function notSingular(rows: number): PostgrestError {
  const details = rows === 0 ? "The result contains 0 rows" : `The result contains ${rows} rows`;
  return new PostgrestError(406, "PGRST116", "Cannot coerce the result to a single JSON object", { details });
}
