import { beforeAll, describe, expect, it } from "vitest";
import { TYPE } from "../../../../src/bson/elements.ts";
import type { CollectionInfo, IdRange } from "../../../../src/connectors/collection.ts";
import {
  type MongodbSession,
  type MongodbStore,
  mongodb,
} from "../../../../src/connectors/mongodb/mongodb.ts";
import { Batch, type Doc } from "../../../../src/model/document.ts";
import type { RangeDigest } from "../../../../src/model/range-digest.ts";
import { digestOf, RangeHash } from "../../../../src/model/range-digest.ts";
import {
  array,
  type BsonValue,
  bare,
  binary,
  boolean,
  codeWithScope,
  dbPointer,
  decimal,
  decimalBits,
  documentBytes,
  double,
  eightBytes,
  int32,
  int64,
  object,
  regex,
  text,
} from "../../../bson/bson-bytes.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { rawDoc } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { sessionOf } from "../../../support/stores/claimed.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

let server: MongodbService;
let store: MongodbStore;
let session: MongodbSession;
beforeAll(async () => {
  server = await sharedMongodb();
  store = await mongodb(
    { uri: server.uri, database: "digests", role: "target", label: "test/digests" },
    never,
  );
  session = await sessionOf(store);
  return async () => {
    await store.close();
    await server.stop();
  };
});

const string = (content: string | Buffer): BsonValue => text(TYPE.string, content);
const field = (value: BsonValue, name = "a"): BsonValue => object([[name, value]]);
const objectId: BsonValue = { type: TYPE.objectId, bytes: Buffer.from("65a0b1c2d3e4f5a6b7c8d9e0", "hex") };
const nan = (payload: bigint): BsonValue => eightBytes(TYPE.double, 0x7ff8_0000_0000_0000n | payload);

/** Values that some way of comparing holds equal although their bytes differ, and every type of BSON. */
const LOOK_ALIKES: readonly (readonly [string, BsonValue, BsonValue])[] = [
  ["int and long", int32(1), int64(1n)],
  ["int and double", int32(1), double(1)],
  ["int and decimal", int32(1), decimal(1n, 0)],
  ["long and double", int64(5_000_000_000n), double(5e9)],
  ["long and double, nested", field(int64(1n)), field(double(1))],
  [
    "numbers whose sizes cancel",
    object([
      ["a", int32(1)],
      ["b", int64(2n)],
    ]),
    object([
      ["a", int64(1n)],
      ["b", int32(2)],
    ]),
  ],
  ["doubles with one whole part", double(2.2), double(2.9)],
  ["large doubles", double(1e300), double(2e300)],
  ["infinity and the largest double", double(Infinity), double(Number.MAX_VALUE)],
  ["NaN and 0", nan(0n), double(0)],
  ["NaN payloads", nan(1n), nan(2n)],
  ["NaN as double and as decimal", nan(0n), decimalBits(0x7c00n << 112n)],
  ["double and decimal", double(0.1), decimal(1n, -1)],
  ["scales of decimals", decimal(10n, -1), decimal(100n, -2)],
  ["exponents of decimals", decimal(1n, 3), decimal(1000n, 0)],
  ["signs of zero", double(-0), double(0)],
  ["signs of decimal zero", decimal(0n, 0, true), decimal(0n, 0)],
  ["string and symbol", string("x"), text(TYPE.symbol, "x")],
  ["string and code", string("x"), text(TYPE.code, "x")],
  ["ObjectId and its hex", objectId, string("65a0b1c2d3e4f5a6b7c8d9e0")],
  ["2^53 and 2^53+1", int64(2n ** 53n), int64(2n ** 53n + 1n)],
  ["dates 1 ms apart", eightBytes(TYPE.date, 5n), eightBytes(TYPE.date, 6n)],
  ["date and timestamp", eightBytes(TYPE.date, 5n), eightBytes(TYPE.timestamp, 5n)],
  ["date and long", eightBytes(TYPE.date, 5n), int64(5n)],
  [
    "dates beyond those of JavaScript",
    eightBytes(TYPE.date, 2n ** 62n),
    eightBytes(TYPE.date, 2n ** 62n + 1n),
  ],
  [
    "order of fields",
    object([
      ["a", int32(1)],
      ["b", int32(2)],
    ]),
    object([
      ["b", int32(2)],
      ["a", int32(1)],
    ]),
  ],
  [
    "number-like names",
    object([
      ["2", int32(1)],
      ["1", int32(1)],
    ]),
    object([
      ["1", int32(1)],
      ["2", int32(1)],
    ]),
  ],
  ["order of elements", array([int32(1), int32(2)]), array([int32(2), int32(1)])],
  ["array and object", array([int32(1)]), object([["0", int32(1)]])],
  ["empty array and object", array([]), object([])],
  ["null and undefined", bare(TYPE.null), bare(TYPE.undefined)],
  ["null and nothing", field(bare(TYPE.null)), object([])],
  ["empty string and null", string(""), bare(TYPE.null)],
  ["false and 0", boolean(false), int32(0)],
  ["true and false", boolean(true), boolean(false)],
  ["the ends of the order", bare(TYPE.minKey), bare(TYPE.maxKey)],
  ["subtypes of binaries", binary(0, Buffer.of(1)), binary(4, Buffer.of(1))],
  ["the old subtype", binary(2, Buffer.of(1)), binary(0, Buffer.of(1))],
  ["flags of patterns", regex("x", "i"), regex("x", "im")],
  ["a NUL in a string", string("a\0b"), string("a\0c")],
  ["forms of Unicode", string("\u00e9"), string("e\u0301")],
  ["names of fields", field(int32(1), "a"), field(int32(1), "b")],
  ["DBPointers", dbPointer("a.b", objectId.bytes), dbPointer("a.c", objectId.bytes)],
  ["scopes of code", codeWithScope("x", field(int32(1))), codeWithScope("x", field(int64(1n)))],
];

async function stored(name: string, documents: readonly Doc[]): Promise<CollectionInfo> {
  const info = {
    name,
    kind: "collection",
    type: "collection",
    options: new Map(),
    ordered: true,
    documents: 0,
    bytes: 0,
  } as const;
  await session.prepare(info, never);
  for (let from = 0; from < documents.length; from += 1_000) {
    const { rejected } = await session.write(
      name,
      Batch.of(documents.slice(from, from + 1_000)),
      "insert",
      never,
    );
    expect(rejected).toEqual([]);
  }
  return { ...info, documents: documents.length };
}

async function here(info: CollectionInfo, range: IdRange): Promise<RangeDigest> {
  const hash = new RangeHash();
  for await (const batch of store.read(info, { range, signal: never })) hash.add(batch);
  return hash.digest();
}

async function there(
  info: CollectionInfo,
  range: IdRange,
  filter?: Map<string, unknown>,
): Promise<RangeDigest> {
  const digester = await store.digests.digester(info, never);
  if (digester === undefined) throw new Error("this server does not hash");
  return await digester.digest({ range, ...(filter === undefined ? {} : { filter }) }, never);
}

function numbered(values: readonly BsonValue[]): Doc[] {
  return values.map((value, n) =>
    rawDoc(
      documentBytes([
        ["_id", int32(n)],
        ["v", value],
      ]),
    ),
  );
}

/** A document of so many bytes. */
function sized(n: number, bytes: number): Doc {
  const of = (content: string): Buffer =>
    documentBytes([
      ["_id", int32(n)],
      ["v", string(content)],
    ]);
  return rawDoc(of("x".repeat(bytes - of("").length)));
}

describe("digest of a range", () => {
  it("hashes the stored bytes, and distinguishes values that only look alike", async () => {
    const left = await stored("left", numbered(LOOK_ALIKES.map(([, value]) => value)));
    const right = await stored("right", numbered(LOOK_ALIKES.map(([, , value]) => value)));
    const one = (n: number): IdRange => ({ from: idOf(n), to: idOf(n + 1) });
    const idOf = (n: number) => rawDoc(documentBytes([["_id", int32(n)]])).id;
    for (const [n, [name]] of LOOK_ALIKES.entries()) {
      const [a, b] = [await there(left, one(n)), await there(right, one(n))];
      expect(a, name).toEqual(await here(left, one(n)));
      expect(b, name).toEqual(await here(right, one(n)));
      expect(a.documents, name).toBe(1);
      expect(a.sha256, name).not.toBe(b.sha256);
    }
  });

  it("hashes each document in exactly one of the ranges, whatever the types of the ids", async () => {
    const ids = LOOK_ALIKES.flatMap(([, a]) => a).filter(
      ({ type }) => type !== TYPE.array && type !== TYPE.regex,
    );
    const documents = new Map(
      [...ids, bare(TYPE.maxKey)]
        .map((value) => rawDoc(documentBytes([["_id", value]])))
        .filter(({ id }) => store.lookup.canQuery(id))
        .map((document) => [document.id.key, document]),
    );
    const info = await stored("ids", [...documents.values()]);
    const ranges = await store.ranges.cut(info, 12, never);
    expect(ranges.length).toBeGreaterThan(6);
    let found = 0;
    for (const range of ranges) {
      const digest = await there(info, range);
      expect(digest).toEqual(await here(info, range));
      found += digest.documents;
    }
    expect(found).toBe(documents.size);
  });

  it("returns the digest of no documents for an empty range, and hashes only what a filter selects", async () => {
    const info = await stored("few", numbered([int32(1), int32(2), int32(3)]));
    const beyond = rawDoc(documentBytes([["_id", int32(9)]])).id;
    expect(await there(info, { from: beyond })).toEqual(digestOf([]));
    const second = numbered([int32(1), int32(2)]).slice(1);
    expect(await there(info, {}, new Map([["v", 2]]))).toEqual(digestOf([Batch.of(second)]));
  });

  it("hashes documents of almost 16 MB, and fails permanently when one is too large for the server", async () => {
    const documents = numbered(Array.from({ length: 40 }, () => int32(0)));
    documents[20] = sized(20, 16_777_000);
    const info = await stored("large", documents);
    expect(await there(info, {})).toEqual(digestOf([Batch.of(documents)]));
    await session.write(info.name, Batch.of([sized(20, 16_777_216)]), "replace", never);
    await expect(there(info, {})).rejects.toMatchObject({ exit: "target", retryable: false });
  });

  it("offers no digester for unordered, capped, time-series or empty collections", async () => {
    const info = await stored("unordered", numbered([int32(1)]));
    const empty = await stored("empty", []);
    expect(await store.digests.digester({ ...info, ordered: false }, never)).toBeUndefined();
    expect(
      await store.digests.digester({ ...info, kind: "sequence", type: "capped" }, never),
    ).toBeUndefined();
    expect(
      await store.digests.digester({ ...info, kind: "sequence", type: "timeseries" }, never),
    ).toBeUndefined();
    expect(await store.digests.digester(empty, never)).toBeUndefined();
    expect(await store.digests.digester(info, never)).toBeDefined();
  });
});
