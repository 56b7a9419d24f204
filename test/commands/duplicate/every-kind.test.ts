import { EJSON } from "bson";
import { Decimal128, type Document, Double, Long, MaxKey, MinKey, type MongoClient } from "mongodb";
import { expect, it } from "vitest";
import { type CliResult, collectionRecord } from "../../support/cli.ts";
import { fillIndexes, fillOptions } from "../../support/data/kinds.ts";
import { contents, snapshot } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";

const pair = serverPair();
const duplicate = (...flags: string[]): Promise<CliResult> => pair.duplicate("--json", ...flags);

it("copies every kind of index with all its options", async () => {
  await fillIndexes(pair.from.db(pair.database));
  expect((await duplicate()).code).toBe(0);
  expect(await snapshot(pair.to, pair.database)).toEqual(await snapshot(pair.from, pair.database));
  expect((await duplicate()).code).toBe(0);
  expect((await duplicate("--no-indexes")).code).toBe(0);
});

it("copies collections with every option", async () => {
  await fillOptions(pair.from.db(pair.database));
  expect((await duplicate()).code).toBe(0);
  expect(await snapshot(pair.to, pair.database)).toEqual(await snapshot(pair.from, pair.database));
});

it("copies collections whose ids follow a collation, and brings them up to date", async () => {
  await pair.from.db(pair.database).createCollection("names", { collation: { locale: "en", strength: 2 } });
  const names = pair.from.db(pair.database).collection<{ _id: string | number; n?: number }>("names");
  await names.insertMany([{ _id: "b" }, { _id: "A" }, { _id: "C" }, { _id: 5 }]);
  expect((await duplicate()).code).toBe(0);
  expect(await snapshot(pair.to, pair.database)).toEqual(await snapshot(pair.from, pair.database));
  await names.updateOne({ _id: "C" }, { $set: { n: 1 } });
  await names.deleteOne({ _id: "b" });
  const kept = await duplicate("--verify", "counts");
  expect(collectionRecord(kept.stdout, "names")).toMatchObject({ extra: 1, verdict: "counts match" });
  await names.updateOne({ _id: "C" }, { $set: { n: 2 } });
  const { code, stdout } = await duplicate("--delete", "--yes");
  expect(code).toBe(0);
  expect(collectionRecord(stdout, "names")).toMatchObject({
    read: 3,
    written: 1,
    unchanged: 2,
    deleted: 1,
    verdict: "verified",
  });
  expect(await snapshot(pair.to, pair.database)).toEqual(await snapshot(pair.from, pair.database));
});

it("completes a collection that follows a collation which the source's does not", async () => {
  const [from, to] = [pair.from, pair.to].map((client) =>
    client.db(pair.database).collection<{ _id: string; n?: number }>("names"),
  );
  await from?.insertMany(["b", "A", "C", "d"].map((_id) => ({ _id })));
  await pair.to.db(pair.database).createCollection("names", { collation: { locale: "en", strength: 2 } });
  await to?.insertMany([{ _id: "b" }, { _id: "A" }, { _id: "C", n: 1 }, { _id: "e" }]);
  const { stdout } = await duplicate("--into-existing", pair.database);
  expect(collectionRecord(stdout, "names")).toMatchObject({ read: 4, written: 2, unchanged: 2, extra: 1 });
  expect(await to?.find({}, { sort: { _id: 1 } }).toArray()).toEqual(
    ["A", "b", "C", "d", "e"].map((_id) => ({ _id })),
  );
});

it("copies a capped collection in order, and again as a whole when it has changed", async () => {
  await pair.from.db(pair.database).createCollection("log", { capped: true, size: 100_000, max: 50 });
  const log = pair.from.db(pair.database).collection<{ _id: number; text: string }>("log");
  const order = async (client: MongoClient): Promise<unknown[]> =>
    (await client.db(pair.database).collection("log").find().toArray()).map(({ _id }) => _id);
  await log.insertMany([7, 3, 9].map((_id) => ({ _id, text: "x" })));
  expect((await duplicate()).code).toBe(0);
  expect(await order(pair.to)).toEqual([7, 3, 9]);
  await log.insertMany(Array.from({ length: 60 }, (_, n) => ({ _id: 100 - n, text: "y" })));
  const second = await duplicate();
  expect(second.code).toBe(0);
  expect(await order(pair.to)).toEqual(await order(pair.from));
  const third = await duplicate();
  expect(collectionRecord(third.stdout, "log")).toMatchObject({ read: 50, written: 0, unchanged: 50 });
});

it("leaves a capped collection alone that somebody else created", async () => {
  for (const client of [pair.from, pair.to])
    await client.db(pair.database).createCollection("log", { capped: true, size: 100_000 });
  await pair.from.db(pair.database).collection("log").insertOne({ ours: true });
  await pair.to.db(pair.database).collection("log").insertOne({ theirs: true });
  const before = await contents(pair.to, pair.database, "log");
  const { code, stdout } = await duplicate("--into-existing", pair.database);
  expect(code).toBe(3);
  expect(stdout).toContain("collection log");
  expect(await contents(pair.to, pair.database, "log")).toEqual(before);
});

it("copies time series, and again as a whole when they differ", async () => {
  const db = pair.from.db(pair.database);
  await db.createCollection("readings", {
    timeseries: { timeField: "at", metaField: "sensor", granularity: "minutes" },
  });
  const readings = db.collection("readings");
  await readings.insertMany(
    Array.from({ length: 500 }, (_, n) => ({
      at: new Date(1.7e12 + n * 60_000),
      sensor: { id: n % 3 },
      value: n / 7,
      exact: new Long(n),
    })),
  );
  expect((await duplicate()).code).toBe(0);
  expect(await measurements(pair.to)).toEqual(await measurements(pair.from));
  await readings.insertOne({ at: new Date(), sensor: { id: 9 }, value: 1 });
  const { code, stdout } = await duplicate();
  expect(code).toBe(0);
  expect(collectionRecord(stdout, "readings")).toMatchObject({
    read: 501,
    written: 501,
    sourceCount: 501,
    targetCount: 501,
  });
  expect(await measurements(pair.to)).toEqual(await measurements(pair.from));
});

/** All measurements, exact in every type, with their fields by name: servers promise no order of them. */
async function measurements(client: MongoClient): Promise<string[]> {
  const found = await client
    .db(pair.database)
    .collection("readings")
    .find({}, { promoteValues: false })
    .toArray();
  return found
    .map((measurement) => EJSON.stringify(Object.entries(measurement).sort(), { relaxed: false }))
    .sort();
}

it("copies ids of every type, and treats the same number in another type as one changed document", async () => {
  type Odd = { _id: unknown; n?: number } & Document;
  const ids: unknown[] = [
    new MinKey(),
    null,
    Number.NaN,
    new Double(-0),
    new Long(1),
    new Decimal128("2.50"),
    "1",
    { a: 1, "0": 2 },
    false,
    new Date(0),
    /x/.source,
    new MaxKey(),
  ];
  await pair.from
    .db(pair.database)
    .collection<Odd>("odd")
    .insertMany(ids.map((_id, n) => ({ _id, n })) as never, { forceServerObjectId: true });
  await pair.to
    .db(pair.database)
    .collection<Odd>("odd")
    .insertMany([
      { _id: new Double(1), n: 4 },
      { _id: new Double(2.5), n: 5 },
    ] as never);
  const { code, stdout } = await duplicate("--into-existing", pair.database);
  expect(code).toBe(0);
  expect(collectionRecord(stdout, "odd")).toMatchObject({
    read: ids.length,
    written: ids.length,
    extra: 0,
    verdict: "verified",
  });
  expect(await contents(pair.to, pair.database, "odd")).toEqual(
    await contents(pair.from, pair.database, "odd"),
  );
});

it("refuses a name that means two kinds of collections before anything is written", async () => {
  await pair.from.db(pair.database).createCollection("a", { capped: true, size: 1_000 });
  await pair.from.db(pair.database).collection("b").insertOne({});
  await pair.to.db(pair.database).createCollection("a");
  const { code, stdout } = await duplicate();
  expect(code).toBe(6);
  expect(stdout).toMatch(/capped.*collection/);
  expect(await pair.to.db(pair.database).listCollections({ name: "b" }).toArray()).toEqual([]);
});

it("names options and indexes of the target that differ from the source's", async () => {
  await pair.from.db(pair.database).createCollection("a", { validator: { n: { $gt: 1 } } });
  await pair.from.db(pair.database).collection("a").createIndex({ n: 1 }, { name: "n", sparse: true });
  await pair.to.db(pair.database).createCollection("a", { validator: { n: { $gt: 2 } } });
  await pair.to.db(pair.database).collection("a").createIndex({ n: 1 }, { name: "n" });
  const { code, stdout } = await duplicate();
  expect(stdout).toContain("index a/n");
  if (pair.target.provider === "mongod")
    expect((await pair.to.db(pair.database).listCollections({ name: "a" }).toArray())[0]).toMatchObject({
      options: { validator: { n: { $gt: 1 } } },
    });
  else expect(stdout).toContain("option a/validator"); // this engine has no collMod
  expect(code).toBe(3);
});
