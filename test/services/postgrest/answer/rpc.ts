import type { Answer } from "../../http/delivery.ts";
import { parsed } from "../request/payload.ts";
import { applied } from "../request/preferences.ts";
import { nearest, queryParts } from "../request/query.ts";
import { contentRange, limitSql, readRange } from "../request/range.ts";
import type { Exchange } from "../request/request.ts";
import type { CachedFunction, SchemaCache } from "../schema.ts";
import type { Row } from "../session.ts";
import { identifier, literal } from "../sql.ts";
import { PostgrestError } from "./errors.ts";
import { contentType, pageBody } from "./read.ts";
import { tooMany } from "./write.ts";

/** A call of a function: POST with an object of named arguments, or GET with them in the query. */
export async function callFunction(exchange: Exchange, name: string): Promise<Answer> {
  const { method, parameters, headers, schema, maxRows, preferences } = exchange;
  const posted = method === "POST";
  const given = posted
    ? Object.keys(postedArguments(exchange.body))
    : queryArguments(schema, name, parameters);
  const fn = chosen(schema, name, given, posted);
  const { maxAffected } = preferences;
  if (maxAffected !== undefined && !fn.set)
    throw new PostgrestError(
      400,
      "PGRST128",
      "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
    );
  const json = posted
    ? exchange.body || "{}"
    : JSON.stringify(Object.fromEntries(given.map((key) => [key, parameters.get(key)])));
  const skipped = posted ? new Set<string>() : new Set(given);
  const { select, where, order } = queryParts(parameters, "called", new Map(), skipped);
  const range = readRange(parameters, method, headers);
  const output = fn.composite ? select : "called.value";
  const row = await exchange.run({
    readOnly: !posted || !fn.volatile,
    sql:
      `WITH source AS (SELECT ${output} FROM ${callSql(schema, fn, given, json)}${where}${order}${limitSql(range, maxRows)}) ` +
      `SELECT count(page) AS page_total, ${bodySql(fn)} AS body FROM (SELECT * FROM source) AS page`,
    ...(maxAffected === undefined
      ? {}
      : {
          judge: ({ page_total: rows }: Row) => {
            if (Number(rows) > maxAffected) throw tooMany(Number(rows));
          },
        }),
  });
  return answer(exchange, fn, row);
}

function answer(exchange: Exchange, fn: CachedFunction, row: Row): Answer {
  const rows = Number(row.page_total);
  const headers = {
    "Content-Range": contentRange(0, rows, undefined),
    ...applied(exchange.preferences, ["handling", "timezone", "maxAffected"]),
  };
  if (fn.void) return { status: 204, headers };
  const text = String(row.body);
  return {
    status: 200,
    headers: { "Content-Type": contentType(exchange), ...headers },
    body: fn.set ? pageBody(exchange, text, rows) : text,
  };
}

function postedArguments(body: string): object {
  const value = body === "" ? {} : parsed(body);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new PostgrestError(400, "PGRST102", "All object keys must match");
}

/** Parameters of a GET that are arguments of some function of that name; the others filter its rows. */
function queryArguments(schema: SchemaCache, name: string, parameters: URLSearchParams): readonly string[] {
  const functions = schema.functions.filter((fn) => fn.name === name);
  const known = new Set(functions.flatMap((fn) => fn.arguments.map((argument) => argument.name)));
  const names = [...new Set(parameters.keys())];
  const found = names.filter((key) => known.has(key));
  return functions.length > 0 ? found : names.filter((key) => key !== "select");
}

function chosen(
  schema: SchemaCache,
  name: string,
  given: readonly string[],
  posted: boolean,
): CachedFunction {
  const fits = (fn: CachedFunction) =>
    given.every((key) => fn.arguments.some((argument) => argument.name === key)) &&
    fn.arguments.every((argument) => !argument.required || given.includes(argument.name));
  const fn = schema.functions.find((candidate) => candidate.name === name && fits(candidate));
  if (fn !== undefined) return fn;
  const called = `${schema.schema}.${name}`;
  const list = given.join(", ");
  const near = nearest(name, [...new Set(schema.functions.map((known) => known.name))]);
  const searched =
    given.length === 0 ? "without parameters" : `with parameter${given.length > 1 ? "s" : ""} ${list}`;
  const unnamed = posted ? " or with a single unnamed json/jsonb parameter" : "";
  throw new PostgrestError(
    404,
    "PGRST202",
    `Could not find the function ${called}${given.length === 0 ? " without parameters" : `(${list})`} in the schema cache`,
    {
      details: `Searched for the function ${called} ${searched}${unnamed}, but no matches were found in the schema cache.`,
      hint: near === undefined ? null : `Perhaps you meant to call the function ${schema.schema}.${near}`,
    },
  );
}

function callSql(schema: SchemaCache, fn: CachedFunction, given: readonly string[], json: string): string {
  const used = fn.arguments.filter((argument) => given.includes(argument.name));
  const called = `${identifier(schema.schema)}.${identifier(fn.name)}`;
  const alias = fn.composite ? "called" : "called(value)";
  if (used.length === 0) return `${called}() AS ${alias}`;
  const types = used.map(({ name, type }) => `${identifier(name)} ${type}`).join(", ");
  const passed = used.map(({ name }) => `${identifier(name)} := arguments.${identifier(name)}`).join(", ");
  return (
    `(SELECT * FROM json_to_record(${literal(json)}::json) AS _(${types})) AS arguments, ` +
    `LATERAL ${called}(${passed}) AS ${alias}`
  );
}

function bodySql(fn: CachedFunction): string {
  const values = fn.composite ? "json_agg(page)" : "json_agg(page.value)";
  return fn.set ? `coalesce(${values}, '[]')` : `coalesce(${values}->0, 'null')`;
}
