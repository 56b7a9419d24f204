import { MongoClient } from "mongodb";
import { type MongodbService, withDatabase } from "../test/services/mongodb/mongodb.ts";
import { fillOrders } from "../test/shops/orders.ts";
import { dualsync, lastRun, say } from "./stage.ts";

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
  const second = await dualsync(env, ...duplicate);
  if (second !== 0) return second;
  return await showDisaster(shop, env);
}

/** @returns the first exit status that is not the expected one */
async function showDisaster(shop: MongodbService, env: Record<string, string>): Promise<number> {
  const damaged = ["--include", "customers", "--include", "invoices"];
  const restore = ["restore", "--from", "env:COPY_URI", "--to", "env:SHOP_URI", ...damaged];
  say("A disaster: the invoices are dropped, and all customers lose their names. What would a restore do?");
  await ruin(shop);
  const plan = await dualsync(env, ...restore, "--mode", "overwrite");
  if (plan !== 6) return plan === 0 ? 1 : plan;

  say("Nothing was written so far. With --apply and the target's name, both come back from the copy.");
  const done = await dualsync(env, ...restore, "--mode", "overwrite", "--apply", "--confirm", DATABASE);
  if (done !== 0) return done;

  say("Is everything there again?");
  const found = await dualsync(env, "diff", "--from", "env:SHOP_URI", "--to", "env:COPY_URI", ...damaged);
  if (found !== 0) return found;

  say("Had it been the wrong thing to restore: undo takes it back, document by document.");
  return await dualsync(env, "undo", lastRun(), "--to", "env:SHOP_URI", "--yes");
}

async function ruin(shop: MongodbService): Promise<void> {
  const client = new MongoClient(shop.uri);
  try {
    const database = client.db(DATABASE);
    await database.collection("invoices").drop();
    await database.collection("customers").updateMany({}, { $set: { name: "" } });
  } finally {
    await client.close();
  }
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
