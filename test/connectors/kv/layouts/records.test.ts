import { Double, Int32, ObjectId } from "mongodb";
import { beforeAll, describe, expect, it } from "vitest";
import { contents } from "../../../../src/connectors/kv/entry/contents.ts";
import { hexOf } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { all, type Copies, put, record, seen, startCopies, write } from "./copies.ts";

let copies: Copies;
beforeAll(async () => {
  copies = await startCopies();
  return () => copies.stop();
});

const soon = Date.UTC(2099, 0, 1);
const binary = Buffer.from([0xff, 0, 0x61]);

const everyType = [
  record("text", "plain"),
  record("json", '{"b":1,"a":[1.50,true,null]}'),
  record("until", "plain", soon),
  record("binary", { type: "string", value: binary }),
  record(binary, "a key that is no text"),
  record("hash", { type: "hash", value: [[Buffer.from("f"), binary]] }),
  record("list", { type: "list", value: [Buffer.from("a"), Buffer.from("a")] }),
  record("set", { type: "set", value: [Buffer.from("a"), Buffer.from("b")] }),
  record("zset", { type: "zset", value: [[Buffer.from("a"), Number.NEGATIVE_INFINITY]] }),
  record("stream", { type: "stream", value: { entries: [], lastId: "5-1" } }),
  record("", "the empty key"),
  record("kv_records", "a key with the name of the collection"),
];

describe("a copy of keys in one collection", () => {
  it("shows every type of key byte for byte as it was written", async () => {
    const copy = await copies.begin("records");
    for (const wanted of everyType) expect(await put(copy, wanted)).toBe("written");
    const sorted = everyType.toSorted((a, b) => (a.id.key < b.id.key ? -1 : 1));
    expect(await all(copy)).toEqual(sorted);
    expect(await all(copy, 2)).toEqual(sorted);
    for (const wanted of everyType) {
      const found = await copy.store.lookup.find("kv_records", [wanted.id], never);
      expect(found.get(wanted.id.key)?.bytes).toEqual(wanted.bytes);
    }
    expect(await copy.store.count("kv_records", {}, never)).toBe(everyType.length);
    expect((await copy.store.list(never)).collections).toMatchObject([
      { name: "kv_records", kind: "collection", ordered: true, documents: everyType.length },
    ]);
  });

  it("is listed as an empty collection before anything is written", async () => {
    const copy = await copies.begin("records");
    expect((await copy.store.list(never)).collections).toMatchObject([{ name: "kv_records", documents: 0 }]);
    expect(await all(copy)).toEqual([]);
    expect(await copy.store.count("kv_records", {}, never)).toBe(0);
  });

  it("says in each record when it was written, and what it holds by its hash", async () => {
    const copy = await copies.begin("records");
    const wanted = record("k", '{"a":1}', soon);
    await put(copy, wanted);
    expect(await copy.db.collection("kv_records").findOne()).toEqual({
      _id: "k",
      type: "string",
      value: { a: 1 },
      expiresAt: new Date(soon),
      hash: expect.stringMatching(/^[\da-f]{64}$/),
      syncedAt: expect.any(Date),
    });
  });

  it("keeps the fields of others when a record is replaced", async () => {
    const copy = await copies.begin("records");
    await put(copy, record("k", "old", soon));
    await copy.db.collection("kv_records").updateOne({}, { $set: { __v: 3, note: ["mine"] } });
    expect(await put(copy, record("k", "new"))).toBe("written");
    const found = await copy.db.collection("kv_records").findOne();
    expect(found).toMatchObject({ value: "new", __v: 3, note: ["mine"] });
    expect(found).not.toHaveProperty("expiresAt");
    expect((await seen(copy, "k"))?.bytes).toEqual(record("k", "new").bytes);
  });

  it("reads what an application wrote as the same record, whatever the types of its numbers and its own fields", async () => {
    const copy = await copies.begin("records", (db) =>
      db.collection<{ _id: string }>("kv_records").insertMany([
        { _id: "a", value: { n: new Double(5) }, __v: 0 },
        { _id: "b", type: "string", value: { n: new Int32(5) }, hash: "stale" },
      ] as never),
    );
    expect((await seen(copy, "a"))?.bytes).toEqual(record("a", '{"n":5}').bytes);
    expect((await seen(copy, "b"))?.bytes).toEqual(record("b", '{"n":5}').bytes);
  });

  it("shows what no key holds as it is, so that it is named and not passed over", async () => {
    const copy = await copies.begin("records", (db) =>
      db
        .collection("kv_records")
        .insertMany([
          { _id: new ObjectId(), value: 1 },
          { _id: "typed", type: "future", value: 1 },
          { _id: "nothing" },
          { _id: "lossy", value: { n: Number.NaN } },
        ] as never),
    );
    const problems = (await all(copy)).map((doc) => contents.of(doc));
    expect(problems.filter((one) => "problem" in one)).toHaveLength(3);
    expect(problems.flatMap((one) => ("losses" in one ? one.losses : []))).toEqual([
      expect.stringContaining("not finite"),
    ]);
    const shown = await all(copy);
    const found = await copy.store.lookup.find(
      "kv_records",
      shown.map(({ id }) => id),
      never,
    );
    expect(hexOf([...found.values()]).sort()).toEqual(hexOf(shown).sort());
  });

  it("does not write over what cannot be read where nothing was expected", async () => {
    const copy = await copies.begin("records", (db) =>
      db.collection<{ _id: string }>("kv_records").insertOne({ _id: "k", type: "future" } as never),
    );
    const wanted = record("k", "new");
    const [answer] = await copy.session.guarded.prepare(
      "kv_records",
      [{ id: wanted.id, expected: undefined, wanted }],
      never,
    );
    expect(answer).toEqual({ result: "rejected", reason: expect.stringContaining("cannot be read") });
  });

  it("gives the store's own document before and after as what a write changes", async () => {
    const copy = await copies.begin("records", (db) =>
      db.collection<{ _id: string }>("kv_records").insertOne({ _id: "k", value: "old", mine: 1 } as never),
    );
    const uid = (await copy.mongodb.list(never)).collections[0]?.uid;
    await write(copy, await seen(copy, "k"), record("k", "new"), async ({ stored, beside }) => {
      expect(stored.collection).toEqual({ name: "kv_records", uid });
      const { before } = stored;
      expect(
        before && [...(await copy.mongodb.lookup.find("kv_records", [before.id], never)).values()],
      ).toEqual([before]);
      expect(beside).toBeUndefined();
    });
  });

  it("writes nothing where the document changed after it was read, or after the write was prepared", async () => {
    const copy = await copies.begin("records");
    const [old, newer] = [record("k", "old"), record("k", "newer")];
    await put(copy, old);
    const own = copy.db.collection<{ _id: string }>("kv_records");
    expect(await write(copy, newer, record("k", "wrong"))).toBe("conflict");
    expect(await write(copy, undefined, newer)).toBe("conflict");
    const change = () => own.updateOne({ _id: "k" }, { $set: { value: "application's" } });
    expect(await write(copy, old, newer, change)).toBe("conflict");
    expect(await write(copy, old, undefined)).toBe("conflict");
    expect((await seen(copy, "k"))?.bytes).toEqual(record("k", "application's").bytes);
    // Only the expiry differs: that counts, too.
    const until = record("k", "application's", soon);
    expect(await write(copy, until, newer)).toBe("conflict");
    expect(await write(copy, record("k", "application's"), undefined)).toBe("written");
    expect(await own.countDocuments()).toBe(0);
  });

  it("a write that is repeated is written once", async () => {
    const copy = await copies.begin("records");
    const { guarded } = copy.session;
    const wanted = record("k", "v");
    const [prepared] = await guarded.prepare(
      "kv_records",
      [{ id: wanted.id, expected: undefined, wanted }],
      never,
    );
    if (prepared === undefined || !("stored" in prepared)) throw new Error("not prepared");
    expect(await guarded.apply("kv_records", [prepared], never)).toEqual([{ result: "written" }]);
    expect(await guarded.apply("kv_records", [prepared], never)).toEqual([{ result: "written" }]);
    expect(await all(copy)).toEqual([wanted]);
  });

  it("notes that dualsync made the collection", async () => {
    const copy = await copies.begin("records");
    await put(copy, record("k", "v"));
    const { collections } = await copy.mongodb.history.read(never);
    expect([...collections]).toMatchObject([["kv_records", { fromEmpty: true, from: "nowhere" }]]);
  });

  it("does not look into a view of that name", async () => {
    const begun = copies.begin("records", (db) =>
      db.createCollection("kv_records", { viewOn: "others", pipeline: [] }),
    );
    const copy = await begun;
    await expect(copy.store.list(never)).rejects.toMatchObject({ exit: "refused" });
  });
});
