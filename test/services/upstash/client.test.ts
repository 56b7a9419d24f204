import { Redis, type RedisConfigNodejs } from "@upstash/redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ActiveFault } from "../http/faults.ts";
import { type RedisService, startRedis } from "../redis/redis.ts";
import { canRunRedis } from "../redis/redis-program.ts";
import * as answers from "./answers.ts";
import type { Fault } from "./faults.ts";
import { startUpstash, type Upstash } from "./upstash.ts";

/** What the vendor's own client makes of the service. */
describe.runIf(await canRunRedis())("the Upstash client", () => {
  let redis: RedisService;
  let upstash: Upstash;
  let client: Redis;
  const active: ActiveFault[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    upstash = await startUpstash({ redis });
    client = clientWith({});
  });

  beforeEach(async () => {
    await redis.flush();
  });

  afterEach(() => {
    for (const fault of active.splice(0)) fault.stop();
    upstash.settings.lacks = [];
  });

  afterAll(async () => {
    await upstash.stop();
    await redis.stop();
  });

  function fail(fault: Fault): void {
    active.push(upstash.fail({ at: 1, ...fault }));
  }

  function clientWith(options: Partial<RedisConfigNodejs>): Redis {
    const { url, token } = upstash;
    const retry = { retries: 0 };
    const config = { url, token, enableTelemetry: false, automaticDeserialization: false, retry, ...options };
    return new Redis(config as RedisConfigNodejs);
  }

  test.each(["base64", false] as const)(
    "reads texts exactly, with or without base64 (%s)",
    async (responseEncoding) => {
      const texts = [
        "",
        "test",
        "123",
        "1.10",
        "true",
        "null",
        "OK",
        '"q"',
        '{"a": 9007199254740993}',
        "ü\0😀\r\n",
      ];
      const other = clientWith({ responseEncoding });
      for (const text of texts) await other.set(text || "empty", text);
      expect(await other.mget(texts.map((text) => text || "empty"))).toEqual(texts);
      const read: unknown[] = [];
      for (const text of texts) read.push(await other.get(text || "empty"));
      expect(read).toEqual(texts);
      expect(await other.get("none")).toBeNull();
    },
  );

  test("writes and reads all types", async () => {
    const typed = clientWith({ automaticDeserialization: true });
    await typed.set("string", { a: [1, "ü"] }, { ex: 100 });
    expect(await typed.get("string")).toEqual({ a: [1, "ü"] });
    await typed.hset("hash", { f: "v", "2": "w" });
    expect(await typed.hgetall("hash")).toEqual({ f: "v", "2": "w" });
    await typed.rpush("list", "a", "b", "a");
    expect(await typed.lrange("list", 0, -1)).toEqual(["a", "b", "a"]);
    await typed.sadd("set", "x", "y");
    expect((await typed.smembers("set")).toSorted()).toEqual(["x", "y"]);
    await typed.zadd("zset", { score: 1.5, member: "m" }, { score: -2.5, member: "low" });
    expect(await typed.zrange("zset", 0, -1, { withScores: true })).toEqual(["low", -2.5, "m", 1.5]);
    const id = await typed.xadd("stream", "5-1", { f: "v", g: "w" });
    expect([id, await typed.xrange("stream", "-", "+")]).toEqual(["5-1", { "5-1": { f: "v", g: "w" } }]);
    const types = [];
    for (const key of ["string", "hash", "list", "set", "zset", "stream", "none"])
      types.push(await typed.type(key));
    expect(types).toEqual(["string", "hash", "list", "set", "zset", "stream", "none"]);
    const left = await typed.ttl("string");
    expect([left > 60, left <= 100]).toEqual([true, true]);
  });

  test("writes and reads JSON where the server has it, and learns where it has not", async () => {
    const [known] = (await redis.run("COMMAND", "INFO", "JSON.SET")) as readonly unknown[];
    const written = client.json.set("doc", "$", { a: [1, 1.5] });
    if (known === null) {
      await expect(written).rejects.toThrow("Command is not available: 'JSON.SET'");
    } else {
      expect(await written).toBe("OK");
      expect(await client.json.get("doc")).toBe('{"a":[1,1.5]}');
    }
  });

  test("has the bytes of a value when it decodes base64 itself", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    await redis.run("SET", "k", bytes);
    await redis.run("RPUSH", "l", bytes);
    const raw = clientWith({ responseEncoding: false });
    (raw as unknown as { client: { headers: Record<string, string> } }).client.headers["Upstash-Encoding"] =
      "base64";
    const [text, list] = [await raw.get<string>("k"), await raw.lrange<string>("l", 0, -1)];
    expect(Buffer.from(text ?? "", "base64")).toEqual(bytes);
    expect(list.map((item) => Buffer.from(item, "base64"))).toEqual([bytes]);
  });

  test("sends what is asked at once in one pipeline, and keeps errors apart", async () => {
    await client.lpush("list", "x");
    const before = upstash.requests.length;
    const [text, number] = await Promise.all([client.set("k", "v"), client.incr("n")]);
    expect([text, number]).toEqual(["OK", 1]);
    const results = await client.pipeline().get("k").get("list").dbsize().exec({ keepErrors: true });
    expect(results).toMatchObject([
      { result: "v" },
      { error: "WRONGTYPE Operation against a key holding the wrong kind of value" },
      { result: 3 },
    ]);
    expect(
      upstash.requests.slice(before).map(({ path, commands, billed }) => [path, commands, billed]),
    ).toEqual([
      ["/pipeline", ["SET", "INCR"], 2],
      ["/pipeline", ["GET", "GET", "DBSIZE"], 3],
    ]);
  });

  test("runs transactions as a whole", async () => {
    expect(await client.multi().set("k", "1").incr("k").pexpireat("k", 4_000_000_000_000).exec()).toEqual([
      "OK",
      2,
      1,
    ]);
    expect(await client.pttl("k")).toBeGreaterThan(1_000_000_000);
    upstash.settings.lacks = ["GETDEL"];
    const discarded = client.multi().set("k", "9").getdel("k").exec();
    await expect(discarded).rejects.toThrow("Command is not available");
    expect(await client.get("k")).toBe("2");
  });

  test("scans all keys, with their types on request", async () => {
    await Promise.all(Array.from({ length: 300 }, (_, n) => client.set(`k${n}`, n)));
    await client.sadd("set", "m");
    const found: string[] = [];
    let cursor = "0";
    do {
      const [next, keys] = await client.scan(cursor, { count: 100 });
      found.push(...keys);
      cursor = String(next);
    } while (cursor !== "0");
    expect(new Set(found).size).toBe(301);
    const typing = clientWith({ automaticDeserialization: true });
    const [, typed] = await typing.scan("0", { count: 1000, withType: true, match: "s*" });
    expect(typed).toEqual([{ key: "set", type: "set" }]);
  });

  test("runs scripts", async () => {
    const script = "return {redis.call('SET', KEYS[1], ARGV[1]), redis.call('GET', KEYS[1])}";
    const { billed } = upstash;
    expect(await client.eval(script, ["k"], ["v"])).toEqual(["OK", "v"]);
    expect(upstash.billed - billed).toBe(3);
    const sha = await client.scriptLoad(script);
    expect(await client.evalsha(sha, ["k"], ["w"])).toEqual(["OK", "w"]);
  });

  test("reads its own writes from a lagging replica, and others do not", async () => {
    const other = clientWith({});
    await client.set("k", "old");
    active.push(await upstash.lag());
    await client.set("k", "new");
    expect([await client.get("k"), await other.get("k")]).toEqual(["new", "old"]);
  });

  test("throws each refusal", async () => {
    await expect(clientWith({ token: "wrong" }).get("k")).rejects.toThrow(
      "WRONGPASS invalid or missing auth token",
    );
    await expect(clientWith({ token: upstash.readOnlyToken }).scan("0")).rejects.toThrow("NOPERM");
    fail({ answer: answers.tooManyRequests(1) });
    await expect(client.get("k")).rejects.toThrow("max requests limit exceeded");
    fail({ items: { error: answers.texts.monthlyQuota() } });
    await expect(client.get("k")).rejects.toThrow("Limit: 500000, Usage: 500000");
    fail({ answer: answers.htmlFailure(502) });
    await expect(client.get("k")).rejects.toThrow("Unable to parse response body: <html>");
    fail({ reset: "lost-reply" });
    await expect(client.get("k")).rejects.toThrow("fetch failed");
  });
});
