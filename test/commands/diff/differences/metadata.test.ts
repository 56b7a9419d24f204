import type { Db } from "mongodb";
import { describe, expect, it } from "vitest";
import { collectionOf, compare, findings } from "../../../support/compared.ts";
import { fillMixed } from "../../../support/data/mixed-database.ts";
import { serverPair } from "../../../support/stores/pair.ts";

const pair = serverPair();
const from = (): Db => pair.from.db(pair.database);
const to = (): Db => pair.to.db(pair.database);
const LONG_AGO = new Date(1.5e12);

it("calls a fresh copy identical, whatever kinds of collections and indexes there are", async () => {
  await fillMixed(pair.from, pair.database);
  const db = from();
  const validator = { name: { $type: "string" } };
  await db.createCollection("checked", { validator, validationLevel: "moderate" });
  const customers = db.collection("customers");
  await customers.createIndex({ name: 1 }, { sparse: true });
  await customers.createIndex({ "a.b": -1, c: "2dsphere" }, { name: "geo" });
  await customers.createIndex(
    { at: 1 },
    { expireAfterSeconds: 1e9, partialFilterExpression: { n: { $gt: 5 } } },
  );
  await customers.createIndex({ words: "text" }, { weights: { words: 3 } });
  await customers.createIndex({ hashed: "hashed" });
  await customers.createIndex({ "any.$**": 1 });
  await db.createCollection("clustered", { clusteredIndex: { key: { _id: 1 }, unique: true } });
  await db.createCollection("empty", { changeStreamPreAndPostImages: { enabled: false } });
  await db.collection<{ _id: number }>("clustered").insertMany([{ _id: 1 }, { _id: 2 }]);
  expect((await pair.duplicate()).code).toBe(0);
  for (const flags of [[], ["--no-indexes"], ["--one-way"]]) {
    const compared = await compare(pair, flags);
    expect([compared.code, compared.differences], compared.stdout).toEqual([0, []]);
    expect(compared.summary).toMatchObject({ complete: true, metadata: 0, collections: 8, accepted: 0 });
  }
});

describe("differences in metadata", () => {
  const DIFFERENCES: Record<string, [change: () => Promise<unknown>, key: string, detail: RegExp]> = {
    "an index that the copy lacks": [
      () => from().collection("orders").createIndex({ n: 1 }),
      "index orders/n_1",
      /^only in the source/,
    ],
    "an index that only the copy has": [
      () => to().collection("orders").createIndex({ n: 1 }),
      "index orders/n_1",
      /^only in the target/,
    ],
    "an index of the same name on another field": [
      async () => {
        await from().collection("orders").createIndex({ n: 1 }, { name: "i" });
        await to().collection("orders").createIndex({ m: 1 }, { name: "i" });
      },
      "index orders/i",
      /^key: source {"n":1}, target {"m":1}/,
    ],
    "an index that is unique on one side only": [
      async () => {
        await from().collection("orders").createIndex({ n: 1 }, { unique: true });
        await to().collection("orders").createIndex({ n: 1 });
      },
      "index orders/n_1",
      /unique/,
    ],
    "a different time after which documents expire": [
      async () => {
        await from().collection("orders").createIndex({ n: 1 }, { expireAfterSeconds: 60 });
        await to().collection("orders").createIndex({ n: 1 }, { expireAfterSeconds: 61 });
      },
      "index orders/n_1",
      /expireAfterSeconds: source 60, target 61/,
    ],
    "a different validator": [
      async () => {
        await from().createCollection("checked", { validator: { n: { $type: "int" } } });
        await to().createCollection("checked", { validator: { n: { $type: "long" } } });
      },
      "option checked/validator",
      /int.*long/,
    ],
    "a collection that the copy lacks": [
      () => from().createCollection("empty"),
      "collection empty",
      /^only in the source/,
    ],
    "a collection that only the copy has": [
      () => to().collection("other").insertOne({ n: 1 }),
      "collection other",
      /^only in the target \(1 document\)/,
    ],
    "a different pipeline of a view": [
      async () => {
        await from().createCollection("v", { viewOn: "orders", pipeline: [{ $match: { n: 1 } }] });
        await to().createCollection("v", { viewOn: "orders", pipeline: [{ $match: { n: 2 } }] });
      },
      "option v/pipeline",
      /source .*"n":1.*target .*"n":2/,
    ],
  };

  it.each(Object.entries(DIFFERENCES))(
    "reports %s once, and counts it",
    async (_what, [change, key, detail]) => {
      for (const db of [from(), to()]) await db.collection<{ _id: number }>("orders").insertOne({ _id: 1 });
      await change();
      const compared = await compare(pair);
      expect(
        compared.differences.map(({ key }) => key),
        compared.stdout,
      ).toEqual([key]);
      expect(compared.differences[0]).toMatchObject({
        kind: "metadata",
        detail: expect.stringMatching(detail),
      });
      expect(compared.code).toBe(1);
      const quiet = await compare(pair, ["--no-indexes"]);
      expect(quiet.code).toBe(key.startsWith("index ") ? 0 : 1);
    },
  );
});

it("a difference in metadata does not count if it is accepted, or only in the copy with --one-way", async () => {
  for (const db of [from(), to()]) await db.collection<{ _id: number }>("orders").insertOne({ _id: 1 });
  await from().collection("orders").createIndex({ n: 1 });
  const accepted = await compare(pair, ["--accept", "index orders/n_1"]);
  expect([accepted.code, accepted.differences.length], accepted.stdout).toEqual([0, 1]);
  expect(accepted.summary?.verdict).toMatch(/^Identical except for 1 difference that is accepted\./);
  expect((await compare(pair, ["--one-way"])).code).toBe(1);
  await from().collection("orders").dropIndexes();
  await to().collection("orders").createIndex({ m: 1 });
  await to().collection("others").insertOne({});
  const oneWay = await compare(pair, ["--one-way"]);
  expect([oneWay.code, oneWay.differences.length], oneWay.stdout).toEqual([0, 2]);
  expect(oneWay.summary?.verdict).toMatch(/^Identical except for 2 differences that are accepted or only in/);
});

it("two kinds of collections are never called identical, even if that difference is accepted", async () => {
  await from()
    .collection("log")
    .insertMany([{ n: 1 }, { n: 2 }]);
  await to().createCollection("log", { capped: true, size: 10_000 });
  const compared = await compare(pair);
  expect(compared.code).toBe(1);
  expect(findings(compared)).toEqual(["metadata collection log"]);
  const accepted = await compare(pair, ["--accept", "collection log"]);
  expect(accepted.code, accepted.stdout).toBe(12);
  expect(collectionOf(accepted, "log")?.verdict).toBe("not compared");
});

describe("documents that are due to expire", () => {
  const expiring = async (db: Db): Promise<void> => {
    await db.collection("sessions").createIndex({ at: 1 }, { expireAfterSeconds: 3_600 });
  };
  const old = { _id: "old", at: LONG_AGO };

  it("expects documents to be gone when a TTL index on both sides removes them", async () => {
    const now = new Date();
    for (const db of [from(), to()]) {
      await expiring(db);
      await db.collection<{ _id: string }>("sessions").insertOne({ _id: "new", at: now } as never);
    }
    await from().collection<typeof old>("sessions").insertOne(old);
    await to()
      .collection<typeof old>("sessions")
      .insertOne({ ...old, _id: "older" });
    const compared = await compare(pair);
    expect(compared.code, compared.stdout).toBe(0);
    expect(compared.summary).toMatchObject({ expired: 2, equal: 1, differences: 0 });
    expect(compared.summary?.verdict).toMatch(/^Identical except for 2 documents that are due to expire\./);
  });

  it("reports documents as missing when only the copy removes expired ones", async () => {
    await from().collection<typeof old>("sessions").insertOne(old);
    await expiring(to());
    const compared = await compare(pair, ["--no-indexes"]);
    expect(compared.code, compared.stdout).toBe(1);
    expect(findings(compared)).toEqual(["missing old"]);
  });

  it("reports an expired document whose content differs as changed", async () => {
    for (const db of [from(), to()]) await expiring(db);
    await from().collection<typeof old>("sessions").insertOne(old);
    await to()
      .collection<typeof old>("sessions")
      .insertOne({ ...old, n: 1 } as never);
    expect(findings(await compare(pair))).toEqual(["changed old"]);
  });
});
