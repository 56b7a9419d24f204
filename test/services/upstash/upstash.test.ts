import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RedisService, startRedis } from "../redis/redis.ts";
import { canRunRedis } from "../redis/redis-program.ts";
import { startUpstash, type Upstash } from "./upstash.ts";

/** What plain requests get. */
describe.runIf(await canRunRedis())("the Upstash test service", () => {
  let redis: RedisService;
  let upstash: Upstash;

  beforeAll(async () => {
    redis = await startRedis();
    upstash = await startUpstash({ redis });
  });

  beforeEach(async () => {
    await redis.flush();
    Object.assign(upstash.settings, { quota: undefined, full: false, keyspaceInfo: true, lacks: [] });
  });

  afterAll(async () => {
    await upstash.stop();
    await redis.stop();
  });

  async function ask(path: string, init: RequestInit = {}) {
    const headers = { Authorization: `Bearer ${upstash.token}`, ...init.headers };
    const response = await fetch(`${upstash.url}${path}`, { ...init, headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  function post(path: string, body: unknown, headers: Record<string, string> = {}) {
    return ask(path, { method: "POST", body: JSON.stringify(body), headers });
  }

  async function seen(answer: ReturnType<typeof ask>) {
    const { status, text } = await answer;
    return [status, text];
  }

  async function billedFor(act: () => Promise<unknown>): Promise<number> {
    const before = upstash.billed;
    await act();
    return upstash.billed - before;
  }

  const NOT_AVAILABLE = "'. See https://upstash.com/docs/redis/overall/rediscompatibility for details";

  test("a command in the body is answered with its result in JSON", async () => {
    expect(await seen(post("/", ["SET", "k", 'a "ü"', "EX", 100]))).toEqual([200, '{"result":"OK"}']);
    expect(await seen(post("/", ["get", "k"]))).toEqual([200, '{"result":"a \\"ü\\""}']);
    expect(await seen(post("/", ["GET", "none"]))).toEqual([200, '{"result":null}']);
    expect(await seen(post("/", ["MGET", "k", "none"]))).toEqual([200, '{"result":["a \\"ü\\"",null]}']);
    expect(await seen(post("/", ["SET", "n", "9223372036854775806"]))).toEqual([200, '{"result":"OK"}']);
    expect(await seen(post("/", ["INCR", "n"]))).toEqual([200, '{"result":9223372036854775807}']);
    expect((await post("/", ["PING"])).headers.get("content-type")).toBe("application/json");
  });

  test("a failed command is answered with 400 and the error of Redis", async () => {
    await redis.run("LPUSH", "list", "x");
    expect(await seen(post("/", ["GET", "list"]))).toEqual([
      ...[400, '{"error":"WRONGTYPE Operation against a key holding the wrong kind of value"}'],
    ]);
    expect(await seen(post("/", ["GET"]))).toEqual([
      ...[400, `{"error":"ERR wrong number of arguments for 'get' command"}`],
    ]);
  });

  test("a command in the path takes the body as its last argument, and parameters after it", async () => {
    expect(await seen(ask("/set/a%20key/v%2F1"))).toEqual([200, '{"result":"OK"}']);
    expect(await seen(ask("/get/a%20key"))).toEqual([200, '{"result":"v/1"}']);
    const body = Buffer.from([0, 255, 128, 13, 10]);
    expect(await seen(ask("/set/%FF?EX=100&NX", { method: "POST", body }))).toEqual([200, '{"result":"OK"}']);
    expect(await redis.run("GET", Buffer.from([255]))).toEqual(body);
    expect(await redis.run("TTL", Buffer.from([255]))).toBe(100);
    expect(await seen(ask("/set/%FF?NX", { method: "PUT", body: "x" }))).toEqual([200, '{"result":null}']);
    expect(await seen(ask("/get/a%20key", { method: "HEAD" }))).toEqual([200, ""]);
  });

  test("a pipeline answers each command on its own", async () => {
    const commands = [["SET", "k", "v"], ["INCR", "k"], ["NOPE"], ["GET", "k"], ["MULTI"]];
    const { status, text } = await post("/pipeline", commands);
    expect([status, JSON.parse(text)]).toEqual([
      200,
      [
        { result: "OK" },
        { error: "ERR value is not an integer or out of range" },
        { error: `ERR Command is not available: 'NOPE${NOT_AVAILABLE}` },
        { result: "v" },
        { error: 'ERR Command "MULTI" is not allowed in REST or it has a special context path' },
      ],
    ]);
  });

  test("a transaction executes all commands in spite of failures, or is discarded as a whole", async () => {
    const { status, text } = await post("/multi-exec", [
      ["SET", "k", "v"],
      ["INCR", "k"],
      ["GET", "k"],
    ]);
    expect([status, text]).toEqual([
      200,
      '[{"result":"OK"},{"error":"ERR value is not an integer or out of range"},{"result":"v"}]',
    ]);
    expect(await seen(post("/multi-exec", [["SET", "k", "w"], ["NOPE"]]))).toEqual([
      ...[400, `{"error":"ERR Command is not available: 'NOPE${NOT_AVAILABLE}"}`],
    ]);
    expect(await seen(post("/multi-exec", [["SET", "k", "w"], ["GET"]]))).toEqual([
      ...[400, '{"error":"EXECABORT Transaction discarded because of previous errors."}'],
    ]);
    expect(String(await redis.run("GET", "k"))).toBe("v");
  });

  test("base64 encodes every text of an answer but OK and errors", async () => {
    const value = Buffer.from([0, 255, 254]);
    await redis.run("HSET", "h", "f", value);
    await redis.run("SET", "ok", "OK");
    const commands = [
      ["HGETALL", "h"],
      ["SET", "k", "v"],
      ["GET", "ok"],
      ["TYPE", "h"],
      ["GET", "h"],
      ["DEL", "k"],
      ["GET", "k"],
      ["EVAL", "return {redis.status_reply('OK')}", 0],
    ];
    const { text } = await post("/pipeline", commands, { "Upstash-Encoding": "base64" });
    const base64 = (bytes: string) => Buffer.from(bytes).toString("base64");
    expect(JSON.parse(text)).toEqual([
      { result: [base64("f"), value.toString("base64")] },
      { result: "OK" },
      { result: base64("OK") },
      { result: base64("hash") },
      { error: "WRONGTYPE Operation against a key holding the wrong kind of value" },
      { result: 1 },
      { result: null },
      { result: [base64("OK")] },
    ]);
    expect(JSON.parse((await post("/", ["HGET", "h", "f"])).text)).toEqual({ result: "\0\uFFFD\uFFFD" });
  });

  test("a wrong or missing token is refused, and a token may be a parameter", async () => {
    const refused = [401, '{"error":"WRONGPASS invalid or missing auth token"}'];
    expect(await seen(post("/", ["PING"], { Authorization: "Bearer wrong" }))).toEqual(refused);
    expect(await seen(post("/pipeline", [["PING"]], { Authorization: "" }))).toEqual(refused);
    expect(await seen(ask(`/ping?_token=${upstash.token}`, { headers: { Authorization: "" } }))).toEqual([
      ...[200, '{"result":"PONG"}'],
    ]);
    expect(JSON.stringify(upstash.requests).includes(upstash.token)).toBe(false);
  });

  test("the read-only token reads, and neither writes nor scans", async () => {
    await redis.run("SET", "k", "v");
    const headers = { Authorization: `Bearer ${upstash.readOnlyToken}` };
    const refusal = (name: string) => ({
      error: `NOPERM this user has no permissions to run the '${name}' command or its subcommand`,
    });
    const commands = [
      ["GET", "k"],
      ["SET", "k", "w"],
      ["SCAN", "0"],
      ["KEYS", "*"],
      ["EVALSHA", "x", 0],
      ["PING"],
    ];
    expect(JSON.parse((await post("/pipeline", commands, headers)).text)).toEqual([
      { result: "v" },
      ...["set", "scan", "keys", "evalsha"].map(refusal),
      { result: "PONG" },
    ]);
    expect(await seen(post("/", ["SET", "k", "w"], headers))).toEqual([400, JSON.stringify(refusal("set"))]);
  });

  test("what Upstash does not run over REST is refused, and nothing waits", async () => {
    const errorOf = async (...command: unknown[]) => {
      const { status, text } = await post("/", command);
      return [status, (JSON.parse(text) as { error?: string }).error?.split(". See")[0]];
    };
    const special = (name: string) => [
      400,
      `ERR Command "${name}" is not allowed in REST or it has a special context path`,
    ];
    const missing = (name: string) => [400, `ERR Command is not available: '${name}'`];
    expect(await errorOf("BLPOP", "k", 0)).toEqual(special("BLPOP"));
    expect(await errorOf("XREAD", "BLOCK", 0, "STREAMS", "k", "$")).toEqual(special("XREAD"));
    expect(await errorOf("SUBSCRIBE", "c")).toEqual(special("SUBSCRIBE"));
    expect(await errorOf("CONFIG", "GET", "*")).toEqual(missing("CONFIG"));
    expect(await errorOf("MEMORY", "STATS")).toEqual(missing("MEMORY STATS"));
    expect(await errorOf("XREAD", "STREAMS", "k", "0")).toEqual([200, undefined]);
    upstash.settings.lacks = ["MSETNX"];
    expect(await errorOf("MSETNX", "k", "v")).toEqual(missing("MSETNX"));
  });

  test("malformed requests are refused", async () => {
    const statusOf = async (answer: ReturnType<typeof ask>) => (await answer).status;
    expect(await seen(ask("/get/k", { method: "DELETE" }))).toEqual([405, '{"error":"Method Not Allowed"}']);
    expect(await statusOf(ask("/", { method: "POST", body: "{" }))).toBe(400);
    expect(await statusOf(post("/", {}))).toBe(400);
    expect(await statusOf(post("/", ["SET", "k", null]))).toBe(400);
    expect(await statusOf(post("/pipeline", ["GET", "k"]))).toBe(400);
    expect(await statusOf(ask("/pipeline"))).toBe(400);
    expect(await statusOf(post("/", ["PING"], { "Upstash-Response-Format": "resp2" }))).toBe(400);
  });

  test("requests, results and keys over the limits are refused", async () => {
    upstash.settings.maxRequestBytes = 1000;
    const { status, text } = await post("/pipeline", [["SET", "k", "x".repeat(2000)]]);
    expect([status, text]).toEqual([
      400,
      '{"error":"ERR max request size exceeded. Limit: 1000 bytes, Actual: 2016 bytes. See https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded for details"}',
    ]);
    await redis.run("SET", "k", "x".repeat(2000));
    const { text: read } = await post("/pipeline", [
      ["GET", "k"],
      ["STRLEN", "k"],
    ]);
    expect(JSON.parse(read)).toMatchObject([
      { error: expect.stringContaining("Actual: 2000 bytes") },
      { result: 2000 },
    ]);
    upstash.settings.maxRequestBytes = 10 * 1024 * 1024;
    expect((await post("/", ["SET", "x".repeat(32_768), "v"])).status).toBe(200);
    expect(await seen(post("/", ["MSET", "k", "v", "x".repeat(32_769), "v"]))).toEqual([
      ...[400, '{"error":"ERR max key size exceeded. Limit: 32768 bytes, Actual: 32769 bytes"}'],
    ]);
  });

  test("each command is billed, also in pipelines, transactions and scripts", async () => {
    expect(await billedFor(() => post("/", ["SET", "k", "v"]))).toBe(1);
    expect(await billedFor(() => post("/pipeline", [["GET", "k"], ["INCR", "k"], ["NOPE"]]))).toBe(2);
    expect(
      await billedFor(() =>
        post("/multi-exec", [
          ["GET", "k"],
          ["DEL", "k"],
        ]),
      ),
    ).toBe(2);
    expect(await billedFor(() => post("/multi-exec", [["GET", "k"], ["DEL"]]))).toBe(0);
    const script =
      "redis.call('SET', KEYS[1], 1) redis.call('INCR', KEYS[1]) return redis.call('GET', KEYS[1])";
    expect(await billedFor(() => post("/", ["EVAL", script, 1, "k"]))).toBe(4);
    expect(
      await billedFor(() =>
        post("/multi-exec", [
          ["EVAL", script, 1, "k"],
          ["GET", "k"],
        ]),
      ),
    ).toBe(5);
    expect(await billedFor(() => post("/pipeline", [["PING"], ["INFO"]]))).toBe(0);
    expect(await billedFor(() => ask("/get/k", { headers: { Authorization: "" } }))).toBe(0);
    expect(await billedFor(() => redis.run("GET", "k"))).toBe(0);
    const [both] = await Promise.all([
      post("/pipeline", [
        ["GET", "k"],
        ["GET", "k"],
      ]),
      post("/", ["GET", "k"]),
    ]);
    expect(both.status).toBe(200);
    expect(
      upstash.requests
        .slice(-2)
        .map(({ billed }) => billed)
        .toSorted(),
    ).toEqual([1, 2]);
  });

  test("a used-up quota refuses what is billed, and nothing else", async () => {
    upstash.settings.quota = upstash.billed + 2;
    const { text } = await post("/pipeline", [["SET", "a", "1"], ["GET", "a"], ["GET", "a"], ["PING"]]);
    const error = `ERR max requests limit exceeded. Limit: ${upstash.billed}, Usage: ${upstash.billed}. See https://upstash.com/docs/redis/troubleshooting/max_requests_limit for details`;
    expect(JSON.parse(text)).toEqual([{ result: "OK" }, { result: "1" }, { error }, { result: "PONG" }]);
    expect(await seen(post("/", ["GET", "a"]))).toEqual([400, JSON.stringify({ error })]);
    expect(await seen(post("/multi-exec", [["GET", "a"]]))).toEqual([400, JSON.stringify({ error })]);
    expect(await seen(post("/", ["PING"]))).toEqual([200, '{"result":"PONG"}']);
  });

  test("a full database still reads and deletes, and runs no scripts that may write", async () => {
    await redis.run("SET", "k", "v");
    upstash.settings.full = true;
    const script = ["return redis.call('GET', KEYS[1])", 1, "k"];
    const commands = [
      ["SET", "k", "w"],
      ["EVAL", ...script],
      ["EVAL_RO", ...script],
      ["GET", "k"],
      ["DEL", "k"],
    ];
    const error = "ERR DB capacity quota exceeded";
    const { text } = await post("/pipeline", commands);
    expect(JSON.parse(text)).toEqual([{ error }, { error }, { result: "v" }, { result: "v" }, { result: 1 }]);
  });

  test("SCAN tells types with WITHTYPE, and bills one command", async () => {
    await redis.run("SET", "text", "v");
    await redis.run("ZADD", "sorted", 1, "m");
    const answer = post("/", ["SCAN", "0", "MATCH", "*", "WITHTYPE", "COUNT", 100]);
    expect(await billedFor(() => answer)).toBe(1);
    const { result } = JSON.parse((await answer).text) as { result: [string, string[]] };
    expect(result[0]).toBe("0");
    expect(result[1].join()).toMatch(/^(text,string,sorted,zset|sorted,zset,text,string)$/);
    const strings = await post("/", ["SCAN", "0", "WITHTYPE", "TYPE", "string"]);
    expect(strings.text).toBe('{"result":["0",["text","string"]]}');
  });

  test("INFO tells how many keys expire, unless that is switched off", async () => {
    await redis.run("SET", "k", "v");
    const other = await redis.connect();
    await other.exchange([
      ["SELECT", 1],
      ["SET", "hidden", "v"],
    ]);
    expect((await post("/", ["INFO", "keyspace"])).text).toMatch(/db0:keys=1,expires=0,(?!.*db1)/);
    upstash.settings.keyspaceInfo = false;
    expect((await post("/", ["INFO", "keyspace"])).text).not.toContain("db");
    await post("/", ["FLUSHALL"]);
    expect([await redis.run("DBSIZE"), await other.run("DBSIZE")]).toEqual([0, 1]);
    await other.close();
  });

  test("the service can be stopped while a request stalls, and stops its own Redis, too", async () => {
    const other = await startUpstash();
    other.fail({ stall: "before" });
    const stalled = fetch(`${other.url}/ping`).catch((error: Error) => error.message);
    await expect.poll(() => other.requests.length).toBe(1);
    await other.stop();
    await other.stop();
    expect(await stalled).toBe("fetch failed");
    await expect(other.redis.run("PING")).rejects.toThrow("the connection to Redis has ended");
  });
});
