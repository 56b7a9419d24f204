import { createHash } from "node:crypto";
import { deserialize, EJSON } from "bson";
import type { MongoClient } from "mongodb";

/** Everything that a database holds, read by the driver alone and not by the program: data by hash, indexes, options. */
export async function snapshot(client: MongoClient, database: string): Promise<Record<string, unknown>> {
  const db = client.db(database);
  const found: Record<string, unknown> = {};
  for (const { name, type, options } of (await db.listCollections().toArray()) as {
    name: string;
    type: string;
    options: object;
  }[]) {
    if (name.startsWith("system.") || name === "_dualsync") continue;
    const isView = type === "view";
    const indexes = isView
      ? []
      : (await db.collection(name).listIndexes().toArray()).map((index) => EJSON.stringify(index)).sort();
    found[name] = {
      type,
      options: EJSON.stringify(options),
      indexes,
      ...(isView ? {} : await contents(client, database, name, type === "timeseries")),
    };
  }
  return found;
}

/**
 * Number and hash of a collection's documents, byte for byte, in any order. Measurements of a time-series are taken with
 * their fields sorted: a server promises no order of them.
 */
export async function contents(
  client: MongoClient,
  database: string,
  collection: string,
  sorted = false,
): Promise<{ count: number; hash: string }> {
  const hashes: string[] = [];
  for await (const bytes of client.db(database).collection(collection).find({}, { raw: true })) {
    hashes.push(
      createHash("sha256")
        .update(sorted ? sortedFields(bytes as unknown as Uint8Array) : (bytes as unknown as Uint8Array))
        .digest("hex"),
    );
  }
  return { count: hashes.length, hash: createHash("sha256").update(hashes.sort().join()).digest("hex") };
}

function sortedFields(document: Uint8Array): string {
  const fields = Object.entries(deserialize(document, { promoteValues: false }));
  return EJSON.stringify(
    fields.sort(([a], [b]) => (a < b ? -1 : 1)),
    { relaxed: false },
  );
}
