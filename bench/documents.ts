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
    const length = Math.max(0, bytes - 340);
    const text = words(300_000 + length);
    const note = (n: number): string => {
      const from = (n * 7_919) % 300_000;
      return text.slice(from, from + length);
    };
    for (let from = 0; from < count; from += 2_000) {
      const some = Math.min(2_000, count - from);
      await orders.insertMany(Array.from({ length: some }, (_, i) => order(from + i, note(from + i))));
    }
  } finally {
    await client.close();
  }
}

/** Text that compresses about as well as what people write: the same each time. */
function words(length: number): string {
  let state = 1;
  const random = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const letters = (count: number): string =>
    Array.from({ length: count }, () => "etaoinshrdlucmfwypvbgk"[random(22)]).join("");
  const vocabulary = Array.from({ length: 2_000 }, () => letters(2 + random(8)));
  const found: string[] = [];
  for (let bytes = 0; bytes < length; ) {
    const word = vocabulary[random(1 + random(2_000))] as string;
    found.push(word);
    bytes += word.length + 1;
  }
  return found.join(" ").slice(0, length);
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
