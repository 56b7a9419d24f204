import type { Answer } from "../../http/delivery.ts";
import { type Exchange, OPENAPI } from "../request/request.ts";
import type { CachedColumn, CachedFunction, CachedTable } from "../schema.ts";
import { literal } from "../sql.ts";

/** Names of integer types in `format`: Postgres's own, or since PostgREST 14.8 those of OpenAPI. */
export type IntegerFormats = "postgres" | "openapi";

const OPENAPI_INTEGERS: Readonly<Record<string, string>> = {
  smallint: "int32",
  integer: "int32",
  bigint: "int64",
};

/** The description of what the caller's role may touch. */
export async function describe(exchange: Exchange, integers: IntegerFormats): Promise<Answer> {
  const { role, schema } = exchange;
  if (role === "anon") return refused();
  const { names } = await exchange.run({ readOnly: true, sql: accessibleSql(schema.schema) });
  const accessible = new Set(JSON.parse(String(names)) as string[]);
  const tables = [...schema.tables.values()].filter(({ name }) => accessible.has(name));
  const document = {
    swagger: "2.0",
    info: { description: "standard public schema", title: "PostgREST API", version: "14.5" },
    host: "localhost",
    basePath: "/",
    schemes: ["http"],
    consumes: ["application/json", "application/vnd.pgrst.object+json", "text/csv"],
    produces: ["application/json", "application/vnd.pgrst.object+json", "text/csv"],
    paths: {
      "/": { get: operation("Introspection", "OpenAPI description (this document)") },
      ...Object.fromEntries(tables.map((table) => [`/${table.name}`, verbs(table)])),
      ...Object.fromEntries(schema.functions.map((fn) => [`/rpc/${fn.name}`, functionVerbs(fn)])),
    },
    definitions: Object.fromEntries(tables.map((table) => [table.name, definition(table, integers)])),
  };
  return {
    status: 200,
    headers: { "Content-Type": `${OPENAPI}; charset=utf-8` },
    body: JSON.stringify(document),
  };
}

/** What hosted projects say to keys that are public. */
function refused(): Answer {
  const message = "Access to schema is forbidden";
  const hint = "Accessing the schema via the Data API is only allowed using a secret API key.";
  return {
    status: 401,
    headers: { "Content-Type": "application/json; charset=utf-8" },
    body: JSON.stringify({ message, hint }),
  };
}

function accessibleSql(schema: string): string {
  return `select coalesce(json_agg(c.relname), '[]') as names from pg_class c
    where c.relnamespace = quote_ident(${literal(schema)})::regnamespace and (pg_has_role(c.relowner, 'USAGE')
      or has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
      or has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))`;
}

function verbs(table: CachedTable): object {
  const of = (present: boolean, method: string) => (present ? { [method]: operation(table.name) } : {});
  return {
    ...of(true, "get"),
    ...of(table.writable, "post"),
    ...of(table.writable, "patch"),
    ...of(table.writable, "delete"),
  };
}

function functionVerbs({ name, volatile }: CachedFunction): object {
  const call = operation(`(rpc) ${name}`);
  return volatile ? { post: call } : { get: call, post: call };
}

function operation(tag: string, summary?: string): object {
  return { tags: [tag], ...(summary && { summary }), responses: { 200: { description: "OK" } } };
}

function definition(table: CachedTable, integers: IntegerFormats): object {
  const required = table.columns.filter(({ nullable }) => !nullable).map(({ name }) => name);
  const properties = table.columns.map((column) => [column.name, property(table, column, integers)]);
  return {
    ...(table.comment === null ? {} : { description: table.comment }),
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(properties),
    type: "object",
  };
}

function property(table: CachedTable, column: CachedColumn, integers: IntegerFormats): object {
  const { type, maxLength, enum: values } = column;
  const initial = defaultValue(column);
  const text = description(table, column);
  const format = integers === "openapi" ? (OPENAPI_INTEGERS[type] ?? type) : type;
  return {
    ...(initial === undefined ? {} : { default: initial }),
    ...(text === "" ? {} : { description: text }),
    ...(values === null ? {} : { enum: values }),
    format,
    ...(type.endsWith("[]") ? { items: swaggerType(type.slice(0, -2)) } : {}),
    ...(maxLength === null ? {} : { maxLength }),
    ...swaggerType(type),
  };
}

function swaggerType(type: string): { readonly type?: string } {
  if (type.endsWith("[]")) return { type: "array" };
  if (/^(smallint|integer|bigint)$/.test(type)) return { type: "integer" };
  if (/^(numeric|real|double precision)$/.test(type)) return { type: "number" };
  if (type === "boolean") return { type: "boolean" };
  return /^jsonb?$/.test(type) ? {} : { type: "string" };
}

/** A default that is a literal, as JSON; an expression as its text, where the type is a string's. */
function defaultValue(column: CachedColumn): unknown {
  if (column.default === null) return undefined;
  if (swaggerType(column.type).type === "string") {
    const suffix = `::${column.type}`;
    const { default: text } = column;
    return text.endsWith(suffix) ? text.slice(0, -suffix.length).replace(/^'+|'+$/g, "") : text;
  }
  try {
    return JSON.parse(column.default);
  } catch {
    return undefined;
  }
}

function description(table: CachedTable, { name, comment, reference }: CachedColumn): string {
  const notes: string[] = [];
  if (table.key.includes(name)) notes.push("This is a Primary Key.<pk/>");
  if (reference !== null) {
    const { table: to, column } = reference;
    notes.push(`This is a Foreign Key to \`${to}.${column}\`.<fk table='${to}' column='${column}'/>`);
  }
  const note = notes.length === 0 ? [] : [`Note:\n${notes.join("\n")}`];
  return [...(comment === null ? [] : [comment]), ...note].join("\n\n");
}
