// The script that people write at home: selects everything, then upserts row after row. Arguments: URL, key, URI, database.
import { MongoClient } from "mongodb";

const [url = "", key = "", uri = "", database = ""] = process.argv.slice(2);
const headers = { apikey: key, authorization: `Bearer ${key}` };
const client = await new MongoClient(uri).connect();
const customers = client.db(database).collection("customers");
let rows = 0;
for (;;) {
  const response = await fetch(`${url}/rest/v1/customers?select=*&offset=${rows}&limit=1000`, { headers });
  const page = /** @type {any[]} */ (await response.json());
  if (page.length === 0) break;
  for (const { id, ...row } of page) await customers.updateOne({ _id: id }, { $set: row }, { upsert: true });
  rows += page.length;
}
await client.close();
console.log(rows);
