import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresService, startPostgres } from "../../postgres/postgres.ts";
import { type Postgrest, startPostgrest } from "../postgrest.ts";

let postgres: PostgresService;
let gateway: Postgrest;

beforeAll(async () => {
  postgres = await startPostgres();
  gateway = await startPostgrest({ postgres });
  await gateway.query(`
    create table items (id int primary key, name text);
    create table shut (id int primary key);
    revoke all on shut from anon, service_role;
    create type mood as enum ('glad', 'sad');
    create domain code as varchar(5);
    create table owners (id bigint primary key);
    create table kinds (
      a int, b smallint not null default 3, owner bigint references owners (id), word varchar(10) default 'x',
      made timestamptz not null default now(), mood mood, code code, tags text[], doc jsonb, price numeric(10,2),
      primary key (b, a));
    comment on column kinds.word is 'A word';
    create view shown as select id, name from items;
    create view counted as select count(*) as n from items;
  `);
  await gateway.reload();
});

afterAll(async () => {
  await gateway.stop();
  await postgres.stop();
});

async function ask(key = gateway.serviceKey) {
  const headers = { apikey: key, Accept: "application/openapi+json" };
  const response = await fetch(`${gateway.url}/rest/v1/`, { headers });
  const text = await response.text();
  return { status: response.status, type: response.headers.get("content-type"), text };
}

test("the OpenAPI description covers the tables that the role may use", async () => {
  const { status, type, text } = await ask();
  expect([status, type]).toEqual([200, "application/openapi+json; charset=utf-8"]);
  const { definitions, paths } = JSON.parse(text);
  expect(definitions.shut).toBeUndefined();
  expect(definitions.items.required).toEqual(["id"]);
  expect(Object.keys(definitions.kinds.properties)).toEqual([
    "a",
    "b",
    "owner",
    "word",
    "made",
    "mood",
    "code",
    "tags",
    "doc",
    "price",
  ]);
  expect(definitions.kinds).toEqual({
    required: ["a", "b", "made"],
    type: "object",
    properties: {
      a: { description: "Note:\nThis is a Primary Key.<pk/>", format: "integer", type: "integer" },
      b: {
        default: 3,
        description: "Note:\nThis is a Primary Key.<pk/>",
        format: "smallint",
        type: "integer",
      },
      owner: {
        description: "Note:\nThis is a Foreign Key to `owners.id`.<fk table='owners' column='id'/>",
        format: "bigint",
        type: "integer",
      },
      word: {
        default: "x",
        description: "A word",
        format: "character varying",
        maxLength: 10,
        type: "string",
      },
      made: { default: "now()", format: "timestamp with time zone", type: "string" },
      mood: { enum: ["glad", "sad"], format: "public.mood", type: "string" },
      code: { format: "character varying", maxLength: 5, type: "string" },
      tags: { format: "text[]", items: { type: "string" }, type: "array" },
      doc: { format: "jsonb" },
      price: { format: "numeric", type: "number" },
    },
  });
  expect(Object.keys(paths["/items"])).toEqual(["get", "post", "patch", "delete"]);
  expect(Object.keys(paths["/shown"])).toEqual(["get", "post", "patch", "delete"]);
  expect(Object.keys(paths["/counted"])).toEqual(["get"]);
  expect(definitions.shown.properties.id.description).toContain("<pk/>");
});

test("the OpenAPI description names integers as OpenAPI does on request, and is refused to public keys", async () => {
  gateway.settings.integerFormats = "openapi";
  const { definitions } = JSON.parse((await ask()).text);
  gateway.settings.integerFormats = "postgres";
  const { a, b, owner } = definitions.kinds.properties;
  expect([a.format, b.format, owner.format]).toEqual(["int32", "int32", "int64"]);
  expect((await ask(gateway.anonKey)).status).toBe(401);
  expect((await ask(gateway.publishableKey)).status).toBe(401);
});

test("the OpenAPI description can be switched off", async () => {
  gateway.settings.described = false;
  const { status, text } = await ask();
  gateway.settings.described = true;
  expect([status, JSON.parse(text).code]).toEqual([404, "PGRST126"]);
});

test("two gateways can start on one server at the same time", async () => {
  const both = await Promise.all([
    startPostgrest({ postgres }),
    startPostgrest({ postgres, schema: 'odd "schema"' }),
  ]);
  const statuses = both.map(async ({ url, secretKey }) => {
    const response = await fetch(`${url}/rest/v1/`, { headers: { apikey: secretKey } });
    return [response.status, Object.keys(((await response.json()) as { definitions: object }).definitions)];
  });
  expect(await Promise.all(statuses)).toEqual([
    [200, []],
    [200, []],
  ]);
  await Promise.all(both.map((one) => one.stop()));
});
