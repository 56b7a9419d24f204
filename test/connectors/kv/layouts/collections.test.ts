import fc from "fast-check";
import { Binary, type Db, Double, Long, ObjectId } from "mongodb";
import { beforeAll, describe, expect, it } from "vitest";
import { contents } from "../../../../src/connectors/kv/entry/contents.ts";
import type { Entry } from "../../../../src/connectors/kv/entry/entry.ts";
import type { MongodbStore } from "../../../../src/connectors/mongodb/mongodb.ts";
import type { Doc } from "../../../../src/model/document.ts";
import { DualsyncError } from "../../../../src/model/errors.ts";
import { hexOf } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { anyEntry } from "../entry/entry-arbitraries.ts";
import { all, type Copies, type Copy, put, putAll, record, seen, startCopies, write } from "./copies.ts";

let copies: Copies;
beforeAll(async () => {
  copies = await startCopies();
  return () => copies.stop();
});

const LONG = process.env.DUALSYNC_TEST_LONG === "1";
const soon = Date.UTC(2099, 0, 1);
const old = new Date(Date.UTC(2020, 0, 1));

/** A database in which an application has put these documents, each in the collection of that name. */
function holding(documents: Readonly<Record<string, object | readonly object[]>>): Promise<Copy> {
  return copies.begin("collections", async (db) => {
    for (const [name, content] of Object.entries(documents))
      await db.collection(name).insertMany([content].flat() as object[]);
  });
}

async function documentsOf(db: Db, name: string): Promise<unknown[]> {
  return await db.collection(name).find().toArray();
}

async function names(db: Db): Promise<string[]> {
  const found = await db.listCollections({}, { nameOnly: true }).toArray();
  return found
    .map(({ name }) => name)
    .filter((name) => !name.startsWith("_dualsync"))
    .sort();
}

describe("a copy of keys in a collection each", () => {
  it("creates for each key a collection with one document, in which an application finds its value", async () => {
    const copy = await holding({});
    await put(copy, record("pro_users", '{"b":[1,2.5],"a":null}'));
    await put(copy, record("until", "plain", soon));
    await put(copy, record("spaced", '{ "a": 1 }'));
    await put(copy, record("quoted", '"text"'));
    expect(await documentsOf(copy.db, "pro_users")).toEqual([
      { _id: "pro_users", key: "pro_users", value: { b: [1, 2.5], a: null }, updatedAt: expect.any(Date) },
    ]);
    expect(await documentsOf(copy.db, "until")).toMatchObject([
      { value: "plain", expiresAt: new Date(soon) },
    ]);
    expect(await documentsOf(copy.db, "spaced")).toMatchObject([{ value: { a: 1 }, raw: '{ "a": 1 }' }]);
    expect(await documentsOf(copy.db, "quoted")).toMatchObject([{ value: '"text"' }]);
    expect(await names(copy.db)).toEqual(["pro_users", "quoted", "spaced", "until"]);
    const { collections } = await copy.mongodb.history.read(never);
    expect([...collections.keys()].sort()).toEqual(["pro_users", "quoted", "spaced", "until"]);
    expect([...collections.values()].every(({ fromEmpty }) => fromEmpty)).toBe(true);
  });

  it("shows every entry as it was written, wherever it has its place, and again as it is changed", async () => {
    const copy = await holding({});
    const entries = fc.sample(anyEntry, { seed: 15, numRuns: LONG ? 1_000 : 40 });
    const wanted = new Map(entries.map((entry) => [Buffer.from(entry.key).toString("hex"), entry]));
    for (const turn of [0, 1]) {
      const documents = [...wanted.values()].map(({ key }, at) => {
        // In the second turn each holds what another one held in the first.
        const { content, expiresAt } = entries[(at + turn) % entries.length] as Entry;
        return record(key, content, expiresAt);
      });
      const ids = documents.map(({ id }) => id);
      expect(await putAll(copy, documents)).toEqual(documents.map(() => "written"));
      const sorted = hexOf(documents.toSorted((a, b) => (a.id.key < b.id.key ? -1 : 1)));
      expect(hexOf(await all(copy))).toEqual(sorted);
      expect(hexOf(await all(copy, 7))).toEqual(sorted);
      expect(await copy.store.count("kv_records", {}, never)).toBe(sorted.length);
      const found = await copy.store.lookup.find("kv_records", ids, never);
      expect(hexOf(ids.flatMap(({ key }) => found.get(key) ?? []))).toEqual(hexOf(documents));
    }
  });

  it("keeps what an application keeps beside the value, and where it keeps it", async () => {
    const id = new ObjectId();
    const copy = await holding({
      mine: { _id: id, updatedAt: old, value: { a: 1 }, raw: "stale", expiresAt: old, __v: 2, tags: ["x"] },
      data: { _id: id, updatedAt: old.toISOString(), data: 1, createdAt: old },
      bare: { _id: "bare", a: 1, b: 2, createdAt: old },
      still: { key: "still", a: 1 },
      exact: { _id: "exact", a: 1, __v: 1 },
      until: { _id: "until", a: 1 },
      named: { _id: "named", a: 1 },
    });
    const wanted = record("mine", '{"b": 2}');
    expect(await put(copy, wanted)).toBe("written");
    expect(await put(copy, record("data", "text", soon))).toBe("written");
    expect(await put(copy, record("bare", '{"b":3}'))).toBe("written");
    expect(await put(copy, record("still", "no object"))).toBe("written");
    const [mine] = await documentsOf(copy.db, "mine");
    expect(mine).toEqual({
      ...{ _id: id, updatedAt: expect.any(Date), value: { b: 2 }, raw: '{"b": 2}', __v: 2, tags: ["x"] },
    });
    expect(mine).not.toMatchObject({ updatedAt: old });
    const [data] = await documentsOf(copy.db, "data");
    expect(data).toEqual({
      _id: id,
      updatedAt: expect.any(String),
      data: "text",
      expiresAt: new Date(soon),
      createdAt: old,
    });
    expect(data).not.toMatchObject({ updatedAt: old.toISOString() });
    expect(await documentsOf(copy.db, "bare")).toEqual([{ _id: "bare", createdAt: old, b: 3 }]);
    expect(await documentsOf(copy.db, "still")).toEqual([
      { _id: expect.any(ObjectId), key: "still", value: "no object" },
    ]);
    const more = [
      record("exact", '{"a": 2}'),
      record("until", '{"a":2}', soon),
      record("named", '{"data":2}'),
    ];
    for (const doc of more) expect(await put(copy, doc)).toBe("written");
    expect(await documentsOf(copy.db, "exact")).toEqual([
      { _id: "exact", __v: 1, value: { a: 2 }, raw: '{"a": 2}' },
    ]);
    expect(await documentsOf(copy.db, "until")).toEqual([
      { _id: "until", value: { a: 2 }, expiresAt: new Date(soon) },
    ]);
    expect(await documentsOf(copy.db, "named")).toEqual([{ _id: "named", value: { data: 2 } }]);
    const { collections } = await copy.mongodb.history.read(never);
    expect([...collections.values()].some(({ fromEmpty }) => fromEmpty)).toBe(false);
  });

  it("names what JSON does not hold of an application's value, instead of passing over it", async () => {
    const copy = await holding({ k: { value: { n: Number.NaN, b: new Binary(Buffer.from("x")) } } });
    for (const doc of [await seen(copy, "k"), ...(await all(copy))])
      expect(doc && contents.of(doc)).toMatchObject({ losses: [expect.any(String), expect.any(String)] });
  });

  it("shows a document that cannot be read as one that cannot be read", async () => {
    const copy = await holding({ k: { value: 1, expiresAt: "tomorrow" }, nothing: { key: "nothing" } });
    for (const doc of await all(copy)) expect(contents.of(doc)).toHaveProperty("problem");
    expect(await all(copy)).toHaveLength(2);
    expect(await write(copy, undefined, record("k", "new"))).toBe("rejected");
  });

  it("takes no part in collections that do not look like a key's, and names them", async () => {
    const copy = await copies.begin("collections", async (db) => {
      await db.collection("orders").insertMany([{ value: 1 }, { value: 2 }]);
      await db.collection("settings").insertOne({ theme: "dark" });
      await db.collection("options").insertOne({ key: "theme", value: "dark" });
      await db.collection("images.files").insertOne({ value: 1 });
      await db.collection("images.chunks").insertOne({ value: 1 });
      await db.createCollection("shown", { viewOn: "orders", pipeline: [{ $limit: 1 }] });
      await db.createCollection("log", { capped: true, size: 4096 });
      await db.collection("log").insertOne({ value: 1 });
      await db.collection("mine").insertOne({ value: 1 });
    });
    expect(hexOf(await all(copy))).toEqual(hexOf([record("mine", "1")]));
    expect((await copy.store.survey(never)).notPart).toEqual([
      { name: "options", reason: "holds a document of another key" },
      { name: "orders", reason: "holds several documents" },
      { name: "settings", reason: "holds a document that has neither `value` nor `data`" },
    ]);
    const before = await names(copy.db);
    for (const name of ["orders", "settings", "options", "images.files", "shown", "log"]) {
      expect(await seen(copy, name)).toBeUndefined();
      expect(await put(copy, record(name, "of the key"))).toBe("written");
      expect(hexOf([(await seen(copy, name)) as Doc])).toEqual(hexOf([record(name, "of the key")]));
    }
    expect(await names(copy.db)).toEqual([...before, "kv_records"].sort());
    expect(await documentsOf(copy.db, "orders")).toHaveLength(2);
    expect(await documentsOf(copy.db, "settings")).toMatchObject([{ theme: "dark" }]);
    expect((await copy.store.survey(never)).aside.map(({ name }) => name).sort()).toEqual(
      ["orders", "settings", "options", "images.files", "shown", "log"].sort(),
    );
  });

  it("takes no copy of another store for a key's document, unless that names the key", async () => {
    const copy = await holding({ shops: { _id: 1, value: "a column" }, moved: { key: "moved", value: 1 } });
    await copy.session.release();
    const session = await copy.mongodb.claim(
      {
        id: "backfill",
        command: "backfill",
        holder: { host: "h", pid: 1 },
        from: "shop",
        isGone: () => true,
      },
      never,
    );
    for (const info of (await copy.mongodb.list(never)).collections)
      await session.prepare({ ...info, uid: "of the table" }, never);
    await session.release();
    expect(hexOf(await all(copy))).toEqual(hexOf([record("moved", "1")]));
    expect(await seen(copy, "shops")).toBeUndefined();
    expect((await copy.store.survey(never)).notPart).toEqual([
      { name: "shops", reason: "is the copy of something else" },
    ]);
  });

  it("lists keys that lie among the records, with the reason", async () => {
    const copy = await holding({});
    const long = "k".repeat(201);
    await put(copy, record("a$b", "v"));
    await put(copy, record("", "v"));
    await put(copy, record(long, "v"));
    await put(copy, record("hash", { type: "hash", value: [[Buffer.from("f"), Buffer.from("v")]] }));
    await put(copy, record("binary", { type: "string", value: Buffer.from([0xff]) }));
    const aside = new Map((await copy.store.survey(never)).aside.map(({ name, reason }) => [name, reason]));
    expect(aside.get('"a$b"')).toBe("its name contains a character that no collection may have");
    expect(aside.get('""')).toBe("its name is empty");
    expect(aside.get("hash")).toBe("it is of the type hash");
    expect(aside.get("binary")).toBe("its value is not text");
    expect(aside.size).toBe(5);
    expect(await names(copy.db)).toEqual(["kv_records"]);
    expect((await copy.store.survey(never)).notPart).toEqual([]);
  });
});

describe("the document of a key", () => {
  const forms: readonly (readonly [how: string, document: (key: string) => object, text: string])[] = [
    ["value", (key) => ({ _id: new ObjectId(), key, value: { a: 1 } }), '{"a":1}'],
    ["value, in Doubles as Mongoose writes them", () => ({ value: { a: new Double(1) }, __v: 0 }), '{"a":1}'],
    ["value before data", () => ({ value: "v", data: "d" }), "v"],
    ["data", () => ({ data: [1, 2] }), "[1,2]"],
    [
      "fields other than bookkeeping, under its _id",
      (key) => ({ _id: key, a: 1, updatedAt: old }),
      '{"a":1}',
    ],
    ["fields other than bookkeeping, beside its key", (key) => ({ key, a: 1, createdAt: old }), '{"a":1}'],
    ["raw, where that says the same as value", () => ({ value: { a: 1 }, raw: '{"a":1.0}' }), '{"a":1.0}'],
    ["value, where raw says something else", () => ({ value: { a: 2 }, raw: '{"a":1.0}' }), '{"a":2}'],
    ["digits", () => ({ value: Long.fromString("9007199254740993") }), "9007199254740993"],
  ];
  let copy: Copy;
  beforeAll(async () => {
    copy = await holding(
      Object.fromEntries(forms.map(([, document], at) => [`key${at}`, document(`key${at}`)])),
    );
  });

  it.each(forms.map(([how, , text], at) => [how, `key${at}`, text]))(
    "is read by its %s",
    async (_how, key = "", text = "") => {
      expect(hexOf([(await seen(copy, key)) as Doc])).toEqual(hexOf([record(key, text)]));
    },
  );

  it("is part of the copy in each of its forms", async () => {
    expect(hexOf(await all(copy))).toEqual(hexOf(forms.map(([, , text], at) => record(`key${at}`, text))));
    expect((await copy.store.survey(never)).notPart).toEqual([]);
  });
});

describe("a key that has no room in a collection of its own", () => {
  it("lies among the records where its name is too long beside the database's", async () => {
    const prefix = "d".repeat(60);
    const copy = await copies.begin("collections", undefined, { prefix });
    const [long, short] = [record("k".repeat(200), "v"), record("k", "v")];
    expect(await putAll(copy, [long, short])).toEqual(["written", "written"]);
    expect(await names(copy.db)).toEqual(["k", "kv_records"]);
    expect(hexOf(await all(copy))).toEqual(hexOf([short, long]));
    expect((await copy.store.survey(never)).aside).toEqual([
      { name: "k".repeat(200), reason: "its name is too long for this database" },
    ]);
  });

  it("is rejected alone where the server does not create its collection", async () => {
    const refusal = new DualsyncError("incomplete", "the target's server cannot create this collection (1)");
    const disturb = (store: MongodbStore): MongodbStore => ({
      ...store,
      async claim(run, signal) {
        const session = await store.claim(run, signal);
        const prepare: typeof session.prepare = async (info, until) => {
          if (info.name === "refused") throw refusal;
          return await session.prepare(info, until);
        };
        return { ...session, prepare };
      },
    });
    const copy = await copies.begin("collections", undefined, { disturb });
    const [taken, refused] = [record("taken", "v"), record("refused", "v")];
    expect(await putAll(copy, [taken, refused])).toEqual(["written", "rejected"]);
    expect(hexOf(await all(copy))).toEqual(hexOf([taken]));
  });
});

describe("a key that moves between its collection and the records", () => {
  const hash = record("k", { type: "hash", value: [[Buffer.from("f"), Buffer.from("v")]] });

  it("is at each instant as it was or as it is to be", async () => {
    const copy = await holding({ k: { key: "k", value: "text" } });
    const text = record("k", "text");
    await write(copy, text, hash, async ({ stored, beside }) => {
      expect(stored).toMatchObject({ collection: { name: "kv_records" }, before: undefined });
      expect(beside).toMatchObject([{ collection: { name: "k" }, after: undefined }]);
    });
    expect(hexOf(await all(copy))).toEqual(hexOf([hash]));
    expect(await documentsOf(copy.db, "k")).toEqual([]);
    expect(await put(copy, text)).toBe("written");
    expect(hexOf(await all(copy))).toEqual(hexOf([text]));
    expect(await documentsOf(copy.db, "kv_records")).toEqual([]);
  });

  it("that was put among the records, and not yet removed from its collection, moves when that is done again", async () => {
    const copy = await holding({ k: { key: "k", value: "text" } });
    const text = record("k", "text");
    await write(copy, text, hash);
    await copy.db.collection("k").insertOne({ key: "k", value: "text" });
    expect(hexOf(await all(copy))).toEqual(hexOf([text]));
    expect((await copy.store.survey(never)).notPart).toEqual([
      { name: "kv_records/k", reason: "the collection of this name counts" },
    ]);
    expect(await write(copy, text, hash)).toBe("written");
    expect(hexOf(await all(copy))).toEqual(hexOf([hash]));
  });

  it("is removed from both places", async () => {
    const copy = await holding({ k: { key: "k", value: "text" } });
    await write(copy, record("k", "text"), hash);
    await copy.db.collection("k").insertOne({ key: "k", value: "again" });
    expect(await write(copy, record("k", "again"), undefined)).toBe("written");
    expect(await all(copy)).toEqual([]);
    expect(await documentsOf(copy.db, "k")).toEqual([]);
    expect(await documentsOf(copy.db, "kv_records")).toEqual([]);
  });

  it("stays among the records when an application begins its collection meanwhile", async () => {
    const copy = await holding({});
    await put(copy, hash);
    const begin = () => copy.db.collection("k").insertOne({ key: "k", value: "application's" });
    expect(await write(copy, hash, record("k", "ours"), begin)).toBe("conflict");
    expect(await documentsOf(copy.db, "k")).toMatchObject([{ value: "application's" }]);
    expect(await documentsOf(copy.db, "kv_records")).toHaveLength(1);
  });

  it("stays in its collection when an application writes there meanwhile", async () => {
    const copy = await holding({ k: { key: "k", value: "text" } });
    const newer = () => copy.db.collection("k").updateOne({}, { $set: { value: "newer" } });
    expect(await write(copy, record("k", "text"), hash, newer)).toBe("conflict");
    expect(hexOf(await all(copy))).toEqual(hexOf([record("k", "newer")]));
  });
});

describe("writes to a key's collection", () => {
  it("change nothing that an application changed meanwhile, be it the document, its expiry or its place", async () => {
    const copy = await holding({ k: { key: "k", value: "text" } });
    const text = record("k", "text");
    const own = copy.db.collection("k");
    for (const between of [
      () => own.updateOne({}, { $set: { value: "newer" } }),
      () => own.updateOne({}, { $set: { value: "text", expiresAt: old } }),
      async () => {
        await own.deleteMany({});
        await own.insertOne({ value: "text" });
      },
    ]) {
      const expected = await seen(copy, "k");
      expect(await write(copy, expected, record("k", "ours"), between)).toBe("conflict");
    }
    expect(await write(copy, text, record("k", "ours"), () => own.drop())).toBe("conflict");
    expect(await seen(copy, "k")).toBeUndefined();
  });

  it("take back what they created beside what an application created at the same time", async () => {
    const copy = await holding({});
    const own = copy.db.collection("k");
    const between = () => own.insertOne({ key: "k", value: "application's" });
    expect(await write(copy, undefined, record("k", "ours"), between)).toBe("conflict");
    expect(await documentsOf(copy.db, "k")).toMatchObject([{ value: "application's" }]);
    expect(hexOf(await all(copy))).toEqual(hexOf([record("k", "application's")]));
  });

  it("go to a collection that is there and empty", async () => {
    const copy = await copies.begin("collections", (db) => db.createCollection("k"));
    expect(await put(copy, record("k", "v"))).toBe("written");
    expect(await documentsOf(copy.db, "k")).toMatchObject([{ _id: "k", value: "v" }]);
    expect(await names(copy.db)).toEqual(["k"]);
  });

  it("see collections that have come since the store was listed", async () => {
    const copy = await holding({});
    expect(await all(copy)).toEqual([]);
    await copy.db.collection("late").insertOne({ value: "v" });
    await copy.db.createCollection("view", { viewOn: "late", pipeline: [] });
    expect(hexOf([(await seen(copy, "late")) as Doc])).toEqual(hexOf([record("late", "v")]));
    expect(await seen(copy, "view")).toBeUndefined();
  });

  it("leave alone a key on which both sides agreed and whose collection holds something else by now", async () => {
    const copy = await holding({});
    const wanted = record("k", "v");
    await put(copy, wanted);
    const { hash } = contents.of(wanted) as { hash: string };
    await copy.session.agreements.leave(
      [{ id: wanted.id, primary: hash, copy: hash, expiresAt: undefined }],
      never,
    );
    await copy.db.collection("k").insertOne({ value: "a second one" });
    const shown = await seen(copy, "k");
    expect(shown && contents.of(shown)).toHaveProperty("problem");
    expect(await write(copy, shown, record("k", "new"))).toBe("rejected");
    expect(await write(copy, undefined, record("k", "new"))).toBe("rejected");
    expect(await documentsOf(copy.db, "k")).toHaveLength(2);
  });
});
