import { beforeAll, describe, expect, it } from "vitest";
import { keyLayouts } from "../../../../src/connectors/kv/layouts/layouts.ts";
import { Batch } from "../../../../src/model/document.ts";
import { hexOf } from "../../../support/data/documents.ts";
import { MemoryStore } from "../../../support/memory/memory-store.ts";
import { never } from "../../../support/signal.ts";
import { testRun } from "../../../support/stores/claimed.ts";
import { all, type Copies, put, record, seen, startCopies, write } from "./copies.ts";

const LONG = process.env.DUALSYNC_TEST_LONG === "1";

let copies: Copies;
beforeAll(async () => {
  copies = await startCopies();
  return () => copies.stop();
});

/** So many turns of the event loop later. */
async function later(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("what a database shows of a copy of keys", () => {
  it("is nothing where it is empty", async () => {
    const { mongodb } = await copies.begin("records");
    expect(await keyLayouts.look(mongodb, never)).toEqual({
      remembered: undefined,
      present: new Map(),
      isEmpty: true,
    });
  });

  it("is how many keys lie there in each layout, whoever put them there", async () => {
    const { mongodb } = await copies.begin("records", async (db) => {
      await db.collection("pro_users").insertOne({ value: { a: 1 } });
      await db.collection("cart").insertOne({ key: "cart", data: [] });
      await db.collection("orders").insertMany([{ value: 1 }, { value: 2 }]);
      await db.createCollection("empty");
      await db.collection("kv_records").insertMany([{ value: 1 }, { value: 2 }, { value: 3 }]);
    });
    expect(await keyLayouts.look(mongodb, never)).toMatchObject({
      present: new Map([
        ["records", 3],
        ["collections", 2],
      ]),
      isEmpty: false,
    });
  });

  it("is that it holds something else", async () => {
    const { mongodb } = await copies.begin("records", (db) => db.createCollection("empty"));
    expect(await keyLayouts.look(mongodb, never)).toMatchObject({ present: new Map(), isEmpty: false });
  });
});

describe.each(keyLayouts.names)("a store in the layout %s", (layout) => {
  it("is the store below with one collection", async () => {
    const { store, mongodb } = await copies.begin(layout);
    expect(store.label).toBe(mongodb.label);
    expect(store.words).toBe(mongodb.words);
    expect(await store.identity(never)).toMatchObject({ label: mongodb.label });
    expect((await store.list(never)).collections.map(({ name }) => name)).toEqual(["kv_records"]);
    expect(store.history).toBe(mongodb.history);
    expect(store.digests).toBeUndefined();
  });

  it("is claimed as the store below: a second run waits outside", async () => {
    const { store, session } = await copies.begin(layout);
    await expect(store.claim(testRun("other"), never)).rejects.toMatchObject({ exit: "locked" });
    await session.release();
    await (await store.claim(testRun("other"), never)).release();
  });

  it("takes plain writes and removals, each guarded by what is there", async () => {
    const copy = await copies.begin(layout);
    const { session } = copy;
    const [a, b, c] = [record("a", "1"), record("b", "2"), record("c", "3")];
    await session.prepare((await copy.store.list(never)).collections[0] as never, never);
    expect(await session.write("kv_records", Batch.of([a, b]), "insert", never)).toEqual({
      ...{ written: 2, unchanged: 0, rejected: [] },
    });
    const changed = record("b", "changed");
    const other = await session.write("kv_records", Batch.of([a, changed, c]), "create", never);
    expect(other).toMatchObject({ written: 1, unchanged: 1, rejected: [{ occupied: true }] });
    expect(hexOf(await all(copy))).toEqual(hexOf([a, b, c]));
    await session.write("kv_records", Batch.of([changed]), "replace", never);
    expect(await session.remove("kv_records", [a.id, record("none", "").id], never)).toBe(1);
    expect(hexOf(await all(copy))).toEqual(hexOf([changed, c]));
  });

  it("loses no write of an application that writes at the same time", async () => {
    const copy = await copies.begin(layout);
    await put(copy, record("k", "0"));
    const name = layout === "records" ? "kv_records" : "k";
    const own = copy.db.collection(name);
    const outcomes: string[] = [];
    let theirs = 0;
    for (let at = 1; at <= (LONG ? 500 : 15); at++) {
      const expected = await seen(copy, "k");
      // The application's value counts how often it wrote: whoever writes over it unseen breaks the count.
      const change = { $inc: { theirs: 1 }, $set: { value: `theirs ${at}` } };
      const [outcome, { modifiedCount }] = await Promise.all([
        write(copy, expected, record("k", `ours ${at}`)),
        later(at % 5).then(() => own.updateOne({}, change)),
      ]);
      outcomes.push(outcome);
      theirs += modifiedCount;
    }
    expect(await own.findOne()).toMatchObject({ theirs });
    expect(theirs).toBe(outcomes.length);
    expect(outcomes.every((outcome) => outcome === "written" || outcome === "conflict")).toBe(true);
  });
});

it("a store that cannot look documents up cannot hold a copy of keys", () => {
  const store = new MemoryStore([]);
  const without = Object.assign(store, { lookup: undefined });
  expect(() => keyLayouts.open(without, "records")).toThrow("cannot hold a copy of keys");
});
