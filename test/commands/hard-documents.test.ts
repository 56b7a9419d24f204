import { MongoClient } from "mongodb";
import { beforeAll, expect, it } from "vitest";
import { TYPE } from "../../src/bson/elements.ts";
import * as bson from "../bson/bson-bytes.ts";
import { type MongodbService, startMongodb, withDatabase } from "../services/mongodb.ts";
import { rawDocument } from "../services/raw-source.ts";
import { collectionRecord, dualsync } from "../support/cli.ts";

const zeros = bson.eightBytes(TYPE.timestamp, 0n);
const one = bson.int32(1);
const two = bson.int32(2);
const value = (type: number, ...bytes: number[]): bson.BsonValue => ({ type, bytes: Buffer.from(bytes) });

/** Documents that a careless carrier alters, and that every server stores as they are. */
const STORABLE: Record<string, (readonly [string | Buffer, bson.BsonValue])[]> = {
  "number-like names out of order": [
    ["2", one],
    ["1", two],
  ],
  "names of JavaScript's own": [
    ["_bsontype", bson.text(TYPE.string, "ObjectId")],
    ["__proto__", one],
    ["constructor", two],
    ["toBSON", one],
  ],
  "a name that looks like an operator": [["$set", bson.object([["a", one]])]],
  "operators further down": [
    [
      "a",
      bson.object([
        ["$inc", one],
        ["$where", two],
      ]),
    ],
  ],
  "dotted and empty names": [
    ["a.b", one],
    ["", two],
  ],
  "a date beyond JavaScript's": [["d", bson.eightBytes(TYPE.date, 9223372036854775807n)]],
  "an empty timestamp": [["t", zeros]],
  "an empty timestamp further down": [["a", bson.object([["t", zeros]])]],
  "a NaN with a payload": [["n", value(TYPE.double, 1, 0, 0, 0, 0, 0, 0xf8, 0x7f)]],
  "minus zero and a whole double": [
    ["z", bson.double(-0)],
    ["w", bson.double(1)],
    ["l", bson.int64(1n)],
  ],
  "old types": [
    ["u", value(TYPE.undefined)],
    ["s", bson.text(TYPE.symbol, "s")],
    ["c", bson.text(TYPE.code, "f()")],
    ["p", bson.dbPointer("a.b", Buffer.alloc(12, 1))],
    ["w", bson.codeWithScope("f()", bson.object([["x", one]]))],
  ],
  "ends of the order": [
    ["a", value(TYPE.minKey)],
    ["b", value(TYPE.maxKey)],
  ],
  "binaries of every kind": [
    ["o", bson.binary(2, Buffer.from("abc"))],
    ["u", bson.binary(4, Buffer.alloc(16, 7))],
    ["x", bson.binary(0x80, Buffer.from("z"))],
  ],
  "a reference with its fields the other way round": [
    [
      "r",
      bson.object([
        ["$id", one],
        ["$ref", bson.text(TYPE.string, "c")],
      ]),
    ],
  ],
  "a NUL in a string": [["s", bson.text(TYPE.string, "a\0b")]],
  "a decimal with its zeros": [["d", bson.decimal(100n, -2)]],
};

/** Documents that this target alters or cannot take: they must be named, and must not be there altered. */
const NOT_STORABLE: Record<string, (readonly [string | Buffer, bson.BsonValue])[]> = {
  "one name twice": [
    ["a", one],
    ["a", two],
  ],
  "one name twice further down": [
    [
      "s",
      bson.object([
        ["a", one],
        ["a", two],
      ]),
    ],
  ],
  "array keys out of order": [
    [
      "s",
      {
        type: TYPE.array,
        bytes: bson.object([
          ["5", one],
          ["x", two],
        ]).bytes,
      },
    ],
  ],
  "flags out of order": [["r", bson.regex("a", "xi")]],
  "a string that is not UTF-8": [["s", bson.text(TYPE.string, Buffer.from([0xff, 0xfe, 0x41]))]],
  "a name that is not UTF-8": [[Buffer.from([0xff, 0xfe]), one]],
  "a boolean that is neither": [["b", value(TYPE.boolean, 2)]],
};

let source: MongodbService;
let target: MongodbService;
let from: MongoClient;
let to: MongoClient;
beforeAll(async () => {
  [source, target] = await Promise.all([startMongodb({ rawDocuments: true }), startMongodb()]);
  from = new MongoClient(source.uri);
  to = new MongoClient(target.uri);
  return async () => {
    await Promise.all([from.close(), to.close()]);
    await Promise.all([source.stop(), target.stop()]);
  };
});

function documents(cases: typeof STORABLE): Map<string, Buffer> {
  return new Map(
    Object.entries(cases).map(([name, fields]) => [
      name,
      bson.object([["_id", bson.text(TYPE.string, name)], ...fields]).bytes,
    ]),
  );
}

async function fill(database: string, collection: string, wanted: Iterable<Buffer>): Promise<void> {
  await from
    .db(database)
    .collection(collection)
    .insertMany([...wanted].map((bytes) => rawDocument(bytes)));
}

/** What the target holds, by the `_id`s that the test gave, read by the driver alone. */
async function held(database: string, collection: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for await (const raw of to.db(database).collection(collection).find({}, { raw: true })) {
    const bytes = Buffer.from(raw as unknown as Uint8Array);
    const length = bytes.readInt32LE(9) - 1; // "_id" is first and a string
    found.set(bytes.subarray(13, 13 + length).toString(), bytes);
  }
  return found;
}

async function duplicate(database: string, ...flags: string[]): ReturnType<typeof dualsync> {
  const env = { LIVE: withDatabase(source.uri, database), COPY: withDatabase(target.uri, database) };
  return await dualsync(["duplicate", "--from", "env:LIVE", "--to", "env:COPY", "--json", ...flags], { env });
}

it("carries every storable document byte for byte, by insert and by replace", async () => {
  const wanted = documents(STORABLE);
  await fill("storable", "hard", wanted.values());
  const first = await duplicate("storable");
  expect(collectionRecord(first.stdout, "hard")).toMatchObject({
    written: wanted.size,
    setAside: 0,
    verdict: "verified",
  });
  expect(first.code).toBe(0);
  expect(await held("storable", "hard")).toEqual(wanted);
  const ids = [...wanted.keys()];
  await to
    .db("storable")
    .collection<{ _id: string }>("hard")
    .deleteMany({ _id: { $in: ids } });
  await to
    .db("storable")
    .collection<{ _id: string; old: number }>("hard")
    .insertMany(ids.map((_id) => ({ _id, old: 1 })));
  const second = await duplicate("storable");
  expect(second.code).toBe(0);
  expect(await held("storable", "hard")).toEqual(wanted);
});

it("sets aside by name what the target cannot take, and leaves nothing altered behind", async () => {
  const good = documents(STORABLE);
  const bad = documents(NOT_STORABLE);
  await fill("mixed", "hard", [...good.values(), ...bad.values()]);
  for (const round of ["into an empty target", "again"]) {
    const { code, stdout } = await duplicate("mixed");
    expect(code, round).toBe(3);
    expect(collectionRecord(stdout, "hard"), round).toMatchObject({
      read: good.size + bad.size,
      setAside: bad.size,
      verdict: "set aside",
    });
    for (const name of bad.keys()) expect(stdout, round).toContain(`document hard/\\"${name}\\"`);
    expect(await held("mixed", "hard"), round).toEqual(good);
  }
});

it("ends with 0 when every document that is set aside has been accepted", async () => {
  const { "one name twice": twice = [], "flags out of order": flags = [] } = NOT_STORABLE;
  await fill(
    "accepted",
    "hard",
    documents({ "one name twice": twice, "flags out of order": flags }).values(),
  );
  const keys = ["one name twice", "flags out of order"].flatMap((name) => [
    "--accept",
    `document hard/"${name}"`,
  ]);
  expect((await duplicate("accepted", ...keys)).code).toBe(0);
  expect((await duplicate("accepted", ...keys.slice(2))).code).toBe(3);
});
