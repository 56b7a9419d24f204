import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { TYPE } from "../../../../src/bson/elements.ts";
import { printId } from "../../../../src/bson/print-id.ts";
import {
  type MongodbSession,
  type MongodbStore,
  mongodb,
} from "../../../../src/connectors/mongodb/mongodb.ts";
import { Batch, type Doc, type DocumentId } from "../../../../src/model/document.ts";
import * as bson from "../../../bson/bson-bytes.ts";
import { acceptedId } from "../../../bson/id-arbitraries.ts";
import { anyNumber, numberNearLimit } from "../../../bson/number-arbitraries.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { rawDoc } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { sessionOf } from "../../../support/stores/claimed.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

const SEED = 20_261_129;
const LONG = process.env.DUALSYNC_TEST_LONG === "1";
const COUNT = LONG ? 100_000 : 1_000;
/** Milliseconds: a lookup that does not end fails its test. */
const LIMIT = LONG ? 600_000 : 60_000;

let server: MongodbService;
let store: MongodbStore;
let session: MongodbSession;
let collections = 0;
beforeAll(async () => {
  server = await sharedMongodb();
  const options = { uri: server.uri, database: "lookups", role: "target", label: "test/lookups" } as const;
  store = await mongodb(options, never);
  session = await sessionOf(store);
  return async () => {
    await store.close();
    await server.stop();
  };
});

const withId = (value: bson.BsonValue): Doc => rawDoc(bson.documentBytes([["_id", value]]));
const ids = (documents: readonly Doc[]): DocumentId[] => documents.map(({ id }) => id);
const keys = (documents: readonly Doc[]): string[] => documents.map(({ id }) => id.key).sort();

/** A new collection with these documents. */
async function holding(documents: readonly Doc[]): Promise<string> {
  const name = `c${++collections}`;
  const info = { name, kind: "collection", type: "collection", options: new Map() } as const;
  await session.prepare({ ...info, ordered: true, documents: 0, bytes: 0 }, never);
  const outcome = await session.write(name, Batch.of(documents), "create", never);
  expect(outcome).toMatchObject({ written: documents.length, rejected: [] });
  return name;
}

async function foundOf(collection: string, asked: readonly Doc[]): Promise<string[]> {
  return [...(await store.lookup.find(collection, ids(asked), never)).keys()].sort();
}

/** One document for each id that a server holds different. */
function sample(arbitrary: fc.Arbitrary<bson.BsonValue>): readonly Doc[] {
  const documents = fc.sample(arbitrary, { seed: SEED, numRuns: COUNT }).map(withId);
  return [...new Map(documents.map((document) => [document.id.key, document])).values()];
}

describe("documents of a MongoDB that are looked up by their ids", () => {
  it.each([
    ["of all kinds", acceptedId],
    ["that are numbers", anyNumber],
    ["that are numbers near 2^53 and 2^63", numberNearLimit],
    ["that hold such numbers", numberNearLimit.map((number) => bson.object([["n", number]]))],
  ])(
    "exactly those are found, and removed, that are there: ids %s",
    async (_which, arbitrary) => {
      const all = sample(arbitrary);
      const there = all.filter((_, n) => n % 2 === 0);
      const collection = await holding(there);
      expect(all.filter(({ id }) => !store.lookup.canQuery(id))).toEqual([]);
      expect(await foundOf(collection, all)).toEqual(keys(there));
      // Few at a time as well: what a server makes of one id depends on which others are asked for.
      for (let at = 0; at < all.length; at += 3) {
        const some = all.slice(at, at + 3);
        const wanted = keys(some.filter((_, n) => (at + n) % 2 === 0));
        expect(
          await foundOf(collection, some),
          ids(some)
            .map(({ element }) => printId(element))
            .join(),
        ).toEqual(wanted);
      }
      const info = { name: collection, kind: "collection", type: "collection", options: new Map() } as const;
      const listed = { ...info, ordered: true, documents: there.length, bytes: 0 };
      const filter = new Map([["absent", null]]);
      const matching = await store.filters.among(listed, filter, ids(all), never);
      expect([...matching].sort()).toEqual(keys(there));
      expect(await session.remove(collection, ids(all), never)).toBe(there.length);
      expect(await store.count(collection, {}, never)).toBe(0);
      console.log(`${all.length} ids ${_which} looked up`);
    },
    LIMIT,
  );

  it("a decimal just above 2^53 is found beside another id, and its negative, too", async () => {
    const [low, decimal, negative] = [
      bson.int64(-(2n ** 63n)),
      bson.decimal(90_071_992_547_409_935n, -1),
      bson.decimal(90_071_992_547_409_935n, -1, true),
    ].map(withId) as [Doc, Doc, Doc];
    const collection = await holding([low, decimal, negative]);
    expect(await foundOf(collection, [low, decimal])).toEqual(keys([low, decimal]));
    expect(await foundOf(collection, [low, negative])).toEqual(keys([low, negative]));
  });

  it("a whole number that is not there is not waited for where a decimal just above it is", async () => {
    const [whole, decimal, other] = [
      bson.int64(2n ** 53n + 1n),
      bson.decimal(90_071_992_547_409_935n, -1),
      bson.int32(1),
    ].map(withId) as [Doc, Doc, Doc];
    const collection = await holding([decimal, other]);
    expect(await foundOf(collection, [whole, other])).toEqual(keys([other]));
  });

  it.each([
    ["a DBPointer", bson.dbPointer("shop.orders", Buffer.alloc(12, 7))],
    ["undefined in a document", bson.object([["a", bson.bare(TYPE.undefined)]])],
    ["a date beyond JavaScript's", bson.eightBytes(TYPE.date, 9_000_000_000_000_000n)],
    ["the earliest date", bson.eightBytes(TYPE.date, -(2n ** 63n))],
  ])("an _id that is %s can be asked for, and can bound a range", async (_what, value) => {
    const documents = [withId(value), withId(bson.text(TYPE.string, "other"))];
    const [odd] = documents as [Doc, Doc];
    const collection = await holding(documents);
    expect(store.lookup.canQuery(odd.id)).toBe(true);
    expect(await foundOf(collection, documents)).toEqual(keys(documents));
    const range = { from: odd.id };
    const counted = await store.count(collection, { range }, never);
    const info = { name: collection, kind: "collection", type: "collection", options: new Map() } as const;
    const listed = { ...info, ordered: true, documents: 2, bytes: 0 };
    let read = 0;
    for await (const batch of store.read(listed, { range, signal: never })) read += batch.length;
    expect([read, counted]).toEqual([read, read]);
    expect(read).toBeGreaterThan(0);
  });

  it.each([
    ["undefined", bson.bare(TYPE.undefined)],
    ["a regular expression", bson.regex("a", "i")],
    ["an array", bson.array([bson.int32(1)])],
  ])("an _id that is %s means something else in a query, and is never asked for", async (_what, value) => {
    const { id } = withId(value);
    expect(store.lookup.canQuery(id)).toBe(false);
    const collection = await holding([withId(bson.text(TYPE.string, "a"))]);
    expect(await store.lookup.find(collection, [id], never)).toEqual(new Map());
  });
});
