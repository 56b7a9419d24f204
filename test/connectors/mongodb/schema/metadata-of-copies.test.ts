import { Double, Long } from "mongodb";
import { expect, it } from "vitest";
import type { CollectionInfo } from "../../../../src/connectors/collection.ts";
import { type MongodbStore, mongodb } from "../../../../src/connectors/mongodb/mongodb.ts";
import type { MetadataDifference } from "../../../../src/connectors/powers/metadata.ts";
import { never } from "../../../support/signal.ts";
import { serverPair } from "../../../support/stores/pair.ts";

/** What real servers list of a collection and of its copy. */
const pair = serverPair();

async function differences(): Promise<MetadataDifference[]> {
  const open = (uri: string): Promise<MongodbStore> =>
    mongodb({ uri, database: pair.database, role: "target", label: "test" }, never);
  const [source, target] = await Promise.all([open(pair.source.uri), open(pair.target.uri)]);
  try {
    const [here, there] = await Promise.all([source.list(never), target.list(never)]);
    const found = here.collections.map(async (info) => {
      const copy = there.collections.find(({ name }) => name === info.name);
      if (copy === undefined) throw new Error(`${info.name} was not copied`);
      const indexesOf = async (store: MongodbStore): Promise<CollectionInfo["options"][]> =>
        info.kind === "definition" ? [] : [...(await store.metadata.indexes(info.name, never))];
      return source.metadata.differences({
        source: info,
        target: copy,
        sourceIndexes: await indexesOf(source),
        targetIndexes: await indexesOf(target),
        renames: new Map(),
      });
    });
    return (await Promise.all(found)).flat();
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
}

it("finds no difference between collections and indexes of every kind and their copies", async () => {
  const db = pair.from.db(pair.database);
  await db.createCollection("validated", {
    validator: { n: { $gt: Long.fromNumber(1) } },
    validationLevel: "moderate",
  });
  await db.createCollection("strict", {
    validator: {},
    validationLevel: "strict",
    validationAction: "error",
  });
  await db.createCollection("expiring", {
    clusteredIndex: { key: { _id: 1 }, unique: true },
    expireAfterSeconds: 1_000,
  });
  await db.createCollection("unwatched", { changeStreamPreAndPostImages: { enabled: false } });
  await db.createCollection("log", { capped: true, size: 5_000, max: 5 });
  await db.createCollection("readings", { timeseries: { timeField: "at" }, expireAfterSeconds: 1_000 });
  await db.createCollection("names", { collation: { locale: "fr", strength: 1 } });
  await db.createCollection("view", {
    viewOn: "names",
    pipeline: [{ $set: { "1": 1, a: Long.fromNumber(1) } }],
  });
  await db.collection("names").createIndexes([
    { key: { n: 1 }, name: "inherited" },
    { key: { m: 1 }, name: "simple", collation: { locale: "simple" } },
    { key: { t: "text" }, name: "text", collation: { locale: "simple" } },
  ]);
  await db.collection("validated").createIndexes([
    { key: { a: new Double(1), "0": Long.fromNumber(-1) }, name: "numbers", unique: false, sparse: true },
    { key: { b: 1 }, name: "partial", partialFilterExpression: { n: { $gt: new Double(5) } } },
    { key: { c: 1 }, name: "ttl", expireAfterSeconds: 60.5, hidden: true },
    { key: { d: "text" }, name: "text" },
    { key: { e: "2dsphere" }, name: "sphere" },
    { key: { f: 1 }, name: "simple", collation: { locale: "simple" } },
  ] as never);
  const { code, stdout } = await pair.duplicate();
  expect(code, stdout).toBe(0);
  expect(await differences()).toEqual([]);
});

it("finds no difference between indexes that were created with numbers of another type", async () => {
  for (const [client, one] of [
    [pair.from, 1],
    [pair.to, new Double(1)],
  ] as const)
    await client
      .db(pair.database)
      .collection("a")
      .createIndex({ n: one as number }, { name: "n", expireAfterSeconds: 60 });
  expect(await differences()).toEqual([]);
  expect((await pair.duplicate()).code).toBe(0);
});

it("finds an index that the copy lacks, and one that only the copy has", async () => {
  await pair.from.db(pair.database).collection("a").createIndex({ n: 1 }, { name: "n", unique: true });
  await pair.to.db(pair.database).collection("a").createIndex({ n: -1 }, { name: "other" });
  expect(await differences()).toMatchObject([
    { key: "index a/n", sigil: "+" },
    { key: "index a/other", sigil: "-" },
  ]);
});
