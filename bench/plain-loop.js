// The loop that everybody writes first: find, then insertMany of 1,000. Arguments: source URI, target URI, database.
import { MongoClient } from "mongodb";

const [from = "", to = "", database = ""] = process.argv.slice(2);
const source = new MongoClient(from);
const target = new MongoClient(to);
const output = target.db(database).collection("orders");
let batch = [];
for await (const document of source.db(database).collection("orders").find({}, { batchSize: 1_000 })) {
  batch.push(document);
  if (batch.length < 1_000) continue;
  await output.insertMany(batch);
  batch = [];
}
if (batch.length > 0) await output.insertMany(batch);
await source.close();
await target.close();
