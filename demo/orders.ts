import { MongoClient } from "mongodb";
import { type MongodbService, withDatabase } from "../test/services/mongodb/mongodb.ts";
import { fillOrders } from "../test/shops/orders.ts";
import { dualsync, say } from "./stage.ts";

const ORDERS = 50_000;
const DATABASE = "ordersDB";

/** A shop on MongoDB and its copy on another one. @returns the first exit status that is not 0 */
export async function showOrders(shop: MongodbService, backup: MongodbService): Promise<number> {
  say(`Filling a shop with ${ORDERS.toLocaleString("en-US")} orders and what belongs to them …`);
  await fillOrders(shop.uri, DATABASE, { orders: ORDERS });
  const env = { SHOP_URI: withDatabase(shop.uri, DATABASE), COPY_URI: withDatabase(backup.uri, DATABASE) };
  const duplicate = ["duplicate", "--from", "env:SHOP_URI", "--to", "env:COPY_URI"];

  say("First run: everything is copied, then read back and compared byte for byte.");
  const first = await dualsync(env, ...duplicate);
  if (first !== 0) return first;

  say("The shop goes on: three orders change, one comes, one customer moves.");
  await goOn(shop);

  say("Second run: only what changed is written.");
  return await dualsync(env, ...duplicate);
}

async function goOn(shop: MongodbService): Promise<void> {
  const client = new MongoClient(shop.uri);
  try {
    const database = client.db(DATABASE);
    const orders = database.collection("orders");
    for (const order of await orders.find().limit(3).toArray()) {
      await orders.updateOne({ _id: order._id }, { $set: { status: "shipped", shippedAt: new Date() } });
    }
    await orders.insertOne({ number: ORDERS + 1, status: "new", placedAt: new Date() });
    await database.collection("customers").updateOne({}, { $set: { "address.town": "Newtown" } });
  } finally {
    await client.close();
  }
}
