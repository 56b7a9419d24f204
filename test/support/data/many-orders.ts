import { Int32, type MongoClient } from "mongodb";

/** Fills a collection of a database: `_id`s are the ints 0, 10, 20 and so on, with room for others between them. */
export async function fillManyOrders(
  client: MongoClient,
  database: string,
  count: number,
  collection = "orders",
): Promise<void> {
  const orders = client.db(database).collection<{ _id: Int32 }>(collection);
  const AT_ONCE = 20_000;
  for (let from = 0; from < count; from += AT_ONCE)
    await orders.insertMany(
      Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => orderOf(from + i)),
    );
}

function orderOf(n: number) {
  return {
    _id: new Int32(10 * n),
    customer: `c${n % 1_000}`,
    state: n % 7 === 0 ? null : "paid",
    total: (n * 37) % 1_000,
    text: "thank you",
  };
}
