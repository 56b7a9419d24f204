import { MongoClient } from "mongodb";

/** Makes one thing of every kind that a database can hold, past the program, all with names that begin with this. */
export async function makeEveryKind(uri: string, database: string, prefix: string): Promise<void> {
  const client = new MongoClient(uri);
  try {
    const db = client.db(database);
    await db.collection(prefix).insertOne({ n: 1 });
    await db.createCollection(`${prefix}.capped`, { capped: true, size: 4_096 });
    await db.createCollection(`${prefix}_series`, { timeseries: { timeField: "at" } });
    await db.createCollection(`${prefix}_view`, { viewOn: prefix, pipeline: [] });
  } finally {
    await client.close();
  }
}
