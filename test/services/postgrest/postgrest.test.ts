import { afterAll, beforeAll, expect, test } from "vitest";
import { type Postgrest, startPostgrest } from "./postgrest.ts";

let gateway: Postgrest;

beforeAll(async () => {
  gateway = await startPostgrest();
  await gateway.query(`
    create table items (id int primary key, name text, big bigint, "odd ""name"", (x)" text, at timestamptz);
    insert into items select n, 'item ' || n, 9223372036854775000 + n, 'v' || n, '2024-01-01T00:00:00.123456Z'
      from generate_series(1, 15) as n;
    create table empty_table (id uuid primary key);
    create table shut (id int primary key);
    revoke all on shut from anon, service_role;
  `);
  await gateway.reload();
});

afterAll(async () => {
  await gateway.stop();
});

async function ask(path: string, init: RequestInit & { key?: string } = {}) {
  const response = await fetch(`${gateway.url}/rest/v1${path}`, {
    ...init,
    headers: { apikey: init.key ?? gateway.serviceKey, ...init.headers },
  });
  const { status, headers } = response;
  return { status, headers, text: await response.text(), range: headers.get("content-range") };
}

test("a page is the text of Postgres's own json_agg", async () => {
  const { status, headers, text, range } = await ask("/items?select=id,big,n:name,at&limit=2&order=id.asc");
  expect(text).toBe(
    '[{"id":1,"big":9223372036854775001,"n":"item 1","at":"2024-01-01T00:00:00.123456+00:00"}, \n' +
      ' {"id":2,"big":9223372036854775002,"n":"item 2","at":"2024-01-01T00:00:00.123456+00:00"}]',
  );
  expect(status).toBe(200);
  expect(range).toBe("0-1/*");
  expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(headers.get("content-length")).toBe(String(text.length));
});

test("content-range names rows and totals as PostgREST does", async () => {
  const count = { Prefer: "count=exact" };
  const seen = async (path: string, headers = {}) => {
    const { status, range, headers: sent } = await ask(path, { headers });
    return [status, range, sent.get("preference-applied")];
  };
  expect(await seen("/items")).toEqual([200, "0-14/*", null]);
  expect(await seen("/empty_table")).toEqual([200, "*/*", null]);
  expect(await seen("/items", count)).toEqual([200, "0-14/15", "count=exact"]);
  expect(await seen("/items?limit=5&offset=5", count)).toEqual([206, "5-9/15", "count=exact"]);
  expect(await seen("/empty_table", count)).toEqual([200, "*/0", "count=exact"]);
  expect(await seen("/items?offset=15", count)).toEqual([206, "*/15", "count=exact"]);
  expect(await seen("/items?limit=0")).toEqual([200, "*/*", null]);
  expect(await seen("/items?offset=100")).toEqual([200, "*/*", null]);
  expect(await seen("/items", { Range: "3-4" })).toEqual([200, "3-4/*", null]);
  await gateway.query("analyze items");
  expect(await seen("/items?limit=5", { Prefer: "count=planned" })).toEqual([206, "0-4/15", "count=planned"]);
  expect(await seen("/items?limit=5", { Prefer: "count=estimated" })).toEqual([
    206,
    "0-4/15",
    "count=estimated",
  ]);
});

test("an offset past a known end and a negative limit are refused", async () => {
  const past = await ask("/items?offset=100", { headers: { Prefer: "count=exact" } });
  expect(past.status).toBe(416);
  expect(past.range).toBe("*/15");
  expect(past.text).toBe(
    '{"code":"PGRST103","details":"An offset of 100 was requested, but there are only 15 rows.","hint":null,"message":"Requested range not satisfiable"}',
  );
  const negative = await ask("/items?limit=-1");
  expect(negative.status).toBe(416);
  expect(JSON.parse(negative.text).details).toBe("Limit should be greater than or equal to zero.");
});

test("HEAD is answered like GET, without the body", async () => {
  const { status, text, range } = await ask("/items?limit=1", {
    method: "HEAD",
    headers: { Prefer: "count=exact" },
  });
  expect([status, text, range]).toEqual([206, "", "0-0/15"]);
});

test("max-rows limits a page without notice", async () => {
  gateway.settings.maxRows = 7;
  const { status, range } = await ask("/items?limit=10");
  const { range: counted } = await ask("/items", { headers: { Prefer: "count=exact" } });
  gateway.settings.maxRows = undefined;
  expect([status, range, counted]).toEqual([200, "0-6/*", "0-6/15"]);
});

test("filters support operators, lists and trees, with quoted names and values", async () => {
  const ids = async (query: string) => {
    const { status, text } = await ask(`/items?select=id&order=id&${query}`);
    return status === 200 ? (JSON.parse(text) as { id: number }[]).map(({ id }) => id) : text;
  };
  const odd = encodeURIComponent('"odd \\"name\\", (x)"');
  await gateway.query(`update items set name = 'a,b)"c\\d' where id = 15`);
  expect(await ids("id=gt.12&id=neq.14")).toEqual([13, 15]);
  expect(await ids("id=not.gte.3")).toEqual([1, 2]);
  expect(await ids("id=in.(1,2,99)")).toEqual([1, 2]);
  expect(await ids("id=in.()")).toEqual([]);
  expect(await ids("name=like.*1")).toEqual([1, 11]);
  expect(await ids("big=gt.9223372036854775013")).toEqual([14, 15]);
  expect(await ids("or=(id.lt.2,and(id.gt.13,id.not.eq.15))")).toEqual([1, 14]);
  expect(await ids("not.or=(id.lt.14,id.is.null)")).toEqual([14, 15]);
  expect(await ids("name=is.not_null&limit=1")).toEqual([1]);
  expect(await ids(`${odd}=eq.v4`)).toEqual([4]);
  expect(await ids(`or=(${odd}.eq."v4",id.in.(9,"8"))`)).toEqual([4, 8, 9]);
  const value = 'a,b)"c\\d';
  const quoted = encodeURIComponent(`"${value.replace(/["\\]/g, "\\$&")}"`);
  expect(await ids(`name=eq.${encodeURIComponent(value)}`)).toEqual([15]);
  expect(await ids(`name=in.(${quoted})`)).toEqual([15]);
  expect(await ids(`or=(name.eq.${quoted},id.eq.1)`)).toEqual([1, 15]);
  expect(await ids("name=eq.'; drop table items --")).toEqual([]);
});

test("rows can be read by a key of two columns", async () => {
  const { text } = await ask(
    "/items?select=id&id=gte.3&or=(id.gt.3,and(id.eq.3,name.gt.a))&order=id,name&limit=2",
  );
  expect(JSON.parse(text)).toEqual([{ id: 3 }, { id: 4 }]);
});

test("columns can be cast, renamed and repeated", async () => {
  const { text } = await ask(
    "/items?select=*,big::text,%22odd%20%5C%22name%5C%22,%20(x)%22,x:id::text&id=eq.1",
  );
  expect(text).toContain('"big":9223372036854775001,');
  expect(text).toContain('"big":"9223372036854775001",');
  expect(text).toContain('"x":"1"}]');
});

test("errors use the codes and messages of PostgREST", async () => {
  const said = async (path: string, init = {}) => {
    const { status, headers, text } = await ask(path, init);
    return { status, proxy: headers.get("proxy-status"), ...JSON.parse(text) };
  };
  expect(await said("/item")).toEqual({
    ...{ status: 404, proxy: "PostgREST; error=PGRST205", code: "PGRST205", details: null },
    hint: "Perhaps you meant the table 'public.items'",
    message: "Could not find the table 'public.item' in the schema cache",
  });
  expect(await said("/zzz")).toMatchObject({ status: 404, hint: null });
  expect(await said("/items?id=val")).toMatchObject({
    ...{ status: 400, code: "PGRST100", message: '"failed to parse filter (val)" (line 1, column 1)' },
  });
  expect(await said("/items?nope=eq.1")).toMatchObject({ status: 400, code: "42703" });
  expect(await said("/items?id=eq.x")).toMatchObject({ status: 400, code: "22P02" });
  expect(await said("/shut")).toMatchObject({ status: 403, code: "42501" });
  expect(await said("/shut", { key: gateway.anonKey })).toMatchObject({ status: 401, code: "42501" });
  expect(await said("/items", { headers: { Accept: "text/turtle" } })).toMatchObject({
    status: 406,
    code: "PGRST107",
  });
  expect(await said("/items", { headers: { "Accept-Profile": "x" } })).toMatchObject({
    ...{ status: 406, code: "PGRST106", message: "Invalid schema: x" },
  });
  expect(await said("/a/b")).toMatchObject({ status: 404, code: "PGRST125" });
  expect(await said("/items", { headers: { Accept: "application/vnd.pgrst.object+json" } })).toMatchObject({
    ...{ status: 406, code: "PGRST116", details: "The result contains 15 rows" },
  });
  expect(await said("/items", { headers: { Prefer: "handling=strict, anything" } })).toMatchObject({
    ...{ status: 400, code: "PGRST122", details: "Invalid preferences: anything" },
  });
});

test("only known keys are accepted", async () => {
  const wrong = await ask("/items", { key: "not.akey" });
  expect(wrong.status).toBe(401);
  expect(JSON.parse(wrong.text)).toMatchObject({
    code: "PGRST301",
    message: "Expected 3 parts in JWT; got 2",
  });
  expect(wrong.headers.get("www-authenticate")).toMatch(/^Bearer error="invalid_token", /);
  expect((await fetch(`${gateway.url}/rest/v1/items`)).status).toBe(401);
  expect((await ask("/items", { key: gateway.secretKey })).status).toBe(200);
  const bearer = { Authorization: `Bearer ${gateway.serviceKey}` };
  expect((await ask("/items", { headers: bearer })).status).toBe(200);
});

test("a new table is visible only after a reload", async () => {
  await gateway.query("create table later (id int primary key)");
  expect((await ask("/later")).status).toBe(404);
  await gateway.reload();
  expect((await ask("/later")).text).toBe("[]");
});

test("a request for a dropped table returns the error of Postgres", async () => {
  await gateway.query("create table gone (id int primary key)");
  await gateway.reload();
  await gateway.query("drop table gone");
  const { status, text } = await ask("/gone");
  expect([status, JSON.parse(text).code]).toEqual([404, "42P01"]);
});

test("a row-level policy hides rows from the keys that it applies to, but not from the service key", async () => {
  await gateway.query(`
    create table hidden (id int primary key); insert into hidden values (1), (2);
    alter table hidden enable row level security;`);
  await gateway.reload();
  expect((await ask("/hidden")).range).toBe("0-1/*");
  expect((await ask("/hidden", { key: gateway.limitedKey })).text).toBe("[]");
  expect((await ask("/hidden", { key: gateway.anonKey })).text).toBe("[]");
});

test("timestamps use the time zone that the request prefers", async () => {
  const { text, headers } = await ask("/items?select=at&limit=1", {
    headers: { Prefer: "timezone=Asia/Tokyo" },
  });
  expect(text).toBe('[{"at":"2024-01-01T09:00:00.123456+09:00"}]');
  expect(headers.get("preference-applied")).toBe("timezone=Asia/Tokyo");
});

test("a statement that exceeds the service role's timeout is canceled", async () => {
  await gateway.query("create view slow as select 1 as id, pg_sleep(10)::text");
  await gateway.reload();
  gateway.settings.statementTimeoutMs = 50;
  const { status, text } = await ask("/slow");
  const head = await ask("/slow", { method: "HEAD" });
  gateway.settings.statementTimeoutMs = undefined;
  expect([status, JSON.parse(text).code]).toEqual([500, "57014"]);
  expect([head.status, head.text, head.headers.get("proxy-status")]).toEqual([
    500,
    "",
    "PostgREST; error=57014",
  ]);
});

test("replies are compressed when the gateway is set to and the client accepts it", async () => {
  const plain = await ask("/items");
  gateway.settings.compress = true;
  const { text, headers } = await ask("/items");
  const head = await ask("/items", { method: "HEAD" });
  gateway.settings.compress = false;
  expect([headers.get("content-encoding"), text]).toEqual(["gzip", plain.text]);
  expect([head.status, head.range]).toEqual([200, "0-14/*"]);
  expect(gateway.requests.at(-2)?.sent).toBeLessThan(text.length);
});

test("a URL or a body that is too long is refused", async () => {
  expect((await ask(`/items?id=in.(${"1,".repeat(10_000)}1)`)).status).toBe(414);
  gateway.settings.maxBodyBytes = 100;
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ id: 99, name: "x".repeat(100) });
  const { status } = await ask("/items", { method: "POST", headers, body });
  gateway.settings.maxBodyBytes = undefined;
  expect(status).toBe(413);
});
