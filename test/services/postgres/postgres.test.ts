import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresService, startPostgres } from "./postgres.ts";

let postgres: PostgresService;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(async () => {
  await postgres.stop();
});

test("the Postgres test service keeps text of any script, and sorts it by code points", async () => {
  const { rows } = await postgres.query(
    "select string_agg(t, '' order by t) as t from unnest($1::text[]) as t",
    [["é", "Z", "a", "𝄞"]],
  );
  expect(rows).toEqual([{ t: "Zaé𝄞" }]);
});

test("the Postgres test service creates separate databases, with another collation on request", async () => {
  const { query, uri } = await postgres.createDatabase('odd "name"', { icuLocale: "en-US" });
  const { rows } = await query(
    "select string_agg(t, '' order by t) as t from unnest(array['b','A','a','B']) as t",
  );
  expect(rows).toEqual([{ t: "aAbB" }]);
  expect(uri).toBe(`postgres://postgres@127.0.0.1:${postgres.port}/odd%20%22name%22`);
});

test("a query of several statements returns the rows of the last one", async () => {
  const { rows } = await postgres.query("create table t (a int); insert into t values (1); select a from t");
  expect(rows).toEqual([{ a: 1 }]);
});

test("a stopped Postgres test service leaves no folder behind, and may be stopped twice", async () => {
  const other = await startPostgres();
  const { rows } = await other.query("select current_setting('data_directory') as folder");
  const folder = String(rows[0]?.folder);
  expect(existsSync(folder)).toBe(true);
  await other.stop();
  await other.stop();
  expect(existsSync(folder)).toBe(false);
});
