import { describe, expect, it } from "vitest";
import { contentHash } from "../../../../src/connectors/kv/entry/content-hash.ts";
import type { EntryValue } from "../../../../src/connectors/kv/entry/entry.ts";
import { idOfKey } from "../../../../src/connectors/kv/entry/key-id.ts";
import { canRunRedis } from "../../../services/redis/redis-program.ts";
import { never } from "../../../support/signal.ts";
import { entryOf, kvFixture, readAll } from "../../../support/stores/kv-store.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const NAMES = Array.from({ length: 1_500 }, (_, n) => `${n}:${"x".repeat(60)}`);
const SORTED = NAMES.map(bytes).toSorted(Buffer.compare);

/** What is larger than an answer of 50 KB, and the commands that make it. */
const LARGE: readonly (readonly [EntryValue, readonly (string | number | Uint8Array)[]])[] = [
  [
    { type: "string", value: new Uint8Array(250_000).fill(255) },
    ["SET", "large", Buffer.alloc(250_000, 255)],
  ],
  [{ type: "list", value: NAMES.map(bytes) }, ["RPUSH", "large", ...NAMES]],
  [{ type: "set", value: SORTED }, ["SADD", "large", ...NAMES]],
  [
    { type: "hash", value: SORTED.map((name) => [name, bytes("v")]) },
    ["HSET", "large", ...NAMES.flatMap((name) => [name, "v"])],
  ],
  [
    { type: "zset", value: NAMES.map((name, n) => [bytes(name), n / 7]) },
    ["ZADD", "large", ...NAMES.flatMap((name, n) => [n / 7, name])],
  ],
];

describe.runIf(await canRunRedis())("values that are larger than an answer may be", () => {
  const kv = kvFixture();
  const id = idOfKey(bytes("large"));

  it("are read in windows, exactly, with the time at which they expire", async () => {
    const at = Date.now() + 10_000_000;
    for (const [content, command] of LARGE) {
      await kv.redis(...command);
      await kv.redis("SET", "small", "v");
      await kv.redis("PEXPIREAT", "large", at);
      kv.upstash.settings.maxRequestBytes = 50_000;
      const store = await kv.open();
      const all = await readAll(store);
      expect(all.size).toBe(2);
      const entry = entryOf(all.get(id.key));
      expect([content.type, contentHash(entry.content), entry.expiresAt]).toEqual([
        content.type,
        contentHash(content),
        at,
      ]);
      expect(store.exactness.inexact("kv_records")).toEqual([]);
      await kv.redis("DEL", "large");
    }
  });

  it("are read in windows where they are streams, too", async () => {
    const add = "for i = 1, 1000 do redis.call('XADD', 'large', i .. '-1', 'f', string.rep('x', 300)) end";
    await kv.redis("EVAL", add, 0);
    await kv.redis("XADD", "large", "2000-1", "f", "v");
    await kv.redis("XDEL", "large", "2000-1");
    kv.upstash.settings.maxRequestBytes = 50_000;
    const { content } = entryOf((await readAll(await kv.open())).get(id.key));
    if (content.type !== "stream") throw new Error("no stream");
    expect([content.value.entries.length, content.value.lastId]).toEqual([1000, "2000-1"]);
    expect(content.value.entries.at(-1)?.id).toBe("1000-1");
  });

  it("are read again where they change meanwhile, and named where they always do", async () => {
    await kv.redis("RPUSH", "large", ...NAMES);
    kv.upstash.settings.maxRequestBytes = 50_000;
    const store = await kv.open();
    const proof = ({ commands }: { commands: readonly string[] }): boolean =>
      commands.some((name) => name.startsWith("EVAL"));
    const once = kv.fail({ on: proof, times: 1, before: () => kv.redis("LSET", "large", 5, "other") });
    const found = (await store.lookup.find("kv_records", [id], never)).get(id.key);
    expect(entryOf(found).content).toMatchObject({ type: "list" });
    expect(once.hits).toBe(1);
    let changes = 0;
    kv.fail({ on: proof, before: () => kv.redis("LSET", "large", 5, `other ${changes++}`) });
    const doc = (await store.lookup.find("kv_records", [id], never)).get(id.key);
    expect(store.contents.of(doc as never)).toEqual({
      problem: "is so large that it is read in parts, and was changed each time meanwhile",
    });
    expect(store.exactness.inexact("kv_records")).toMatchObject([{ key: "document kv_records/large" }]);
  });

  it("are named, and neither read nor missing, where no document has room for them", async () => {
    await kv.redis("SETRANGE", "large", 16 * 1024 * 1024, "v");
    await kv.redis("SET", "small", "v");
    const store = await kv.open();
    const all = await readAll(store);
    expect([...all.keys()].toSorted()).toEqual([id.key, idOfKey(bytes("small")).key].toSorted());
    expect(store.contents.of(all.get(id.key) as never)).toEqual({
      problem: "is larger than the 15 MB that a document has room for",
    });
    expect(store.exactness.inexact("kv_records")).toMatchObject([{ key: "document kv_records/large" }]);
  });

  it("do not keep others from being read: fewer are asked for at once", async () => {
    await kv.redis("EVAL", "for i = 1, 300 do redis.call('SET', 'key:' .. i, string.rep('x', 4000)) end", 0);
    await kv.redis(
      "EVAL",
      "for i = 1, 50 do redis.call('HSET', 'hash:' .. i, 'f', string.rep('x', 20000)) end",
      0,
    );
    kv.upstash.settings.maxRequestBytes = 50_000;
    const store = await kv.open();
    expect((await readAll(store)).size).toBe(350);
    expect(store.exactness.inexact("kv_records")).toEqual([]);
  });
});
