// The comparison that everybody writes first: two raw cursors in the order of the ids, document against document.
// Arguments: source URI, target URI, database.
import { deserialize } from "bson";
import { MongoClient } from "mongodb";

const [from = "", to = "", database = ""] = process.argv.slice(2);
const clients = [from, to].map((uri) => new MongoClient(uri));
const [source, target] = clients.map((client) => {
  const orders = client.db(database).collection("orders");
  return orders.find({}, { raw: true, batchSize: 1_000 }).sort({ _id: 1 })[Symbol.asyncIterator]();
});

type Side = NonNullable<typeof source>;

async function next(side: Side | undefined): Promise<Uint8Array | undefined> {
  const document: unknown = (await side?.next())?.value;
  return document instanceof Uint8Array ? document : undefined;
}

function order(left: Uint8Array, right: Uint8Array): number {
  const [a, b] = [left, right].map((document) => String(deserialize(document)._id));
  return a === b ? 0 : (a ?? "") < (b ?? "") ? -1 : 1;
}

let [left, right] = [await next(source), await next(target)];
let differences = 0;
while (left !== undefined || right !== undefined) {
  if (left !== undefined && right !== undefined && Buffer.compare(left, right) === 0) {
    left = await next(source);
    right = await next(target);
    continue;
  }
  differences++;
  const side = left === undefined ? 1 : right === undefined ? -1 : order(left, right);
  if (side <= 0) left = await next(source);
  if (side >= 0) right = await next(target);
}
for (const client of clients) await client.close();
console.log(JSON.stringify({ differences }));
