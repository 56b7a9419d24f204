import { expect, it } from "vitest";
import { TYPE } from "../../../src/bson/elements.ts";
import * as bson from "../../bson/bson-bytes.ts";
import { rawDocument } from "../../services/mongodb/raw-source.ts";
import { collectionRecord } from "../../support/cli.ts";
import { contents } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Situations in which a careless copier loses or removes documents and calls it a success. */
const pair = serverPair({ rawDocuments: true });

async function cappedLog(documents: number): Promise<void> {
  await pair.from.db(pair.database).createCollection("log", { capped: true, size: 100_000 });
  const entries = Array.from({ length: documents }, (_, n) => ({
    level: n % 10 === 0 ? "error" : "info",
    n,
  }));
  if (documents > 0) await pair.from.db(pair.database).collection("log").insertMany(entries);
}

it("does not empty the copy of a capped collection that is empty in the source now", async () => {
  await cappedLog(20);
  expect((await pair.duplicate()).code).toBe(0);
  await pair.from.db(pair.database).dropCollection("log");
  await cappedLog(0);
  for (const flags of [[], ["--delete", "--yes"]]) {
    const { code, stdout, stderr } = await pair.duplicate(...flags);
    expect(stdout + stderr).toMatch(/collection log|"log" is empty in the source/);
    expect(code).toBe(flags.length === 0 ? 3 : 6);
    expect(await pair.to.db(pair.database).collection("log").countDocuments()).toBe(20);
  }
});

it("does not remove documents of a capped collection that a filter does not select", async () => {
  await cappedLog(20);
  expect((await pair.duplicate()).code).toBe(0);
  await pair.from.db(pair.database).collection("log").insertOne({ level: "error", n: 21 });
  const { code } = await pair.duplicate("--filter", 'log={"level":"error"}');
  expect(code).toBe(3);
  expect(await pair.to.db(pair.database).collection("log").countDocuments()).toBe(20);
});

it("names the second of two documents under one _id, as shards may hold them", async () => {
  const one = bson.object([
    ["_id", bson.int32(5)],
    ["shard", bson.int32(1)],
  ]).bytes;
  const two = bson.object([
    ["_id", bson.int32(5)],
    ["shard", bson.int32(2)],
  ]).bytes;
  const wrapped = [{ ...rawDocument(one), _id: 5 }, { ...rawDocument(two), _id: 5.5 }, { _id: 6 }];
  await pair.from
    .db(pair.database)
    .collection<{ _id: number }>("orders")
    .insertMany(wrapped as { _id: number }[]);
  for (const round of ["into an empty target", "again"]) {
    const { code, stdout } = await pair.duplicate("--json");
    expect(stdout, round).toContain("document orders/5");
    expect(collectionRecord(stdout, "orders"), round).toMatchObject({
      read: 3,
      rejected: 1,
      verdict: "incomplete",
    });
    expect(code, round).toBe(3);
  }
});

it("accounts for every document of a capped collection when one is rejected", async () => {
  await cappedLog(0);
  const log = pair.from.db(pair.database).collection("log");
  await log.insertMany(Array.from({ length: 50 }, (_, n) => ({ n: n === 20 ? 3 : n })));
  await pair.to.db(pair.database).createCollection("log", { capped: true, size: 100_000 });
  await pair.to.db(pair.database).collection("log").createIndex({ n: 1 }, { unique: true });
  const { code, stdout } = await pair.duplicate("--json", "--verify", "counts");
  expect(collectionRecord(stdout, "log")).toMatchObject({
    read: 50,
    written: 49,
    rejected: 1,
    targetCount: 49,
  });
  expect(code).toBe(3);
  expect(await pair.to.db(pair.database).collection("log").countDocuments()).toBe(49);
});

it("--delete keeps documents whose _id cannot be used in a query", async () => {
  const id = bson.regex("^a", "i");
  const broken = (state: string): Buffer =>
    bson.object([
      ["_id", id],
      ["state", bson.text(TYPE.string, state)],
    ]).bytes;
  // The engine sorts the wrapper by its own id; what is served has an id that means something else in a query.
  await pair.from
    .db(pair.database)
    .collection<{ _id: Date }>("odd")
    .insertMany([
      { ...rawDocument(broken("open"), new Date(8e15)) },
      { _id: new Date(0), state: "open" },
    ] as never);
  const { code, stdout } = await pair.duplicate("--json", "--delete", "--yes");
  expect(code).toBe(3);
  expect(stdout).toMatch(/cannot be used in a query/);
  expect(collectionRecord(stdout, "odd")).toMatchObject({ rejected: 1, deleted: 0 });
});

it("--delete keeps what a filter no longer selects and the source still has", async () => {
  const orders = (side: "from" | "to") =>
    pair[side].db(pair.database).collection<{ _id: number; state: string }>("orders");
  await orders("from").insertMany([1, 2, 3].map((_id) => ({ _id, state: "open" })));
  const only = ["--filter", 'orders={"state":"open"}'];
  expect((await pair.duplicate(...only)).code).toBe(0);
  await orders("from").updateOne({ _id: 2 }, { $set: { state: "closed" } });
  await orders("from").deleteOne({ _id: 3 });
  const { code, stdout } = await pair.duplicate("--json", "--delete", "--yes", "--allow-shrink", ...only);
  expect(code).toBe(0);
  expect(collectionRecord(stdout, "orders")).toMatchObject({ read: 1, deleted: 1 });
  expect(await orders("to").find().toArray()).toEqual([1, 2].map((_id) => ({ _id, state: "open" })));
});

it("leaves a capped collection alone that somebody else created in place of its own", async () => {
  await cappedLog(20);
  expect((await pair.duplicate()).code).toBe(0);
  const target = pair.to.db(pair.database);
  await target.dropCollection("log");
  await target.createCollection("log", { capped: true, size: 100_000 });
  await target.collection("log").insertOne({ level: "theirs", n: 1 });
  const { code, stdout } = await pair.duplicate("--into-existing", pair.database);
  expect([code, stdout]).toEqual([3, expect.stringMatching(/collection log: .*not created by dualsync/)]);
  expect(await target.collection("log").countDocuments({ level: "theirs" })).toBe(1);
});

it("keeps the older version of a document when the newer one is rejected", async () => {
  const source = pair.from.db(pair.database).collection<{ _id: number; k: number }>("keys");
  const target = pair.to.db(pair.database).collection<{ _id: number; k: number }>("keys");
  await source.insertOne({ _id: 1, $x: 1, k: 2 } as never);
  await target.insertMany([
    { _id: 1, k: 1 },
    { _id: 3, k: 2 },
  ]);
  await target.createIndex({ k: 1 }, { unique: true });
  const { code, stdout } = await pair.duplicate("--into-existing", pair.database);
  expect(stdout).toContain("document keys/1");
  expect(code).toBe(3);
  expect(await target.findOne({ _id: 1 })).toEqual({ _id: 1, k: 1 });
});

it("copies collections whose names mean something to JavaScript or to a terminal", async () => {
  const names = [
    "_bsontype",
    "__proto__",
    "constructor",
    "a.b.c",
    "line\nbreak",
    "esc\u001b[31m",
    "\u202ertl",
    "x".repeat(120),
    "<b>",
  ];
  for (const name of names) await pair.from.db(pair.database).collection(name).insertOne({ name });
  const { code, stdout, stderr } = await pair.duplicate();
  expect(code).toBe(0);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  for (const name of names) {
    expect(await contents(pair.to, pair.database, name)).toEqual(
      await contents(pair.from, pair.database, name),
    );
  }
});
