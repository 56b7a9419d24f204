import { Decimal128, type Document, MongoClient } from "mongodb";

/** Fills `database.orders` with `count` orders of about `bytes` bytes each. */
export async function fillBenchOrders(
  uri: string,
  database: string,
  count: number,
  bytes: number,
): Promise<void> {
  const client = new MongoClient(uri);
  try {
    const orders = client.db(database).collection("orders");
    const note = "x".repeat(Math.max(0, bytes - 340));
    for (let from = 0; from < count; from += 2_000) {
      const length = Math.min(2_000, count - from);
      await orders.insertMany(Array.from({ length }, (_, i) => order(from + i, note)));
    }
  } finally {
    await client.close();
  }
}

function order(n: number, note: string): Document {
  return {
    number: n,
    customer: {
      name: `Customer ${n % 1_000}`,
      email: `c${n}@shop.example`,
      address: { street: `Lane ${n % 77}`, town: "Town", zip: "1234" },
    },
    lines: [
      { sku: `A${n % 50}`, quantity: n % 5, price: 19.5 },
      { sku: `B${n % 50}`, quantity: 1, price: 5 },
    ],
    total: Decimal128.fromString("25.50"),
    paid: n % 2 === 0,
    placedAt: new Date(1.7e12 + n * 1_000),
    note,
  };
}
