import { createHash } from "node:crypto";
import { type IndexDescriptionInfo, MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MongodbService } from "../services/mongodb/mongodb.ts";
import { sharedMongodb } from "../support/stores/shared-services.ts";
import { fillLocalAtlas } from "./local-atlas.ts";
import { fillOrders } from "./orders.ts";
import type { FilledShop } from "./shop.ts";

const ORDERS = 3_000;

let service: MongodbService;
let client: MongoClient;
let orders: FilledShop;
let school: FilledShop;
beforeAll(async () => {
  service = await sharedMongodb();
  client = new MongoClient(service.uri);
  orders = await fillOrders(service.uri, "ordersDB", { orders: ORDERS });
  school = await fillLocalAtlas(client, "school");
});
afterAll(async () => {
  await client?.close();
  await service?.stop();
});

/** What the server holds, in the words of a FilledShop. */
async function found(database: string): Promise<FilledShop> {
  const db = client.db(database);
  const infos = (await db.listCollections().toArray()).filter(({ name }) => !name.startsWith("system."));
  const collections: Record<string, number> = {};
  const indexes: Record<string, string[]> = {};
  for (const { name } of infos.filter(({ type }) => type === "collection")) {
    collections[name] = await db.collection(name).countDocuments();
    const names = (await db.collection(name).indexes())
      .map((index) => String(index.name))
      .filter((it) => it !== "_id_");
    if (names.length > 0) indexes[name] = names;
  }
  return {
    database,
    collections,
    views: infos.filter(({ type }) => type === "view").map(({ name }) => name),
    indexes,
  };
}

/** A hash of every document's bytes in stored order. */
async function contents(database: string, collection: string): Promise<string> {
  const hash = createHash("sha256");
  const cursor = client
    .db(database)
    .collection(collection)
    .find({}, { raw: true, hint: { $natural: 1 } });
  for await (const bytes of cursor) hash.update(bytes as unknown as Uint8Array);
  return hash.digest("hex");
}

test("the orders shop holds what its generator says", async () => {
  expect(await found("ordersDB")).toEqual(orders);
  expect(orders.collections.orders).toBe(ORDERS);
});

test("the school shop holds what its generator says, in 16 collections", async () => {
  expect(await found("school")).toEqual(school);
  expect(Object.keys(school.collections)).toHaveLength(16);
});

test("the same seed fills a database with the same bytes, and another seed does not", async () => {
  await fillOrders(client, "again", { orders: ORDERS });
  for (const name of Object.keys(orders.collections)) {
    expect(await contents("again", name), name).toBe(await contents("ordersDB", name));
  }
  await fillLocalAtlas(client, "school2");
  for (const name of Object.keys(school.collections)) {
    expect(await contents("school2", name), name).toBe(await contents("school", name));
  }
  await fillOrders(client, "other", { orders: 50, seed: 2 });
  await fillOrders(client, "one", { orders: 50 });
  expect(await contents("other", "orders")).not.toBe(await contents("one", "orders"));
});

test("generated orders have the size and the types of real ones", async () => {
  const db = client.db("ordersDB");
  const [sizes] = await db
    .collection("orders")
    .aggregate([{ $group: { _id: null, mean: { $avg: { $bsonSize: "$$ROOT" } } } }])
    .toArray();
  expect(sizes?.mean).toBeGreaterThan(400);
  expect(sizes?.mean).toBeLessThan(600);
  const types = {
    total: "decimal",
    number: "long",
    placedAt: "date",
    "items.quantity": "int",
    "shipping.address": "object",
  };
  for (const [field, type] of Object.entries(types)) {
    expect(await db.collection("orders").countDocuments({ [field]: { $type: type } }), field).toBe(ORDERS);
  }
  expect(await db.collection("paid").countDocuments()).toBe(
    await db.collection("orders").countDocuments({ status: "paid" }),
  );
});

test("the orders shop has an index of every kind", async () => {
  const db = client.db("ordersDB");
  const all: IndexDescriptionInfo[] = [];
  for (const name of Object.keys(orders.indexes)) all.push(...(await db.collection(name).indexes()));
  const has = (test: (index: Record<string, unknown>) => boolean) => all.some((index) => test({ ...index }));
  expect(has(({ unique }) => unique === true)).toBe(true);
  expect(has(({ sparse }) => sparse === true)).toBe(true);
  expect(has(({ partialFilterExpression }) => partialFilterExpression !== undefined)).toBe(true);
  expect(has(({ expireAfterSeconds }) => expireAfterSeconds === 0)).toBe(true);
  const kinds = all.flatMap(({ key }) => Object.values(key));
  expect(kinds).toEqual(expect.arrayContaining(["text", "2dsphere", "hashed", -1]));
  expect(all.some(({ key }) => Object.keys(key).includes("attributes.$**"))).toBe(true);
});

test("the validator and the size of the capped collection in the orders shop are enforced", async () => {
  const db = client.db("ordersDB");
  await expect(db.collection("customers").insertOne({ name: "no email" })).rejects.toThrow(/validation/);
  expect(await db.collection("log").findOne({}, { sort: { $natural: 1 } })).toMatchObject({ _id: 200 });
});

test("the orders shop has one _id of every type that an _id can have", async () => {
  const types = await client
    .db("ordersDB")
    .collection("references")
    .aggregate([{ $group: { _id: { $type: "$_id" } } }])
    .toArray();
  expect(types.map(({ _id }) => String(_id)).sort()).toEqual([
    "binData",
    "bool",
    "date",
    "decimal",
    "double",
    "int",
    "long",
    "maxKey",
    "minKey",
    "null",
    "object",
    "objectId",
    "string",
    "timestamp",
  ]);
});
