import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ActiveFault } from "../http/faults.ts";
import { type RedisService, startRedis } from "../redis/redis.ts";
import { canRunRedis } from "../redis/redis-program.ts";
import * as answers from "./answers.ts";
import type { Fault } from "./faults.ts";
import { startUpstash, type Upstash } from "./upstash.ts";

describe.runIf(await canRunRedis())("faults of the Upstash test service", () => {
  let redis: RedisService;
  let upstash: Upstash;
  const active: ActiveFault[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    upstash = await startUpstash({ redis });
  });

  beforeEach(async () => {
    await redis.flush();
  });

  afterEach(() => {
    for (const fault of active.splice(0)) fault.stop();
  });

  afterAll(async () => {
    await upstash.stop();
    await redis.stop();
  });

  function fail(fault: Fault): ActiveFault {
    const added = upstash.fail(fault);
    active.push(added);
    return added;
  }

  function ask(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    return fetch(`${upstash.url}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      ...init,
      headers: { Authorization: `Bearer ${upstash.token}`, ...init.headers },
    });
  }

  async function itemsOf(commands: readonly (readonly unknown[])[], path = "/pipeline"): Promise<unknown[]> {
    return (await (await ask(path, commands)).json()) as unknown[];
  }

  async function scan(cursor: string, ...options: unknown[]): Promise<[string, string[]]> {
    const response = await ask("/", ["SCAN", cursor, ...options]);
    return ((await response.json()) as { result: [string, string[]] }).result;
  }

  test("a fault affects only the requests that it matches, at its turns", async () => {
    const second = fail({ on: "POST /pipeline", at: 2, answer: answers.failure(500, "ERR internal") });
    const statuses: number[] = [];
    for (let n = 0; n < 3; n++) statuses.push((await ask("/pipeline", [["PING"]])).status);
    statuses.push((await ask("/", ["PING"])).status);
    expect([statuses, second.hits]).toEqual([[200, 500, 200, 200], 1]);
    fail({
      on: ({ call, commands }) => commands.includes("GET") && call?.commands[0]?.[1]?.toString() === "b",
      every: 2,
      times: 1,
      answer: answers.htmlFailure(502),
    });
    const later: number[] = [];
    for (const key of ["b", "a", "b", "b", "b"]) later.push((await ask("/", ["GET", key])).status);
    expect(later).toEqual([200, 200, 502, 200, 200]);
  });

  test.each([
    ["429 with seconds", answers.tooManyRequests(3), 429, "3"],
    ["429 with a date", answers.tooManyRequests(new Date(0)), 429, "Thu, 01 Jan 1970 00:00:00 GMT"],
    ["429 without a time to wait", answers.tooManyRequests(), 429, null],
    ["the text of a monthly quota under 400", answers.failure(400, answers.texts.monthlyQuota()), 400, null],
    ["the text of a daily quota under 200", answers.failure(200, answers.texts.dailyQuota()), 200, null],
    ["503 in HTML with seconds", answers.htmlFailure(503, { "Retry-After": "1" }), 503, "1"],
    ["520 in HTML", answers.htmlFailure(520), 520, null],
    ["500 in JSON", answers.failure(500, "ERR internal error"), 500, null],
  ])(
    "a fault can answer with %s, and nothing is executed or billed",
    async (_, answer, status, retryAfter) => {
      const { billed } = upstash;
      fail({ answer });
      const response = await ask("/", ["SET", "k", "v"]);
      expect([response.status, response.headers.get("retry-after")]).toEqual([status, retryAfter]);
      expect(await response.text()).toBe(answer.body);
      expect([await redis.run("DBSIZE"), upstash.billed - billed]).toEqual([0, 0]);
    },
  );

  test("a fault can give some commands of a pipeline an error, and the others are executed", async () => {
    const { billed } = upstash;
    fail({ at: 1, items: { at: [1, 2], error: answers.texts.monthlyQuota() } });
    fail({ at: 1, items: { at: 0, error: answers.texts.wrongType() } });
    fail({ at: 1, items: { error: answers.texts.dailyQuota() } });
    const commands = [
      ["SET", "a", "1"],
      ["SET", "b", "2"],
      ["SET", "c", "3"],
      ["EXISTS", "a", "b", "c"],
    ];
    const quota = { error: answers.texts.monthlyQuota() };
    expect(await itemsOf(commands)).toEqual([{ result: "OK" }, quota, quota, { result: 1 }]);
    expect(upstash.billed - billed).toBe(2);
    const typed = { error: "WRONGTYPE Operation against a key holding the wrong kind of value" };
    expect(await itemsOf(commands.slice(0, 2), "/multi-exec")).toEqual([typed, { result: "OK" }]);
    expect(await itemsOf([["GET", "a"]])).toEqual([{ error: answers.texts.dailyQuota() }]);
  });

  test("a reset before execution prevents commands, and a lost reply does not", async () => {
    fail({ at: 1, reset: "before" });
    fail({ at: 1, reset: "lost-reply" });
    await expect(ask("/", ["SET", "a", "v"])).rejects.toThrow("fetch failed");
    await expect(ask("/", ["SET", "b", "v"])).rejects.toThrow("fetch failed");
    expect(String(await redis.run("KEYS", "*"))).toBe("b");
    expect(upstash.requests.slice(-2).map(({ billed, status }) => [billed, status])).toEqual([
      ...[
        [0, undefined],
        [1, undefined],
      ],
    ]);
  });

  test("an answer can stall before its headers and in its body, until the client's timeout", async () => {
    fail({ at: 1, stall: "before" });
    fail({ at: 1, stall: { after: 5 } });
    const signal = () => AbortSignal.timeout(100);
    await expect(ask("/", ["SET", "a", "v"], { signal: signal() })).rejects.toThrow("timeout");
    const response = await ask("/", ["SET", "b", "v"], { signal: signal() });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow("timeout");
    expect(String(await redis.run("KEYS", "*"))).toBe("b");
  });

  test.each([false, true])("a body can be cut off early (chunked: %s)", async (chunked) => {
    await redis.run("SET", "k", "x".repeat(1000));
    fail({ cut: { after: 100, chunked } });
    const response = await ask("/", ["GET", "k"]);
    expect(response.headers.get("content-length") === null).toBe(chunked);
    await expect(response.text()).rejects.toThrow("terminated");
    expect(upstash.requests.at(-1)).toMatchObject({ status: 200, sent: 100, billed: 1 });
  });

  test("a body can arrive in drips, and is complete", async () => {
    await redis.run("SET", "k", "x".repeat(1000));
    fail({ drip: { bytes: 300, ms: 2 } });
    expect(await (await ask("/", ["GET", "k"])).json()).toEqual({ result: "x".repeat(1000) });
  });

  test("a fault can change data between two requests", async () => {
    fail({ on: "POST", at: 2, before: () => redis.run("SET", "k", "of another client") });
    await ask("/", ["SET", "k", "mine"]);
    expect(await (await ask("/", ["GET", "k"])).json()).toEqual({ result: "of another client" });
  });

  test("SCAN can give keys twice, within a page and on the next", async () => {
    const keys = Array.from({ length: 50 }, (_, n) => `key ${n}`);
    await redis.exchange(keys.map((key) => ["SET", key, "v"]));
    fail({ pages: "duplicates" });
    const found: string[] = [];
    let cursor = "0";
    do {
      const [next, page] = await scan(cursor, "COUNT", 20);
      found.push(...page);
      cursor = next;
    } while (cursor !== "0");
    expect(found.length).toBeGreaterThan(55);
    expect(new Set(found)).toEqual(new Set(keys));
  });

  test("SCAN can give empty pages anywhere, with a cursor that no number holds", async () => {
    const keys = Array.from({ length: 50 }, (_, n) => `key ${n}`);
    await redis.exchange(keys.map((key) => ["SET", key, "v"]));
    const empty = fail({ on: ({ commands }) => commands.includes("SCAN"), at: [1, 2, 4], pages: "empty" });
    const [first, nothing] = await scan("0", "COUNT", 20, "WITHTYPE");
    expect([nothing, BigInt(first) > 2n ** 64n - 1n]).toEqual([[], true]);
    const found: string[] = [];
    for (let cursor = first; cursor !== "0"; ) {
      const [next, page] = await scan(cursor, "COUNT", 20);
      found.push(...page);
      cursor = next;
    }
    expect(found.toSorted()).toEqual(keys.toSorted());
    expect(empty.hits).toBe(3);
  });

  test("HSCAN, SSCAN and ZSCAN can give pages twice or empty, too", async () => {
    await redis.run("HSET", "h", "f", "1");
    await redis.run("SADD", "s", "m");
    await redis.run("ZADD", "z", 2, "m");
    const twice = fail({ pages: "duplicates" });
    const commands = [
      ["HSCAN", "h", "0"],
      ["SSCAN", "s", "0"],
      ["ZSCAN", "z", "0"],
    ];
    expect(
      (await itemsOf(commands)).map((item) => (item as { result: [string, string[]] }).result[1].length),
    ).toEqual([...[4, 2, 4]]);
    await redis.run("SREM", "s", "m");
    expect(await itemsOf([["SSCAN", "s", "0"]])).toEqual([{ result: ["0", []] }]);
    twice.stop();
    fail({ at: 1, pages: "empty" });
    const [page] = (await itemsOf([["HSCAN", "h", "0"]])) as [{ result: [string, string[]] }];
    expect(page.result[1]).toEqual([]);
    expect(await itemsOf([["HSCAN", "h", page.result[0]]])).toEqual([{ result: ["0", ["f", "1"]] }]);
  });

  test("a lagging replica serves old values to clients that have not seen newer ones", async () => {
    const token = async (init?: RequestInit) =>
      (await ask("/", ["GET", "k"], init)).headers.get("upstash-sync-token") ?? "";
    await ask("/pipeline", [
      ["SET", "k", "old"],
      ["EXPIRE", "k", 1000],
    ]);
    const before = await token();
    const lag = await upstash.lag();
    active.push(lag);
    const written = await ask("/", ["SET", "k", "new"]);
    const after = written.headers.get("upstash-sync-token") ?? "";
    expect(after).not.toBe(before);
    const read = async (syncToken: string) => {
      const headers = { "Upstash-Sync-Token": syncToken };
      const response = await ask(
        "/pipeline",
        [
          ["GET", "k"],
          ["TTL", "k"],
          ["SCAN", "0"],
        ],
        { headers },
      );
      return ((await response.json()) as { result: unknown }[]).map(({ result }) => result);
    };
    expect(await read("")).toEqual(["old", 1000, ["0", ["k"]]]);
    expect(await read(before)).toEqual(["old", 1000, ["0", ["k"]]]);
    expect(await read(after)).toEqual(["new", -1, ["0", ["k"]]]);
    lag.stop();
    expect((await read(""))[0]).toBe("new");
  });

  test("a replica that knows nothing of newer moments keeps whoever only reads at its own", async () => {
    let token = "";
    const send = async (...commands: string[][]) => {
      const response = await ask("/pipeline", commands, { headers: { "Upstash-Sync-Token": token } });
      token = response.headers.get("upstash-sync-token") ?? "";
      return ((await response.json()) as { result: unknown }[]).map(({ result }) => result);
    };
    await redis.run("SET", "k", "old");
    active.push(await upstash.lag({}, "unaware"));
    await ask("/", ["SET", "k", "new"]);
    await ask("/", ["SET", "l", "new", "PX", "60000"]);
    for (let time = 1; time <= 2; time++) {
      const [value, size, info] = await send(["GET", "k"], ["DBSIZE"], ["INFO", "keyspace"]);
      expect([value, size, info]).toEqual(["old", 1, expect.stringContaining("db0:keys=1,expires=0")]);
    }
    await send(["SET", "m", "new"]);
    expect(await send(["GET", "k"], ["DBSIZE"])).toEqual(["new", 3]);
  });
});
