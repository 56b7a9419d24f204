import { type Document, MongoClient } from "mongodb";
import type { MongodbService } from "../test/services/mongodb/mongodb.ts";
import { startUpstash, type Upstash } from "../test/services/upstash/upstash.ts";
import { fillSkinvault } from "../test/shops/skinvault.ts";
import { dualsync, say } from "./stage.ts";

const DATABASE = "skinvault";

/** A shop on Vercel KV that falls back to its copy in MongoDB. @returns the first exit status that is not the expected one */
export async function showSkinvault(backup: MongodbService): Promise<number> {
  say("Starting Redis and an edge that answers as Vercel KV does …");
  const kv = await startUpstash().catch((error: unknown) => {
    say("NOT RUN on this machine: Redis did not start, so the part with KV is left out.");
    console.error(error);
  });
  if (kv === undefined) return 0;
  try {
    await fillSkinvault(kv.redis.run);
    return await show(kv, backup);
  } finally {
    await kv.stop();
  }
}

async function show(kv: Upstash, backup: MongodbService): Promise<number> {
  const env = {
    KV_REST_API_URL: kv.url,
    KV_REST_API_TOKEN: kv.token,
    MONGODB_URI: backup.uri,
    MONGODB_DB_NAME: DATABASE,
  };
  say("Each key becomes a collection, from which the application reads while KV is away.");
  const first = await dualsync(env, "sync-kv", "--layout", "collections");
  if (first !== 0) return first;

  say(
    "An outage: the month's quota is used up. The application writes to MongoDB. What does the nightly run say?",
  );
  kv.settings.quota = kv.billed;
  await writeMeanwhile(backup);
  const limited = await dualsync(env, "sync-kv");
  if (limited !== 4) return limited === 0 ? 1 : limited;

  say("KV is back: what was written meanwhile finds its way there, and nothing else is written.");
  kv.settings.quota = undefined;
  const back = await dualsync(env, "sync-kv", "--direction", "to-kv");
  if (back !== 0) return back;

  say("Are both in step again?");
  return await dualsync(env, "sync-kv");
}

/** One key is changed and one is new. */
async function writeMeanwhile(backup: MongodbService): Promise<void> {
  const client = new MongoClient(backup.uri);
  try {
    const database = client.db(DATABASE);
    await database.collection<Document>("settings").updateOne({}, { $set: { "value.motd": "KV is away" } });
    const sale = { key: "flash_sale", value: { percent: 20 }, updatedAt: new Date() };
    await database.collection("flash_sale").insertOne({ ...sale, _id: "flash_sale" as never });
  } finally {
    await client.close();
  }
}
