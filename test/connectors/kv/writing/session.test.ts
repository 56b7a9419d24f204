import { serialize } from "bson";
import { describe, expect, it } from "vitest";
import { idOfKey } from "../../../../src/connectors/kv/entry/key-id.ts";
import { Batch } from "../../../../src/model/document.ts";
import { canRunRedis } from "../../../services/redis/redis-program.ts";
import { rawDoc } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { sessionOf } from "../../../support/stores/claimed.ts";
import { KEYS, kvFixture, readAll } from "../../../support/stores/kv-store.ts";

const COLLECTION = "kv_records";
const id = (key: string) => idOfKey(Buffer.from(key));

/** Records as an application or a copy may have them. */
function batch(...records: Record<string, unknown>[]): Batch {
  return Batch.of(records.map((record) => rawDoc(serialize(record))));
}

describe.runIf(await canRunRedis())("a write session of a KV store", () => {
  const kv = kvFixture();

  it("has one collection, which is always there, and no other", async () => {
    const store = await kv.open();
    const session = await sessionOf(store);
    const { collections } = await store.list(never);
    expect(collections).toMatchObject([
      { name: COLLECTION, kind: "collection", type: "keys", ordered: false },
    ]);
    expect(await session.prepare(KEYS, never)).toEqual({ empty: true, fromEmpty: true, notReproduced: [] });
    await kv.redis("SET", "a", "v");
    expect(await session.prepare(KEYS, never)).toMatchObject({ empty: false, fromEmpty: false });
    await expect(session.prepare({ ...KEYS, name: "orders" }, never)).rejects.toMatchObject({
      exit: "incomplete",
    });
    expect(await session.finish(KEYS, [], never)).toEqual([]);
    expect((await store.list(never, () => false)).collections).toEqual([]);
    await session.release();
  });

  it("writes a batch again without harm, and creates nothing in place of another value", async () => {
    const store = await kv.open();
    const session = await sessionOf(store);
    const two = batch({ _id: "a", type: "string", value: "1" }, { _id: "b", type: "list", value: ["x"] });
    const write = (documents: Batch, mode: "insert" | "create" | "replace") =>
      session.write(COLLECTION, documents, mode, never);
    expect(await write(two, "insert")).toEqual({ written: 2, unchanged: 0, rejected: [] });
    expect(await write(two, "insert")).toEqual({ written: 0, unchanged: 2, rejected: [] });
    const other = batch({ _id: "a", value: "2" }, { _id: "c", value: "new" });
    expect(await write(other, "create")).toMatchObject({
      written: 1,
      unchanged: 0,
      rejected: [{ id: { key: id("a").key }, occupied: true }],
    });
    expect(await write(other, "insert")).toEqual({ written: 1, unchanged: 1, rejected: [] });
    expect(String(await kv.redis("GET", "a"))).toBe("2");
    expect(await write(two, "replace")).toEqual({ written: 2, unchanged: 0, rejected: [] });
    expect(String(await kv.redis("GET", "a"))).toBe("1");
    await session.release();
  });

  it("keeps the last of several documents under one id, or the first with create", async () => {
    const store = await kv.open();
    const session = await sessionOf(store);
    const same = batch({ _id: "a", value: "1" }, { _id: "b", value: "1" }, { _id: "a", value: "2" });
    const inserted = await session.write(COLLECTION, same, "insert", never);
    expect(inserted).toMatchObject({ written: 3, rejected: [] });
    expect(String(await kv.redis("GET", "a"))).toBe("2");
    const more = batch({ _id: "e", value: "1" }, { _id: "e", value: "1" }, { _id: "e", value: "2" });
    const created = await session.write(COLLECTION, more, "create", never);
    expect(created).toMatchObject({ written: 1, unchanged: 1, rejected: [{ occupied: true }] });
    await session.release();
  });

  it("rejects what no key can hold, and names what is lost of values that an application wrote", async () => {
    const store = await kv.open();
    const session = await sessionOf(store);
    const outcome = await session.write(
      COLLECTION,
      batch(
        { _id: "empty", type: "list", value: [] },
        { _id: 7, value: "v" },
        { _id: "_dualsync:lease", value: "v" },
        { _id: "lossy", value: { a: Number.NaN } },
      ),
      "insert",
      never,
    );
    expect(outcome.written + outcome.unchanged + outcome.rejected.length).toBe(4);
    expect(outcome.rejected.map(({ reason }) => reason)).toEqual([
      "it has an empty `value`, and no key holds nothing",
      "it is no id that a key has",
      "keys whose names begin so are dualsync's own",
    ]);
    expect(outcome.notReproduced?.map(({ key }) => key)).toEqual(["value kv_records/lossy"]);
    expect(String(await kv.redis("GET", "lossy"))).toBe('{"a":null}');
    await session.release();
  });

  it("looks again at a key that is written to at the same time, and gives up after some tries", async () => {
    const store = await kv.open();
    const session = await sessionOf(store);
    await kv.redis("SET", "a", "0");
    let writes = 0;
    const scripts = ({ commands }: { commands: readonly string[] }): boolean =>
      commands.some((name) => name.startsWith("EVAL"));
    const racing = kv.fail({
      on: scripts,
      times: 1,
      before: () => kv.redis("SET", "a", `theirs ${++writes}`),
    });
    const wanted = batch({ _id: "a", value: "ours" });
    expect(await session.write(COLLECTION, wanted, "replace", never)).toMatchObject({ written: 1 });
    expect(racing.hits).toBe(1);
    await kv.redis("SET", "a", "1");
    kv.fail({ on: scripts, before: () => kv.redis("SET", "a", `theirs ${++writes}`) });
    expect(await session.write(COLLECTION, wanted, "replace", never)).toMatchObject({
      written: 0,
      rejected: [{ reason: "it was written to by somebody else each time" }],
    });
    await session.release();
  });

  it("removes keys by id, and returns how many there were, also where an answer was lost", async () => {
    const store = await kv.open();
    const session = await sessionOf(store);
    for (const key of ["a", "b", "c"]) await kv.redis("SET", key, "v");
    expect(
      await session.remove(COLLECTION, [id("a"), id("a"), id("none"), id("_dualsync:lease")], never),
    ).toBe(1);
    expect(await session.remove(COLLECTION, [], never)).toBe(0);
    kv.fail({ on: ({ commands }) => commands.includes("DEL"), times: 1, reset: "lost-reply" });
    expect(await session.remove(COLLECTION, [id("b"), id("c")], never)).toBe(2);
    expect((await readAll(store)).size).toBe(0);
    await session.release();
  });

  it("neither removes nor overwrites a key whose content could not be read", async () => {
    const store = await kv.open();
    const session = await sessionOf(store);
    await kv.redis("HSET", "a", "f", "v");
    kv.fail({
      on: ({ commands }) => commands.includes("HGETALL"),
      items: { at: 0, error: "ERR broken" },
    });
    const found = (await store.lookup.find(COLLECTION, [id("a")], never)).get(id("a").key);
    expect(store.contents.of(found as never)).toHaveProperty("problem");
    expect(await session.remove(COLLECTION, [id("a")], never)).toBe(0);
    const wanted = batch({ _id: "a", value: "ours" });
    const outcome = await session.write(COLLECTION, wanted, "replace", never);
    expect(outcome.rejected).toMatchObject([
      { reason: "what is there now could not be read, and is not overwritten or removed" },
    ]);
    expect(await kv.redis("EXISTS", "a")).toBe(1);
    await session.release();
  });
});
