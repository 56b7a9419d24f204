// One comparison by the functions of the program. Arguments: tier ("raw", "hash" or "one-sided"), source URI,
// target URI, database.

import type { StoreRole } from "../src/connectors/connector.ts";
import { mongodb } from "../src/connectors/mongodb/mongodb.ts";
import { cutSegments, digestWalk } from "../src/core/compare/digests/digest-walk.ts";
import type { DigestSide } from "../src/core/compare/digests/digests.ts";
import { TaskPool } from "../src/core/concurrency/task-pool.ts";
import { cutInto, piecesFor } from "../src/core/walk/ranges.ts";
import { merge, type Step } from "../src/core/walk/walk.ts";

const CONCURRENCY = 3;
/** Segments of one walk. */
const PART = 16;

const [tier = "", from = "", to = "", database = ""] = process.argv.slice(2);
const ender = new AbortController();
const { signal } = ender;
const source = await open(from, "source");
const target = await open(to, "target");
const parts = tier === "raw" ? await rangesToRead() : await rangesToHash();
const found = { equal: 0, differences: 0 };
const pool = new TaskPool(CONCURRENCY, (error) => ender.abort(error));
for (const part of parts) await pool.add(() => count(part));
await pool.join();
await Promise.all([source.store.close(), target.store.close()]);
console.log(JSON.stringify(found));

async function open(uri: string, role: StoreRole): Promise<DigestSide> {
  const store = await mongodb({ uri, database, role, label: role }, signal);
  const { collections } = await store.list(signal);
  const collection = collections.find(({ name }) => name === "orders");
  if (collection === undefined) throw new Error(`the ${role} has no orders`);
  const hashes = tier === "hash" || (tier === "one-sided" && role === "source");
  const digester = hashes ? await store.digests?.digester(collection, signal) : undefined;
  if (hashes && digester === undefined) throw new Error(`the ${role} does not hash`);
  return { store, collection, digester };
}

async function rangesToRead(): Promise<AsyncIterable<Step>[]> {
  const pieces = piecesFor(source.collection, CONCURRENCY);
  const ranges = await cutInto(source.store, target.store, source.collection, pieces, signal);
  return ranges.map((range) => {
    const options = { range, signal };
    return merge(
      source.store.read(source.collection, options),
      target.store.read(target.collection, options),
    );
  });
}

async function rangesToHash(): Promise<AsyncIterable<Step>[]> {
  const all = await cutSegments(source, target.store, signal);
  return Array.from({ length: Math.ceil(all.length / PART) }, (_, i) =>
    digestWalk({ source, target, segments: all.slice(i * PART, (i + 1) * PART), signal }),
  );
}

async function count(steps: AsyncIterable<Step>): Promise<void> {
  for await (const step of steps) {
    found.equal += step.equal.documents;
    found.differences +=
      step.missing.length + step.different.length + step.extra.length + step.duplicateIds.length;
  }
}
