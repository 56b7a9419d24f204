import { PostgrestError } from "../answer/errors.ts";
import type { CachedColumn, CachedTable } from "../schema.ts";
import { identifier, literal } from "../sql.ts";
import { Parser } from "./parser.ts";
import type { Exchange } from "./request.ts";

/** The columns that a writing request sets: those of `columns=`, else the keys of its objects. */
export function payloadColumns(exchange: Exchange, table: CachedTable): readonly CachedColumn[] {
  const { parameters, headers, body } = exchange;
  const type = headers["content-type"]?.split(";")[0]?.trim() ?? "application/json";
  if (type !== "application/json")
    throw new PostgrestError(415, "PGRST102", `Content-Type not acceptable: ${type}`);
  const listed = parameters.get("columns");
  const names = listed === null ? uniformKeys(body) : listedNames(new Parser("columns parameter", listed));
  return [...new Set(names)].map((name) => {
    const column = table.columns.find((known) => known.name === name);
    if (column !== undefined) return column;
    const message = `Could not find the '${name}' column of '${table.name}' in the schema cache`;
    throw new PostgrestError(400, "PGRST204", message);
  });
}

/** Names between commas, each of them quoted where it has to be. */
export function listedNames(parser: Parser): readonly string[] {
  const names: string[] = [];
  do names.push(parser.name());
  while (parser.separator(","));
  return names;
}

/** The columns out of the body, as a FROM item `body`. The body's own text is what Postgres reads. */
export function payloadSql(exchange: Exchange, columns: readonly CachedColumn[], one = false): string {
  const { preferences } = exchange;
  const body = /^\s*[[{]/.test(exchange.body) || exchange.parameters.has("columns") ? exchange.body : "[]";
  const defaulted = preferences.missing === "default";
  const json = defaulted ? "jsonb" : "json";
  const array = `CASE WHEN ${json}_typeof(data) = 'array' THEN data ELSE ${json}_build_array(data) END`;
  const items = [
    `(SELECT ${literal(body)}::${json} AS data) AS payload`,
    `LATERAL (SELECT ${array} AS val) AS rows`,
  ];
  if (defaulted)
    items.push(
      `LATERAL (SELECT ${withDefaults(columns)} AS val FROM jsonb_array_elements(rows.val) AS e) AS filled`,
    );
  const source = defaulted ? "filled.val" : "rows.val";
  const types = columns.map(({ name, declared }) => `${identifier(name)} ${declared}`).join(", ");
  const names = columns.map(({ name }) => identifier(name)).join(", ");
  const set =
    columns.length === 0
      ? `${json}_array_elements(${source})`
      : `${json}_to_recordset(${source}) AS _(${types})`;
  items.push(`LATERAL (SELECT ${names} FROM ${set}${one ? " LIMIT 1" : ""}) AS body`);
  return items.join(", ");
}

function withDefaults(columns: readonly CachedColumn[]): string {
  const pairs = columns.flatMap(({ name, default: initial }) =>
    initial === null ? [] : [literal(name), initial],
  );
  return `jsonb_agg(jsonb_build_object(${pairs.join(", ")}) || e)`;
}

function uniformKeys(body: string): readonly string[] {
  const value = parsed(body);
  // A lone number or text is an empty array to PostgREST.
  if (typeof value !== "object" || value === null) return [];
  const objects: readonly unknown[] = Array.isArray(value) ? value : [value];
  const keys = objects.map((object: unknown) =>
    typeof object === "object" && object !== null && !Array.isArray(object) ? Object.keys(object) : undefined,
  );
  const first = keys[0] ?? [];
  const sorted = [...first].sort().join("\0");
  if (keys.some((own) => own === undefined || [...own].sort().join("\0") !== sorted))
    throw new PostgrestError(400, "PGRST102", "All object keys must match");
  return first;
}

/** Only its shape is looked at here: what is written is the text. */
export function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new PostgrestError(400, "PGRST102", "Empty or invalid json");
  }
}
