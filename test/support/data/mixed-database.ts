import type { MongoClient } from "mongodb";

/** Fills a database with one collection of each kind, one of them large enough to be cut into ranges (9 MB). */
export async function fillMixed(client: MongoClient, database: string): Promise<void> {
  const db = client.db(database);
  const text = "x".repeat(4_600);
  const orders = Array.from({ length: 2_000 }, (_, n) => ({ _id: n, number: n, text }));
  await db.collection<{ _id: number }>("orders").insertMany(orders);
  await db.collection("orders").createIndex({ number: 1 }, { unique: true });
  const customers = Array.from({ length: 2_000 }, (_, i) => ({ _id: `c${i}`, name: `customer ${i}` }));
  await db.collection<{ _id: string }>("customers").insertMany(customers);
  await db.createCollection("log", { capped: true, size: 1_000_000 });
  await db.collection("log").insertMany(Array.from({ length: 500 }, (_, n) => ({ n })));
  await db.createCollection("readings", { timeseries: { timeField: "at", metaField: "sensor" } });
  const readings = Array.from({ length: 500 }, (_, n) => ({
    at: new Date(1.7e12 + n * 1_000),
    sensor: n % 3,
    n,
  }));
  await db.collection("readings").insertMany(readings);
  const late = [{ $match: { number: { $gte: 1_800 } } }];
  await db.createCollection("late", { viewOn: "orders", pipeline: late });
}
