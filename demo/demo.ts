// Shows dualsync at work on two real MongoDB engines that live as long as this script: `npm run demo`.
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { MongoClient } from "mongodb";
import { type MongodbService, startMongodb, withDatabase } from "../test/services/mongodb.ts";
import { fillOrders } from "../test/shops/orders.ts";

const ORDERS = 50_000;
const DATABASE = "ordersDB";
const stop = new AbortController();

process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());
process.exitCode = await main();

async function main(): Promise<number> {
  say("Starting two MongoDB engines: one for the shop, one for its copy …");
  const shop = await startMongodb();
  try {
    const backup = await startMongodb();
    try {
      return await show(shop, backup);
    } finally {
      await backup.stop();
    }
  } finally {
    await shop.stop();
  }
}

async function show(shop: MongodbService, backup: MongodbService): Promise<number> {
  say(`Filling the shop with ${ORDERS.toLocaleString("en-US")} orders and what belongs to them …`);
  await fillOrders(shop.uri, DATABASE, { orders: ORDERS });
  const env = { SHOP_URI: withDatabase(shop.uri, DATABASE), COPY_URI: withDatabase(backup.uri, DATABASE) };

  say("First run: everything is copied, then read back and compared byte for byte.");
  const first = await dualsync(env);
  if (first !== 0) return first;

  say("The shop goes on: three orders change, one comes, one customer moves.");
  await goOn(shop);

  say("Second run: only what changed is written.");
  const second = await dualsync(env);
  if (second !== 0) return second;

  say("That was a demo; both engines and their data are removed now. With your own databases:");
  console.log('  export LIVE="mongodb://user:password@host/shop"');
  console.log('  export COPY="mongodb://user:password@other-host/shop"');
  console.log("  npx dualsync duplicate --from env:LIVE --to env:COPY --dry-run");
  console.log("  npx dualsync duplicate --from env:LIVE --to env:COPY\n");
  return 0;
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

/** Runs the program as a person would, on this terminal. */
async function dualsync(env: Record<string, string>): Promise<number> {
  const args = ["duplicate", "--from", "env:SHOP_URI", "--to", "env:COPY_URI"];
  console.log(`$ npx dualsync ${args.join(" ")}\n`);
  const child = spawn(process.execPath, [resolve("bin/dualsync.js"), ...args], {
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  const forward = (): void => void child.kill("SIGINT");
  stop.signal.addEventListener("abort", forward, { once: true });
  const status = await new Promise<number>((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => done(code ?? 1));
  });
  stop.signal.removeEventListener("abort", forward);
  return stop.signal.aborted ? 130 : status;
}

function say(sentence: string): void {
  console.log(`\n── ${sentence}\n`);
}
