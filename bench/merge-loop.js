// The comparison that everybody writes first: two raw cursors in the order of the ids, document against document.
// Arguments: source URI, target URI, database.
import { BSON, MongoClient } from "mongodb";

const [from = "", to = "", database = ""] = process.argv.slice(2);
const clients = [new MongoClient(from), new MongoClient(to)];
const [source, target] = clients.map((client) => {
  const orders = client.db(database).collection("orders");
  return orders.find({}, { raw: true, batchSize: 1_000 }).sort({ _id: 1 })[Symbol.asyncIterator]();
});
const idOf = (document) => BSON.deserialize(document)._id.toHexString();
let left = (await source.next()).value;
let right = (await target.next()).value;
let differences = 0;
while (left !== undefined || right !== undefined) {
  if (left !== undefined && right !== undefined && Buffer.compare(left, right) === 0) {
    [left, right] = [(await source.next()).value, (await target.next()).value];
    continue;
  }
  differences++;
  const order =
    left === undefined ? 1 : right === undefined ? -1 : idOf(left) < idOf(right) ? -1 : Number(idOf(left) > idOf(right));
  if (order <= 0) left = (await source.next()).value;
  if (order >= 0) right = (await target.next()).value;
}
for (const client of clients) await client.close();
console.log(JSON.stringify({ differences }));
