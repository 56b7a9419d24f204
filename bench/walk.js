// One comparison by the functions of the program. Arguments: tier ("raw", "hash", "one-sided"), source URI, target URI,
// database.
import { mongodb } from "../dist/connectors/mongodb/mongodb.js";
import { digestWalk } from "../dist/core/diff/digest-walk.js";
import { Flights } from "../dist/core/flights.js";
import { piecesFor } from "../dist/core/ranges.js";
import { merge } from "../dist/core/walk.js";

const CONCURRENCY = 3;

const [tier = "", from = "", to = "", database = ""] = process.argv.slice(2);
const { signal } = new AbortController();
const source = await open(from, "source");
const target = await open(to, "target");
const ranges = await source.store.ranges(source.collection, piecesFor(source.collection, CONCURRENCY), signal);
const { documents, bytes } = source.collection;
const estimate = { documents: documents / ranges.length, bytes: bytes / ranges.length };
const found = { equal: 0, differences: 0 };
const flights = new Flights(CONCURRENCY, (error) => {
  throw error;
});
for (const range of ranges) await flights.add(() => count(steps(range)));
await flights.land();
await Promise.all([source.store.close(), target.store.close()]);
console.log(JSON.stringify(found));

async function open(uri, role) {
  const store = await mongodb({ uri, database, role, label: role }, signal);
  const { collections } = await store.list(signal);
  const collection = collections.find(({ name }) => name === "orders");
  const hashes = tier === "hash" || (tier === "one-sided" && role === "source");
  const digester = hashes ? await store.digester(collection, signal) : undefined;
  if (hashes && digester === undefined) throw new Error(`the ${role} does not hash`);
  return { store, collection, digester };
}

function steps(range) {
  if (tier !== "raw") return digestWalk({ source, target, range, estimate, signal });
  const options = { range, signal };
  return merge(source.store.read(source.collection, options), target.store.read(target.collection, options));
}

async function count(stepsOfRange) {
  for await (const step of stepsOfRange) {
    found.equal += step.equal.documents;
    found.differences += step.missing.length + step.different.length + step.extra.length + step.twins.length;
  }
}
