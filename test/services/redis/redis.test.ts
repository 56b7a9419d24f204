import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RedisService, startRedis } from "./redis.ts";
import { canRunRedis } from "./redis-program.ts";
import { encodeCommand, RedisFailure, type RedisReply, RedisStatus, ReplyReader } from "./resp.ts";

describe.runIf(await canRunRedis())("the Redis test service", () => {
  let redis: RedisService;

  beforeAll(async () => {
    redis = await startRedis();
  });

  beforeEach(async () => {
    await redis.flush();
  });

  afterAll(async () => {
    await redis.stop();
  });

  test("keeps bytes of any kind in keys and values", async () => {
    const key = Buffer.from([0, 255, 13, 10, 32]);
    const value = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    await redis.run("SET", key, value);
    expect(await redis.run("GET", key)).toEqual(value);
    expect(await redis.run("KEYS", "*")).toEqual([key]);
  });

  test("gives each kind of reply as what it is", async () => {
    const replies = await redis.exchange([
      ["SET", "k", "9223372036854775807"],
      ["GET", "none"],
      ["INCRBY", "k", 0],
      ["STRLEN", "k"],
      ["LPUSH", "k", "x"],
      ["MGET", "k", "none"],
      ["SMEMBERS", "none"],
      ["EVAL", "return {1, {'a', {}}}", 0],
    ]);
    expect(replies).toEqual([
      new RedisStatus("OK"),
      null,
      9223372036854775807n,
      19,
      new RedisFailure("WRONGTYPE Operation against a key holding the wrong kind of value"),
      [Buffer.from("9223372036854775807"), null],
      [],
      [1, [Buffer.from("a"), []]],
    ]);
    await expect(redis.run("LPUSH", "k", "x")).rejects.toThrow("WRONGTYPE");
  });

  test("carries values of many megabytes", async () => {
    const value = Buffer.alloc(20_000_000, "0123456789");
    await redis.run("SET", "big", value);
    expect(value.equals((await redis.run("GET", "big")) as Buffer)).toBe(true);
  });

  test("executes the commands of one call without those of others between them", async () => {
    const add = () => redis.exchange(Array.from({ length: 100 }, () => ["INCR", "n"]));
    const all = await Promise.all([add(), add(), add()]);
    expect(all.flat()).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
  });

  test("has all encodings of values", async () => {
    const encodingOf = async (...command: string[]) => {
      await redis.run(...command);
      return String(await redis.run("OBJECT", "ENCODING", command[1] ?? ""));
    };
    const long = "x".repeat(100);
    expect([
      await encodingOf("SET", "int", "1"),
      await encodingOf("SADD", "ints", "1", "2"),
      await encodingOf("SADD", "set", long, "2"),
      await encodingOf("HSET", "hash", "f", long),
      await encodingOf("ZADD", "zset", "1", long),
      await encodingOf("RPUSH", "list", ...Array.from({ length: 200 }, () => long)),
    ]).toEqual(["int", "intset", "hashtable", "hashtable", "skiplist", "quicklist"]);
  });

  test("is empty after a flush, in both databases", async () => {
    const other = await redis.connect();
    await other.exchange([
      ["SELECT", 1],
      ["SET", "k", "v"],
    ]);
    await redis.run("SET", "k", "v");
    await redis.flush();
    expect([await redis.run("DBSIZE"), await other.run("DBSIZE")]).toEqual([0, 0]);
  });

  test("leaves no folder behind when it is stopped, and may be stopped twice", async () => {
    const other = await startRedis();
    const folder = dirname(other.uri.slice("unix://".length));
    expect(existsSync(folder)).toBe(true);
    const underWay = other.run("BLPOP", "k", 0).catch((error: Error) => error.message);
    await other.stop();
    await other.stop();
    expect(await underWay).toBe("the connection to Redis has ended");
    expect(existsSync(folder)).toBe(false);
    await expect(other.run("PING")).rejects.toThrow("the connection to Redis has ended");
  });
});

test("replies are whole, in whatever pieces they arrive", () => {
  const value = Buffer.from("a\r\n$5\r\nb");
  const bytes = Buffer.concat([
    Buffer.from("*3\r\n:1\r\n*2\r\n$-1\r\n+OK\r\n"),
    encodeCommand([value]).subarray("*1\r\n".length),
    Buffer.from("-ERR no\r\n*-1\r\n*0\r\n"),
  ]);
  const whole: RedisReply[] = [
    [1, [null, new RedisStatus("OK")], value],
    new RedisFailure("ERR no"),
    null,
    [],
  ];
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new ReplyReader();
    const replies: RedisReply[] = [];
    for (let at = 0; at < bytes.length; at += size)
      replies.push(...reader.read(bytes.subarray(at, at + size)));
    expect(replies).toEqual(whole);
  }
});
