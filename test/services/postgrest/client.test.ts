import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import * as answers from "./answer/answers.ts";
import { type Postgrest, startPostgrest } from "./postgrest.ts";

/** What the vendor's own client makes of the gateway. */
let gateway: Postgrest;
let client: SupabaseClient;

beforeAll(async () => {
  gateway = await startPostgrest();
  await gateway.query(`
    create table people (
      id bigint primary key, name text, "odd, ""name""" text, tags text[], at timestamptz default now());
    create table pairs (a int, b text, n int, primary key (a, b));
    create function sum_of(list int[]) returns bigint language sql as 'select sum(n) from unnest(list) as n';
    create function people_after(lowest bigint) returns setof people language sql stable
      as 'select * from people where id > lowest';
  `);
  await gateway.reload();
  client = clientWith(gateway.serviceKey);
});

beforeEach(async () => {
  await gateway.query(`
    truncate people, pairs;
    insert into people select n, 'name ' || n, 'odd ' || n, array['t' || n], '2024-01-01' from generate_series(1, 30) as n;
    insert into pairs select n % 3, 'b' || n, n from generate_series(1, 12) as n`);
});

afterAll(async () => {
  await gateway.stop();
});

function clientWith(key: string): SupabaseClient {
  class NoTransport {
    constructor() {
      throw new Error("nothing here is real-time");
    }
  }
  return createClient(gateway.url, key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    realtime: { transport: NoTransport as never },
  });
}

test("the Supabase client reads pages after a key until one is empty, whatever the row limit", async () => {
  gateway.settings.maxRows = 7;
  const seen: number[] = [];
  for (let last = 0; ; ) {
    const { data, error } = await client.from("people").select("id").order("id").gt("id", last).limit(10);
    expect(error).toBeNull();
    if (data === null || data.length === 0) break;
    seen.push(...data.map(({ id }) => id));
    last = data.at(-1)?.id;
  }
  gateway.settings.maxRows = undefined;
  expect(seen).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
});

test("the Supabase client reads by a key of two columns", async () => {
  const { data, error } = await client
    .from("pairs")
    .select("n")
    .gte("a", 1)
    .or('a.gt.1,and(a.eq.1,b.gt."b4")')
    .order("a")
    .order("b");
  expect(error).toBeNull();
  expect(data?.map(({ n }) => n)).toEqual([7, 11, 2, 5, 8]);
});

test("the Supabase client counts rows with and without reading them", async () => {
  const { count, data, status } = await client.from("people").select("*", { count: "exact", head: true });
  expect([count, data, status]).toEqual([30, null, 200]);
  const few = await client.from("people").select("id", { count: "exact" }).range(5, 9);
  expect([few.count, few.data?.length, few.status]).toEqual([30, 5, 206]);
});

test("the Supabase client selects value lists, quoted names, casts and aliases", async () => {
  const { data } = await client
    .from("people")
    .select('n:name,id::text,"odd, \\"name\\""')
    .in("id", [2, 3, 99])
    .in("name", ["name 2", 'a,"b)', "name 3"])
    .order("id", { ascending: false });
  expect(data).toEqual([
    { n: "name 3", id: "3", 'odd, "name"': "odd 3" },
    { n: "name 2", id: "2", 'odd, "name"': "odd 2" },
  ]);
  const filters = client.from("people").select("id").contains("tags", ["t4"]).not("name", "is", null);
  expect((await filters.like("name", "name%").single()).data).toEqual({ id: 4 });
  expect((await client.from("people").select("id").eq("id", 99).maybeSingle()).data).toBeNull();
});

test("the Supabase client inserts rows, and overwrites those with the same key on request", async () => {
  const rows = [
    { id: 30, name: "changed" },
    { id: 31, name: "new", tags: ["a", "b,c"] },
  ];
  const plain = await client.from("people").insert(rows);
  expect([plain.status, plain.error?.code]).toEqual([409, "23505"]);
  const { status, error, count } = await client
    .from("people")
    .upsert(rows, { onConflict: "id", count: "exact" });
  expect([status, error, count]).toEqual([201, null, 2]);
  const ignored = await client
    .from("people")
    .upsert({ id: 30, name: "again" }, { ignoreDuplicates: true })
    .select();
  expect(ignored.data).toEqual([]);
  const { data } = await client.from("people").select("id,name,tags").gte("id", 30).order("id");
  expect(data).toEqual([
    { id: 30, name: "changed", tags: null },
    { id: 31, name: "new", tags: ["a", "b,c"] },
  ]);
  expect(gateway.requests.some(({ target }) => target.includes("columns="))).toBe(true);
});

test("the Supabase client fills missing columns with defaults instead of null on request", async () => {
  await client.from("people").insert([{ id: 40 }, { id: 41, at: "2020-01-01" }], { defaultToNull: false });
  await client.from("people").insert([{ id: 42 }, { id: 43, at: "2020-01-01" }]);
  const { data } = await client.from("people").select("id").gte("id", 40).is("at", null);
  expect(data).toEqual([{ id: 42 }]);
});

test("the Supabase client updates and deletes rows, but no more than allowed", async () => {
  const changed = await client.from("people").update({ name: "x" }, { count: "exact" }).lt("id", 4);
  expect([changed.status, changed.count]).toEqual([204, 3]);
  const deleted = await client.from("people").delete({ count: "exact" }).in("id", [1, 2, 99]);
  expect([deleted.status, deleted.count]).toEqual([204, 2]);
  const few = client.from("people").delete().gt("id", 0);
  const { error } = await few.setHeader("Prefer", "handling=strict,max-affected=5");
  expect(error).toMatchObject({ code: "PGRST124", details: "The query affects 28 rows" });
  const gone = await client.from("people").delete().eq("id", 3).select("id,name");
  expect(gone.data).toEqual([{ id: 3, name: "x" }]);
});

test("the Supabase client calls functions", async () => {
  expect((await client.rpc("sum_of", { list: [1, 2, 3] })).data).toBe(6);
  expect((await client.rpc("sum_of", { list: [1, 2] }, { get: true })).data).toBe(3);
  const { data } = await client.rpc("people_after", { lowest: 27 }).select("id").order("id").limit(2);
  expect(data).toEqual([{ id: 28 }, { id: 29 }]);
  const { error, status } = await client.rpc("sum_off", { list: [1] });
  expect([status, error?.code, error?.hint]).toEqual([
    ...[404, "PGRST202", "Perhaps you meant to call the function public.sum_of"],
  ]);
});

test("the Supabase client receives the status and code of each error", async () => {
  const failure = async (query: PromiseLike<{ error: { code: string } | null; status: number }>) => {
    const { status, error } = await query;
    return [status, error?.code];
  };
  expect(await failure(client.from("nothing").select())).toEqual([404, "PGRST205"]);
  expect(await failure(client.from("people").select("nope"))).toEqual([400, "42703"]);
  expect(await failure(client.from("people").select().single())).toEqual([406, "PGRST116"]);
  expect(await failure(client.from("people").insert({ nope: 1 }))).toEqual([400, "PGRST204"]);
  expect(await failure(client.from("people").select().eq("id", "x"))).toEqual([400, "22P02"]);
  expect(await failure(client.schema("other").from("people").select())).toEqual([406, "PGRST106"]);
  expect(await failure(clientWith("sb_secret_wrong").from("people").select())).toEqual([401, "PGRST301"]);
  const refused = gateway.fail({ answer: answers.tooManyRequests(1) });
  expect((await client.from("people").select()).status).toBe(429);
  refused.stop();
});

test("the Supabase client is accepted with either kind of key", async () => {
  const { data } = await clientWith(gateway.secretKey).from("people").select("id").limit(1);
  expect(data).toHaveLength(1);
  expect((await clientWith(gateway.publishableKey).from("people").select("id")).data).toHaveLength(30);
  expect(gateway.requests.at(-1)?.role).toBe("anon");
});
