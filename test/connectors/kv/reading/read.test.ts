import { describe, expect, it } from "vitest";
import { contentHash } from "../../../../src/connectors/kv/entry/content-hash.ts";
import { idOfKey } from "../../../../src/connectors/kv/entry/key-id.ts";
import type { WritableKv } from "../../../../src/connectors/kv/kv.ts";
import type { DocumentId } from "../../../../src/model/document.ts";
import { canRunRedis } from "../../../services/redis/redis-program.ts";
import { never } from "../../../support/signal.ts";
import { costOf, entryOf, KEYS, kvFixture, readAll } from "../../../support/stores/kv-store.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const idOf = (key: string | Uint8Array): DocumentId => idOfKey(typeof key === "string" ? bytes(key) : key);

describe.runIf(await canRunRedis())("keys of a KV store are read", () => {
  const kv = kvFixture();

  async function read(key: string | Uint8Array, store?: WritableKv): Promise<unknown> {
    const all = await readAll(store ?? (await kv.open()));
    return entryOf(all.get(idOf(key).key)).content;
  }

  it("with all types, in every encoding that Redis has for them", async () => {
    const many = Array.from({ length: 700 }, (_, n) => `member ${n}`);
    const long = "x".repeat(5_000);
    await kv.redis("SET", "text", "plain");
    await kv.redis("SET", "number", "12345");
    await kv.redis("SET", "empty", "");
    await kv.redis("SET", "long", long);
    await kv.redis("SET", "bytes", Buffer.from([0, 255, 254, 10]));
    await kv.redis("SADD", "intset", 3, 1, 2);
    await kv.redis("SADD", "listpack set", "b", "a", "c");
    await kv.redis("SADD", "hashtable set", ...many);
    await kv.redis("RPUSH", "short list", "b", "a", "b");
    await kv.redis("RPUSH", "quicklist", ...many, long);
    await kv.redis("HSET", "short hash", "f", "1", "e", "2");
    await kv.redis("HSET", "hashtable", ...many.flatMap((name) => [name, long.slice(0, 80)]));
    await kv.redis("ZADD", "short zset", 2, "b", 1.1, "a", "-inf", "least", "+inf", "most", 1e-320, "tiny");
    await kv.redis("ZADD", "skiplist", ...many.flatMap((name, n) => [n / 3, name]));
    await kv.redis("XADD", "stream", "5-1", "f", "1", "f", "2");
    await kv.redis("XADD", "stream", "6-0", "g", "");
    await kv.redis("XDEL", "stream", "6-0");
    const store = await kv.open();
    const all = await readAll(store);
    const contentOf = (key: string): unknown => entryOf(all.get(idOf(key).key)).content;
    expect(all.size).toBe(15);
    const members = many.map(bytes);
    const sorted = members.toSorted(Buffer.compare);
    const string = (value: Uint8Array): unknown => ({ type: "string", value });
    expect(contentOf("text")).toEqual(string(bytes("plain")));
    expect(contentOf("number")).toEqual(string(bytes("12345")));
    expect(contentOf("empty")).toEqual(string(bytes("")));
    expect(contentOf("long")).toEqual(string(bytes(long)));
    expect(contentOf("bytes")).toEqual(string(Buffer.from([0, 255, 254, 10])));
    expect(contentOf("intset")).toEqual({ type: "set", value: ["1", "2", "3"].map(bytes) });
    expect(contentOf("listpack set")).toEqual({ type: "set", value: ["a", "b", "c"].map(bytes) });
    expect(contentOf("hashtable set")).toEqual({ type: "set", value: sorted });
    expect(contentOf("short list")).toEqual({ type: "list", value: ["b", "a", "b"].map(bytes) });
    expect(contentOf("quicklist")).toEqual({ type: "list", value: [...members, bytes(long)] });
    expect(contentOf("short hash")).toEqual({
      type: "hash",
      value: [
        [bytes("e"), bytes("2")],
        [bytes("f"), bytes("1")],
      ],
    });
    expect(contentOf("hashtable")).toEqual({
      type: "hash",
      value: sorted.map((name) => [name, bytes(long.slice(0, 80))]),
    });
    expect(contentOf("short zset")).toEqual({
      type: "zset",
      value: [
        [bytes("least"), Number.NEGATIVE_INFINITY],
        [bytes("tiny"), 1e-320],
        [bytes("a"), 1.1],
        [bytes("b"), 2],
        [bytes("most"), Number.POSITIVE_INFINITY],
      ],
    });
    expect(contentOf("skiplist")).toEqual({ type: "zset", value: members.map((name, n) => [name, n / 3]) });
    const fields = [
      [bytes("f"), bytes("1")],
      [bytes("f"), bytes("2")],
    ];
    expect(contentOf("stream")).toEqual({
      type: "stream",
      value: { entries: [{ id: "5-1", fields }], lastId: "6-0" },
    });
    expect(store.exactness.inexact("kv_records")).toEqual([]);
  });

  it("under names with blanks, line breaks, glob characters, bytes that are no text, 32 KB and nothing", async () => {
    const names = [
      ...["a b", "a\nb\r\n", "*?[a]\\", "é😀", "\0", "", "$2", '"{}"'].map(bytes),
      ...[Buffer.from([255]), Buffer.from([0xc3, 0x28]), Buffer.alloc(32 * 1024 - 1, "k")],
    ];
    for (const name of names) await kv.redis("SET", name, "v");
    for (const name of names) await kv.redis("HSET", Buffer.concat([name, bytes("h")]), name, name);
    const store = await kv.open();
    const all = await readAll(store);
    expect(all.size).toBe(2 * names.length);
    for (const name of names) {
      expect(Buffer.from(entryOf(all.get(idOf(name).key)).key)).toEqual(name);
      const hash = entryOf(all.get(idOf(Buffer.concat([name, bytes("h")])).key));
      expect(contentHash(hash.content)).toBe(contentHash({ type: "hash", value: [[name, name]] }));
    }
    const found = await store.lookup.find("kv_records", names.map(idOf), never);
    expect(found.size).toBe(names.length);
  });

  it("but for dualsync's own, which are not found, counted or listed either", async () => {
    for (const name of [
      "_dualsync:lease",
      "_dualsync:restoring",
      "_dualsync:build:1",
      "_dualsync",
      "_dualsyncs",
    ])
      await kv.redis("SET", name, "{}");
    await kv.redis("SET", "theirs", "v");
    const store = await kv.open();
    expect([...(await readAll(store)).values()].map((doc) => String(Buffer.from(entryOf(doc).key)))).toEqual([
      "theirs",
    ]);
    const ids = ["_dualsync:lease", "_dualsyncs", "theirs"].map(idOf);
    expect([...(await store.lookup.find("kv_records", ids, never)).keys()]).toEqual([idOf("theirs").key]);
    expect(ids.map((id) => store.lookup.canQuery(id))).toEqual([false, false, true]);
    await kv.redis("DEL", "_dualsync:build:1", "_dualsync", "_dualsyncs");
    expect(await store.count("kv_records", {}, never)).toBe(1);
  });

  it("with the time at which they expire, to the millisecond", async () => {
    const at = Date.now() + 1_000_000_123;
    await kv.redis("SET", "string", "v", "PXAT", at);
    await kv.redis("HSET", "hash", "f", "v");
    await kv.redis("PEXPIREAT", "hash", at + 1);
    await kv.redis("SET", "stays", "v");
    for (const lacks of [[], ["PEXPIRETIME"]]) {
      kv.upstash.settings.lacks = lacks;
      const store = await kv.open();
      const all = await readAll(store);
      const ends = ["string", "hash", "stays"].map((key) => entryOf(all.get(idOf(key).key)).expiresAt);
      const off = ends.map((end, i) => (end === undefined ? undefined : Math.abs(end - at - i)));
      expect(off[2]).toBeUndefined();
      expect(Math.max(off[0] ?? 0, off[1] ?? 0)).toBeLessThanOrEqual(lacks.length === 0 ? 0 : 5);
      const later = new Date(at + 500);
      const isDue = await store.expiry.of(KEYS, never);
      const due = ["string", "stays"].map((key) => isDue(all.get(idOf(key).key) as never, later));
      expect(due).toEqual([true, false]);
    }
  });

  it("in three requests a thousand strings at most, and three commands", async () => {
    await kv.redis("EVAL", "for i = 1, 3000 do redis.call('SET', 'key:' .. i, i) end", 0);
    const store = await kv.open();
    const { commands, requests, result } = await costOf(kv, () => readAll(store));
    expect(result.size).toBe(3000);
    // Pages of SCAN are about as large as asked for.
    expect(commands).toBeLessThanOrEqual(1 + 10);
    expect(requests).toBeLessThanOrEqual(9);
    expect(store.costs.spent.commands).toBe(commands);
  });

  it("without asking when they expire, as long as nothing expires", async () => {
    await kv.redis("SET", "a", "v");
    await kv.redis("HSET", "b", "f", "v");
    const store = await kv.open();
    const stays = await costOf(kv, () => readAll(store));
    // DBSIZE, SCAN, MGET, HGETALL
    expect(stays.commands).toBe(4);
    await kv.redis("EXPIRE", "a", 1000);
    const expires = await costOf(kv, () => readAll(store));
    // and PEXPIRETIME: once to see whether there is one
    expect(expires.commands).toBe(4 + 3);
    kv.upstash.settings.keyspaceInfo = false;
    expect((await costOf(kv, () => readAll(store))).commands).toBe(6 + 2);
  });

  it("with its expiry where one is set between the first look and the reading", async () => {
    await kv.redis("SET", "a", "v");
    const store = await kv.open();
    const at = Date.now() + 1_000_000;
    kv.fail({
      on: ({ commands }) => commands.includes("MGET"),
      times: 1,
      before: () => kv.redis("PEXPIREAT", "a", at),
    });
    const all = await readAll(store);
    expect(entryOf(all.get(idOf("a").key)).expiresAt).toBe(at);
  });

  it("once each, though SCAN gives keys twice and pages without any", async () => {
    await kv.redis("EVAL", "for i = 1, 300 do redis.call('SET', 'key:' .. i, i) end", 0);
    const store = await kv.open();
    const scans = ({ commands }: { commands: readonly string[] }): boolean => commands[0] === "SCAN";
    kv.fail({ on: scans, at: [1, 3], pages: "empty" });
    kv.fail({ on: scans, pages: "duplicates" });
    const all = await readAll(store, 7);
    expect(all.size).toBe(300);
    const ids: string[] = [];
    for await (const batch of store.keys.read(KEYS, { signal: never }))
      ids.push(...batch.docs().map(({ id }) => id.key));
    expect(ids.toSorted()).toEqual([...all.keys()].toSorted());
  });

  it("without types from SCAN where the service does not tell them", async () => {
    await kv.redis("SET", "a", "v");
    await kv.redis("RPUSH", "b", "v");
    kv.fail({
      on: ({ call }) =>
        call?.commands.some((command) => command.some((part) => String(part) === "WITHTYPE")) === true,
      items: { error: "ERR syntax error" },
    });
    const store = await kv.open();
    expect(await read("b", store)).toEqual({ type: "list", value: [bytes("v")] });
    // DBSIZE, SCAN, MGET of both, TYPE and LRANGE of one
    expect((await costOf(kv, () => readAll(store))).commands).toBe(5);
  });

  it("as gone where they vanish, and as what they are where their type changes, between two commands", async () => {
    await kv.redis("SET", "string", "v");
    await kv.redis("HSET", "hash", "f", "v");
    await kv.redis("SET", "vanishing", "v");
    await kv.redis("SADD", "vanishing set", "v");
    const store = await kv.open();
    kv.fail({
      on: ({ commands }) => !commands.includes("SCAN"),
      at: 2,
      before: async () => {
        await kv.redis("DEL", "string", "hash", "vanishing", "vanishing set");
        await kv.redis("RPUSH", "string", "now a list");
        await kv.redis("SET", "hash", "now a string");
      },
    });
    const all = await readAll(store);
    expect(all.size).toBe(2);
    expect(entryOf(all.get(idOf("string").key)).content).toEqual({
      type: "list",
      value: [bytes("now a list")],
    });
    expect(entryOf(all.get(idOf("hash").key)).content).toEqual({
      type: "string",
      value: bytes("now a string"),
    });
  });

  it("in another way where one of a pipeline is refused with WRONGTYPE", async () => {
    await kv.redis("HSET", "a", "f", "v");
    await kv.redis("HSET", "b", "f", "v");
    const store = await kv.open();
    const wrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";
    kv.fail({
      on: ({ commands }) => commands.includes("HGETALL"),
      times: 1,
      items: { at: 1, error: wrongType },
    });
    expect((await readAll(store)).size).toBe(2);
    expect(store.exactness.inexact("kv_records")).toEqual([]);
  });

  it("and named where they cannot be read each time, never left out", async () => {
    await kv.redis("HSET", "a", "f", "secret value");
    const store = await kv.open();
    const refusal = kv.fail({
      on: ({ commands }) => commands.includes("HGETALL"),
      items: { at: 0, error: "ERR secret value" },
    });
    const all = await readAll(store);
    const doc = all.get(idOf("a").key);
    expect(store.contents.of(doc as never)).toEqual({
      problem: "was another type of key each time that it was looked at, or refused to be read",
    });
    expect(store.exactness.inexact("kv_records")).toMatchObject([{ key: "document kv_records/a" }]);
    refusal.stop();
    await readAll(store);
    expect(store.exactness.inexact("kv_records")).toEqual([]);
  });

  it("and named where they are of a type that only later servers have", async () => {
    await kv.redis("SET", "a", "v");
    const store = await kv.open();
    kv.fail({
      on: ({ commands }) => commands.includes("SCAN"),
      answer: {
        status: 200,
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify([{ result: ["0", ["a", "vectorset"]].map((part) => base64(part)) }]),
      },
    });
    expect(store.contents.of((await readAll(store)).get(idOf("a").key) as never)).toEqual({
      problem: "is of a type that dualsync does not know",
    });
  });

  it("though one of those that are looked for has a name longer than the store takes, which is said of it", async () => {
    const long = Buffer.alloc(40_000, "k");
    for (const end of [[], ["PX", 1_000_000]]) {
      for (let n = 0; n < 30; n++) await kv.redis("SET", `key:${n}`, n, ...end);
      const store = await kv.open();
      const ids = [...Array.from({ length: 30 }, (_, n) => idOf(`key:${n}`)), idOf(long)];
      const found = await store.lookup.find("kv_records", ids, never);
      expect(found.size).toBe(31);
      const doc = found.get(idOf(long).key);
      expect(store.contents.of(doc as never)).toEqual({ problem: "has a name longer than the store takes" });
    }
  });

  it("and their consumer groups, and fields that expire by themselves, are named", async () => {
    await kv.redis("XADD", "stream", "1-1", "f", "v");
    await kv.redis("XGROUP", "CREATE", "stream", "group", "0");
    await kv.redis("HSET", "hash", "f", "v", "g", "v");
    await kv.redis("HPEXPIRE", "hash", 100_000, "FIELDS", 1, "f");
    await kv.redis("HSET", "other", "f", "v");
    const store = await kv.open();
    await readAll(store);
    expect(
      store.exactness
        .inexact("kv_records")
        .map(({ key }) => key)
        .toSorted(),
    ).toEqual(["fields kv_records/hash", "groups kv_records/stream"]);
    await kv.redis("XGROUP", "DESTROY", "stream", "group");
    await kv.redis("HPERSIST", "hash", "FIELDS", 1, "f");
    await readAll(store);
    expect(store.exactness.inexact("kv_records")).toEqual([]);
  });
});

function base64(part: string | string[]): string | string[] {
  return Array.isArray(part)
    ? part.map((one) => base64(one) as string)
    : Buffer.from(part).toString("base64");
}
