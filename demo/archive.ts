import { MongoClient } from "mongodb";
import { type MongodbService, withDatabase } from "../test/services/mongodb/mongodb.ts";
import { dualsync, say } from "./stage.ts";

/** A copy that no server can lose: the shop as files, and back. @returns the first exit status that is not 0 */
export async function showArchive(shop: MongodbService, database: string): Promise<number> {
  const env = { SHOP_URI: withDatabase(shop.uri, database) };
  const chosen = ["--include", "customers"];

  say("A copy that no server can lose: the customers as files, which mongorestore reads, too.");
  const written = await dualsync(
    env,
    "duplicate",
    "--from",
    "env:SHOP_URI",
    "--to",
    "file:archive",
    ...chosen,
    "--gzip",
  );
  if (written !== 0) return written;

  say("The shop loses its customers for good. The archive gives them back.");
  await lose(shop, database);
  const restore = ["restore", "--from", "file:archive", "--to", "env:SHOP_URI", ...chosen];
  const restored = await dualsync(env, ...restore, "--apply", "--confirm", database);
  if (restored !== 0) return restored;
  return await dualsync(env, "diff", "--from", "env:SHOP_URI", "--to", "file:archive", ...chosen);
}

async function lose(shop: MongodbService, database: string): Promise<void> {
  const client = new MongoClient(shop.uri);
  try {
    await client.db(database).collection("customers").drop();
  } finally {
    await client.close();
  }
}
