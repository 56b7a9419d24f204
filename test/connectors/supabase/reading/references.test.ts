import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { installSql } from "../../../../src/connectors/supabase/sql/sql.ts";
import { type SupabaseStore, supabase } from "../../../../src/connectors/supabase/supabase.ts";
import type { DocumentId } from "../../../../src/model/document.ts";
import type { Postgrest } from "../../../services/postgrest/postgrest.ts";
import { doc, id } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { EMPTY_PROJECT } from "../../../support/stores/project-pair.ts";
import { sharedPostgrest } from "../../../support/stores/shared-services.ts";

let project: Postgrest;
beforeAll(async () => {
  project = await sharedPostgrest({ maxRows: 7 });
  await project.query(installSql());
});
afterAll(() => project.stop());
beforeEach(async () => {
  await project.query(`${EMPTY_PROJECT} drop schema if exists hidden cascade;`);
});

/** A store opened after these statements ran. */
async function opened(sql: string, key = project.serviceKey): Promise<SupabaseStore> {
  await project.query(sql);
  await project.reload();
  const options = { url: project.url, key, schema: "public", label: "test", role: "target" } as const;
  const store = await supabase(options, never);
  await store.list(never);
  return store;
}

/** Which of these ids are referred to, and from where. */
async function referred(
  { references }: SupabaseStore,
  collection: string,
  values: readonly unknown[],
): Promise<readonly (readonly [unknown, string])[]> {
  const ids = values.map((value) => id(value));
  const found = await references.referred(collection, ids, never);
  const place = ([key]: readonly [string, string]) => ids.findIndex((one: DocumentId) => one.key === key);
  return [...found].sort((a, b) => place(a) - place(b)).map((one) => [values[place(one)], one[1]] as const);
}

describe("References of a project", () => {
  it("finds rows that others refer to, whatever a deletion would do to those", async () => {
    const store = await opened(`
      create table people (id int4 primary key);
      create table cascading (id int4 primary key, person int4 references people on delete cascade);
      create table emptied (id int4 primary key, person int8 references people on delete set null);
      create table restricted (person int4 references people on delete restrict);
      insert into people select generate_series(1, 9);
      insert into cascading values (1, 2), (2, 2), (3, null);
      insert into emptied values (1, 4);
      insert into restricted values (6), (2);
    `);
    expect(store.references.unknown("people")).toBeUndefined();
    expect(await referred(store, "people", [1, 2, 3, 4, 5, 6, 99, "no key"])).toEqual([
      [2, "cascading"],
      [4, "emptied"],
      [6, "restricted"],
    ]);
    expect(await referred(store, "emptied", [1])).toEqual([]);
  });

  it("finds rows behind keys of several columns and behind other unique columns", async () => {
    const store = await opened(`
      create table places (a int4, "b, c" text, code uuid unique, at timestamptz unique, primary key ("b, c", a));
      create table pairs (id int4 primary key, x text, y int4, foreign key (y, x) references places (a, "b, c"));
      create table codes (id int4 primary key, code uuid references places (code));
      create table times (id int4 primary key, at timestamptz references places (at));
      insert into places values
        (1, 'x"(,)\\', '00000000-0000-0000-0000-00000000000a', null), (1, 'y', null, '2024-05-06 07:08:09.123456+00'),
        (2, 'y', '00000000-0000-0000-0000-00000000000b', null), (3, 'y', null, null);
      insert into pairs values (1, 'x"(,)\\', 1), (2, 'y', null), (3, null, 3);
      insert into codes values (1, '00000000-0000-0000-0000-00000000000b');
      insert into times values (1, '2024-05-06 07:08:09.123456+00');
    `);
    const key = (a: number, text: string) => ({ a, "b, c": text });
    const asked = [key(1, 'x"(,)\\'), key(1, "y"), key(2, "y"), key(3, "y"), key(4, "y")];
    expect(await referred(store, "places", asked)).toEqual([
      [asked[0], "pairs"],
      [asked[1], "times"],
      [asked[2], "codes"],
    ]);
  });

  it("does not count a row that refers only to itself", async () => {
    const store = await opened(`
      create table people (id int4 primary key, boss int4 references people on delete cascade);
      insert into people values (1, 1), (2, 2), (3, 2), (4, 3), (5, null);
      create table parts (a int4, b int4, up int4, primary key (a, b), foreign key (a, up) references parts (a, b));
      insert into parts values (1, 1, 1), (1, 2, 1), (1, 3, 3);
    `);
    expect(await referred(store, "people", [1, 2, 3, 4, 5])).toEqual([
      [2, "people"],
      [3, "people"],
    ]);
    const [one, two, three] = [1, 2, 3].map((b) => ({ a: 1, b }));
    expect(await referred(store, "parts", [one, two, three])).toEqual([[one, "parts"]]);
  });

  it("finds all of many rows through a server that gives seven at a time, in addresses that gateways take", async () => {
    const store = await opened(`
      create table people (id text primary key, boss text references people);
      create table orders (id int4 primary key, person text references people);
      insert into people select repeat('k', 60) || n, repeat('k', 60) || n from generate_series(1, 400) n;
      insert into orders select n * 40 + m, repeat('k', 60) || n from generate_series(1, 400, 2) n, generate_series(1, 20) m;
    `);
    const before = project.requests.length;
    const values = Array.from({ length: 400 }, (_, n) => `${"k".repeat(60)}${n + 1}`);
    const found = await referred(store, "people", values);
    expect(found.map(([value]) => value)).toEqual(values.filter((_, n) => n % 2 === 0));
    const addresses = project.requests.slice(before).map(({ target }) => target.length);
    expect(Math.max(...addresses)).toBeLessThan(8_000);
  });

  it("asks for values one by one where equal values have several texts, or the referring column cannot hold them", async () => {
    const store = await opened(`
      create table prices (amount numeric primary key, big int8 unique);
      create table sold (id int4 primary key, amount numeric references prices, big int4 references prices (big));
      insert into prices values (1.50, 5000000000), (2, 7), (3, 8);
      insert into sold values (1, 1.5, null), (2, null, 7);
    `);
    expect(await referred(store, "prices", [1.5, 2, 3])).toEqual([
      [1.5, "sold"],
      [2, "sold"],
    ]);
  });

  it("says why it is unknown which rows refer to a table", async () => {
    const store = await opened(`
      create schema hidden;
      create table people (id int4 primary key);
      create table hidden.notes (person int4 references people);
      create table teams (id int4 primary key);
      create table members (id int4 primary key, team int4 references teams);
      revoke all on members from service_role;
      create table rates (id numeric primary key);
      create table used (id int4 primary key, rate int4 references rates);
      create table floats (id float8 primary key);
      create table floating (id int4 primary key, at float8 references floats);
      create table guarded (id int4 primary key);
      create table guards (id int4 primary key, of int4 references guarded);
      create table calm (id int4 primary key);
    `);
    const { references } = store;
    expect(references.unknown("people")).toMatch(
      /table hidden\.notes refers to it, and the API does not show/,
    );
    expect(references.unknown("teams")).toMatch(/table members refers to it, and this key does not see/);
    expect(references.unknown("rates")).toMatch(
      /table used refers to it, but its column rate \(int4\) is of ano/,
    );
    expect(references.unknown("floats")).toMatch(/column at \(float8\) cannot be compared exactly/);
    expect(references.unknown("calm")).toBeUndefined();
    await expect(references.referred("people", [id(1)], never)).rejects.toThrow(/unknown/);
    const limited = await opened(
      "alter table guards enable row level security; create policy none on guards for select to limited_service using (false);",
      project.limitedKey,
    );
    expect(limited.references.unknown("guarded")).toMatch(/row-level security hides its rows/);
  });

  it("knows no references without the functions, or with older ones", async () => {
    const tables = "create table people (id int4 primary key, at int4 references people);";
    await project.query(`${tables} alter function dualsync_catalog rename to set_aside;`);
    const none = await opened("");
    expect(none.references.unknown("people")).toMatch(/run dualsync sql, and what it prints/);
    expect(none.references.outside("people")).toBeUndefined();
    await expect(none.references.referred("people", [id(1)], never)).rejects.toThrow(/unknown/);
    const older = await opened(`
      create function dualsync_catalog() returns json language sql as $$
        select json_build_object('version', 1, 'tables', json_agg(t.value::jsonb - 'referredBy' - 'triggers'))
        from json_array_elements(set_aside()->'tables') t $$;
    `);
    expect(older.references.unknown("people")).toMatch(/run dualsync sql again/);
    await project.query(
      "drop function dualsync_catalog; alter function set_aside rename to dualsync_catalog;",
    );
  });

  it("tells which columns lead out of what the API shows, and which documents have such a reference", async () => {
    const store = await opened(`
      create schema hidden;
      create table hidden.users (id uuid primary key, a int4, b int4, unique (a, b));
      create table people (id int4 primary key);
      create table profiles (
        id uuid primary key references hidden.users, a int4, b int4, person int4 references people,
        foreign key (a, b) references hidden.users (a, b));
    `);
    expect(store.references.outside("people")).toEqual([]);
    const found = store.references.outside("profiles") ?? [];
    expect(found.map(({ fields, to }) => [fields, to])).toEqual([
      [["_id"], "hidden.users"],
      [["a", "b"], "hidden.users"],
    ]);
    const pairs = [{ a: 1, b: 2 }, { a: 1, b: null }, { a: 1 }, { b: 0, a: 0 }];
    const documents = pairs.map((pair) => doc({ _id: 1, ...pair }));
    expect(documents.map((one) => found[1]?.isIn(one))).toEqual([true, false, false, true]);
    expect(documents.map((one) => found[0]?.isIn(one))).toEqual([true, true, true, true]);
  });
});
