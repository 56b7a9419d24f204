import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ActiveFault } from "../http/faults.ts";
import { startRecording } from "../http/recording-server.ts";
import { type PostgresService, startPostgres } from "../postgres/postgres.ts";
import * as answers from "./answer/answers.ts";
import type { Fault } from "./faults.ts";
import { type Postgrest, startPostgrest } from "./postgrest.ts";

let postgres: PostgresService;
let gateway: Postgrest;
const active: ActiveFault[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  gateway = await startPostgrest({ postgres });
  await gateway.query(
    "create table items (id int primary key); insert into items select generate_series(1, 500)",
  );
  await gateway.reload();
});

afterEach(() => {
  for (const fault of active.splice(0)) fault.stop();
});

afterAll(async () => {
  await gateway.stop();
  await postgres.stop();
});

function fail(fault: Fault): ActiveFault {
  const added = gateway.fail(fault);
  active.push(added);
  return added;
}

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${gateway.url}/rest/v1${path}`, {
    ...init,
    headers: { apikey: gateway.secretKey, ...init.headers },
  });
}

test("a fault affects only the requests that it matches, at its turns", async () => {
  const third = fail({ on: "GET /items", at: 3, answer: answers.jsonFailure(500) });
  const statuses: number[] = [];
  for (let n = 0; n < 4; n++) statuses.push((await ask("/items?limit=1")).status);
  const { status: other } = await ask("/items", { method: "HEAD" });
  expect([statuses, other, third.hits]).toEqual([[200, 200, 500, 200], 200, 1]);
  third.stop();
  fail({
    on: ({ target }) => target.includes("limit=2"),
    every: 2,
    times: 1,
    answer: answers.htmlFailure(502),
  });
  const later: number[] = [];
  for (let n = 0; n < 4; n++) later.push((await ask("/items?limit=2")).status);
  expect(later).toEqual([200, 502, 200, 200]);
});

test.each([
  ["429 with seconds", answers.tooManyRequests(3), 429, "3"],
  ["429 with a date", answers.tooManyRequests(new Date(0)), 429, "Thu, 01 Jan 1970 00:00:00 GMT"],
  ["429 without a time to wait", answers.tooManyRequests(), 429, null],
  ["a loading schema cache", answers.schemaCacheLoading(), 503, "1"],
  ["an exceeded quota", answers.quotaExceeded(), 402, null],
  ["a paused project", answers.paused(), 540, null],
  ["a statement timeout", answers.statementTimeout(), 500, null],
  ["544 in JSON", answers.jsonFailure(544), 544, null],
  ["520 in HTML", answers.htmlFailure(520), 520, null],
])("a fault can answer with %s", async (_, answer, status, retryAfter) => {
  fail({ answer });
  const response = await ask("/items");
  expect([response.status, response.headers.get("retry-after")]).toEqual([status, retryAfter]);
  expect(await response.text()).toBe(answer.body);
});

test("a reset before execution prevents the request, and a lost reply does not", async () => {
  fail({ on: "POST", at: 1, reset: "before" });
  fail({ on: "POST", at: 1, reset: "lost-reply" });
  const add = (id: number) =>
    ask("/items", { method: "POST", body: `{"id":${id}}`, headers: { "Content-Type": "application/json" } });
  await expect(add(1001)).rejects.toThrow("fetch failed");
  await expect(add(1002)).rejects.toThrow("fetch failed");
  const { rows } = await gateway.query("delete from items where id > 1000 returning id");
  expect(rows).toEqual([{ id: 1002 }]);
});

test("a stalled reply lasts until the client's timeout", async () => {
  fail({ at: 1, stall: "before" });
  await expect(ask("/items", { signal: AbortSignal.timeout(100) })).rejects.toThrow("timeout");
  fail({ at: 1, stall: { after: 10 } });
  const response = await ask("/items", { signal: AbortSignal.timeout(100) });
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow("timeout");
});

test.each([false, true])("a body can be cut off early (chunked: %s)", async (chunked) => {
  fail({ cut: { after: 100, chunked } });
  const response = await ask("/items");
  expect(response.headers.get("content-length") === null).toBe(chunked);
  await expect(response.text()).rejects.toThrow("terminated");
  expect(gateway.requests.at(-1)).toMatchObject({ status: 200, sent: 100 });
});

test("a body can arrive in drips, and is complete", async () => {
  fail({ at: 1, drip: { bytes: 500, ms: 2 } });
  const dripped = await (await ask("/items")).text();
  expect(dripped).toBe(await (await ask("/items")).text());
});

test("a fault can run a statement between two pages", async () => {
  fail({ on: "GET /items", at: 2, before: () => gateway.query("insert into items values (0)") });
  const page = async () => (await (await ask("/items?order=id&limit=1")).json()) as unknown;
  expect([await page(), await page()]).toEqual([[{ id: 1 }], [{ id: 0 }]]);
});

test("a redirect leads a client that follows it to another host", async () => {
  const elsewhere = await startRecording();
  fail({ answer: answers.redirect(`${elsewhere.url}/rest/v1/items`) });
  expect(await (await ask("/items")).text()).toBe("[]");
  expect(elsewhere.requests).toMatchObject([{ method: "GET", target: "/rest/v1/items" }]);
  await expect(ask("/items", { redirect: "error" })).rejects.toThrow("fetch failed");
  expect(elsewhere.requests).toHaveLength(1);
  await elsewhere.stop();
});

test("the gateway records requests without their keys, and counts bytes", async () => {
  const before = gateway.requests.length;
  const text = await (await ask("/items?limit=3", { headers: { "X-Own": "1" } })).text();
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${gateway.serviceKey}` };
  await ask("/items?id=eq.-1", { method: "PATCH", body: '{"id":-1}', headers });
  const [read, changed] = gateway.requests.slice(before);
  expect(read).toMatchObject({
    ...{ method: "GET", target: "/rest/v1/items?limit=3", path: "/items", role: "service_role", status: 200 },
    ...{ received: 0, sent: text.length },
  });
  expect(changed).toMatchObject({ method: "PATCH", received: 9, sent: 0, status: 204 });
  expect(read?.headers["x-own"]).toBe("1");
  const all = JSON.stringify(gateway.requests);
  expect([all.includes(gateway.secretKey), all.includes(gateway.serviceKey)]).toEqual([false, false]);
});

test("the gateway can be stopped while a request stalls, and stopped twice", async () => {
  const other = await startPostgrest({ postgres });
  other.fail({ stall: "before" });
  const stalled = fetch(`${other.url}/rest/v1/`).catch((error: Error) => error.message);
  await expect.poll(() => other.requests.length).toBe(1);
  await other.stop();
  await other.stop();
  expect(await stalled).toBe("fetch failed");
});
