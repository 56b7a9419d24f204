import { describe, expect, it } from "vitest";
import { idOfKey } from "../../../src/connectors/kv/entry/key-id.ts";
import { type ReadValue, valueCommands, valueIn } from "../../../src/connectors/kv/reading/value-commands.ts";
import { canRunRedis } from "../../services/redis/redis-program.ts";
import { id as idOf } from "../../support/data/documents.ts";
import { never } from "../../support/signal.ts";
import { sessionOf } from "../../support/stores/claimed.ts";
import { costOf, KEYS, kvFixture, readAll } from "../../support/stores/kv-store.ts";

const COLLECTION = "kv_records";
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;

describe.runIf(await canRunRedis())("a KV store behind the contract", () => {
  const kv = kvFixture();

  it("connects for nothing, and is listed for two commands", async () => {
    await kv.redis("MSET", "a", 1, "b", 2);
    const opened = await costOf(kv, () => kv.open());
    expect([opened.commands, opened.requests]).toEqual([0, 1]);
    const store = opened.result;
    const listed = await costOf(kv, () => store.list(never));
    expect([listed.commands, listed.requests]).toEqual([2, 1]);
    expect(listed.result).toMatchObject({ collections: [{ name: COLLECTION, documents: 2 }], notCopied: [] });
    const identity = await store.identity(never);
    expect(identity.product).toMatch(/^KV store \(Redis \d/);
    expect(Math.abs((identity.time?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    await store.close();
    await store.close();
  });

  it("refuses a wrong token when it is opened", async () => {
    const { token } = kv.upstash;
    Object.assign(kv.upstash, { token: "wrong" });
    await expect(kv.open()).rejects.toMatchObject({ exit: "denied" });
    Object.assign(kv.upstash, { token });
  });

  it("is read in batches no larger than requested, and not in ranges, after an id or by a filter", async () => {
    await kv.redis("EVAL", "for i = 1, 50 do redis.call('SET', 'key:' .. i, i) end", 0);
    const store = await kv.open();
    const lengths: number[] = [];
    for await (const batch of store.read(KEYS, { batchSize: 7, signal: never })) lengths.push(batch.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(7);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(50);
    const range = { from: idOf("a") };
    expect(() => store.read(KEYS, { range, signal: never })).toThrow(RangeError);
    expect(() => store.read(KEYS, { after: idOf("a"), signal: never })).toThrow(RangeError);
    expect(() => store.read({ ...KEYS, name: "orders" }, { signal: never })).toThrow(RangeError);
    await expect(store.count(COLLECTION, { range }, never)).rejects.toThrow(RangeError);
  });

  it("ends a read at once when the signal aborts", async () => {
    await kv.redis("EVAL", "for i = 1, 3000 do redis.call('SET', 'key:' .. i, i) end", 0);
    const store = await kv.open();
    const controller = new AbortController();
    const reason = new Error("enough");
    const reading = (async () => {
      for await (const _ of store.read(KEYS, { batchSize: 5, signal: controller.signal }))
        controller.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
  });

  it("fails, and is never empty or shorter, where answers do not come or are cut", async () => {
    await kv.redis("EVAL", "for i = 1, 2000 do redis.call('SET', 'key:' .. i, i) end", 0);
    const faults = [
      { cut: { after: 20 } },
      { reset: "before" as const },
      { answer: { status: 200, headers: { "Content-Type": "application/json" }, body: "[]" } },
      { answer: { status: 500, headers: {}, body: "" } },
      { items: { error: "ERR max requests limit exceeded. Limit: 1, Usage: 1." } },
    ];
    for (const fault of faults) {
      const store = await kv.open();
      const active = kv.fail({ ...fault, on: ({ commands }) => commands.includes("MGET") });
      await expect(readAll(store)).rejects.toMatchObject({ name: "DualsyncError", exit: "target" });
      const ids = [idOfKey(Buffer.from("key:1"))];
      await expect(store.lookup.find(COLLECTION, ids, never)).rejects.toMatchObject({ exit: "target" });
      active.stop();
    }
  });

  it("finds keys for one command each 500, and learns of those that are absent in one more", async () => {
    await kv.redis("EVAL", "for i = 1, 1000 do redis.call('SET', 'key:' .. i, i) end", 0);
    const store = await kv.open();
    const ids = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) => idOfKey(Buffer.from(`key:${from + n}`)));
    // Whether anything expires is looked at once.
    expect((await store.lookup.find(COLLECTION, ids(1, 2), never)).size).toBe(1);
    const all = await costOf(kv, () => store.lookup.find(COLLECTION, ids(1, 1001), never));
    expect([all.result.size, all.commands]).toEqual([1000, 2]);
    const none = await costOf(kv, () => store.lookup.find(COLLECTION, ids(2000, 2400), never));
    expect([none.result.size, none.commands]).toEqual([0, 2]);
    await kv.redis("HSET", "key:2100", "f", "v");
    const one = await costOf(kv, () => store.lookup.find(COLLECTION, ids(2000, 2400), never));
    expect(one.result.size).toBe(1);
    expect(one.commands).toBeLessThan(25);
    const strange = [idOf(7), idOf(null), idOf({ a: 1 })];
    expect(await store.lookup.find(COLLECTION, strange, never)).toEqual(new Map());
    expect(strange.map((id) => store.lookup.canQuery(id))).toEqual([false, false, false]);
  });

  it("estimates its costs for two commands, and what is done afterwards costs neither less nor more", async () => {
    const makers = [
      "for i = 1, 700 do redis.call('SET', 'key:' .. i, i) end",
      "for i = 1, 20 do redis.call('HSET', 'hash:' .. i, 'f', i) end",
      "for i = 1, 50 do redis.call('SET', 'ending:' .. i, i, 'PX', 10000000) end",
    ];
    const nothing = { writing: { least: 0, most: 0 } };
    for (const maker of makers) {
      await kv.redis("EVAL", maker, 0);
      const store = await kv.open();
      const estimated = await costOf(kv, () => store.costs.estimate(COLLECTION, nothing, never));
      expect(estimated.commands).toBe(2);
      const { commands, requests, bytes } = estimated.result;
      const read = await costOf(kv, () => readAll(store));
      // A plan lists the keys and asks for the history besides.
      const sum = estimated.commands + 3 + read.commands;
      expect(sum).toBeGreaterThanOrEqual(commands.least);
      expect(sum).toBeLessThanOrEqual(commands.most);
      expect(read.requests).toBeLessThanOrEqual(requests.most);
      expect(bytes.least).toBeLessThanOrEqual(bytes.most);
      const ten = { writing: { least: 10, most: 10 } };
      const writing = (await store.costs.estimate(COLLECTION, ten, never)).commands;
      expect(writing.least).toBeGreaterThan(commands.least);
      expect(writing.most).toBeGreaterThan(commands.most);
    }
  });

  it("sends no more commands than it may", async () => {
    await kv.redis("EVAL", "for i = 1, 3000 do redis.call('SET', 'key:' .. i, i) end", 0);
    const store = await kv.open();
    store.costs.limit(4);
    const before = kv.upstash.billed;
    await expect(readAll(store)).rejects.toMatchObject({ exit: "inconclusive" });
    expect(kv.upstash.billed - before).toBeLessThanOrEqual(4);
    expect(store.costs.spent.commands).toBe(kv.upstash.billed - before);
  });

  it("is read and removed, and not written, while it is full", async () => {
    await kv.redis("MSET", "a", 1, "b", 2);
    const store = await kv.open();
    const session = await sessionOf(store);
    const all = await readAll(store);
    kv.upstash.settings.full = true;
    expect((await readAll(store)).size).toBe(2);
    expect(
      await session.remove(
        COLLECTION,
        [...all.values()].map(({ id }) => id),
        never,
      ),
    ).toBe(2);
    const doc = all.get(idOfKey(Buffer.from("a")).key);
    const writes = await session.guarded.prepare(
      COLLECTION,
      [{ id: doc?.id as never, expected: undefined, wanted: doc }],
      never,
    );
    await expect(session.guarded.apply(COLLECTION, writes as never, never)).rejects.toMatchObject({
      exit: "target",
      reason: "quota",
    });
    await session.release();
  });

  it(
    "is read in memory that does not grow with its keys",
    async () => {
      const keys = LONG ? 100_000 : 20_000;
      const maker = `for i = 1, ${keys} do redis.call('SET', 'key:' .. i, string.rep('x', 500)) end`;
      await kv.redis("EVAL", maker, 0);
      const store = await kv.open();
      let count = 0;
      let largest = 0;
      for await (const batch of store.read(KEYS, { signal: never })) {
        count += batch.length;
        largest = Math.max(largest, batch.bytes.length);
      }
      expect(count).toBe(keys);
      expect(largest).toBeLessThan(5_000_000);
      // Everything that was received at once, and what was seen of each key.
      const requests = kv.upstash.requests.filter(({ commands }) => commands.includes("MGET"));
      expect(Math.max(...requests.map(({ sent }) => sent))).toBeLessThan(12_000_000);
    },
    LONG ? 120_000 : 30_000,
  );
});

// NOT RUN against a server: the Redis of the tests has no JSON type.
describe("JSON documents of a KV store", () => {
  it("are read as the text that the server prints", () => {
    const key = Buffer.from("a");
    expect(valueCommands("json", key)).toEqual([["JSON.GET", key]]);
    const text = Buffer.from('{"a":[1,2.50]}');
    const found = valueIn("json", [text]) as ReadValue;
    expect(found.content).toEqual({ type: "json", value: text });
    expect(valueIn("json", [null])).toBe("moved");
  });
});
