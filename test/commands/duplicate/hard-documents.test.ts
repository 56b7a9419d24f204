import { MongoClient } from "mongodb";
import { beforeAll, expect, it } from "vitest";
import { type MongodbService, withDatabase } from "../../services/mongodb/mongodb.ts";
import { rawDocument } from "../../services/mongodb/raw-source.ts";
import { collectionRecord, dualsync } from "../../support/cli.ts";
import { hardDocuments, NOT_STORABLE, STORABLE } from "../../support/data/hard-documents.ts";
import { sharedMongodb } from "../../support/stores/shared-services.ts";

let source: MongodbService;
let target: MongodbService;
let from: MongoClient;
let to: MongoClient;
beforeAll(async () => {
  [source, target] = await Promise.all([sharedMongodb({ rawDocuments: true }), sharedMongodb()]);
  from = new MongoClient(source.uri);
  to = new MongoClient(target.uri);
  return async () => {
    await Promise.all([from.close(), to.close()]);
    await Promise.all([source.stop(), target.stop()]);
  };
});

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

it("copies every storable document byte for byte, by insert and by replace", async () => {
  const wanted = hardDocuments(STORABLE);
  await fill("storable", "hard", wanted.values());
  const first = await duplicate("storable");
  expect(collectionRecord(first.stdout, "hard")).toMatchObject({
    written: wanted.size,
    rejected: 0,
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

it("rejects by name what the target cannot store, and leaves nothing altered behind", async () => {
  const good = hardDocuments(STORABLE);
  const bad = hardDocuments(NOT_STORABLE);
  await fill("mixed", "hard", [...good.values(), ...bad.values()]);
  for (const round of ["into an empty target", "again"]) {
    const { code, stdout } = await duplicate("mixed");
    expect(code, round).toBe(3);
    expect(collectionRecord(stdout, "hard"), round).toMatchObject({
      read: good.size + bad.size,
      rejected: bad.size,
      verdict: "incomplete",
    });
    for (const name of bad.keys()) expect(stdout, round).toContain(`document hard/\\"${name}\\"`);
    expect(await held("mixed", "hard"), round).toEqual(good);
  }
});

it("exits with 0 when every rejected document has been accepted", async () => {
  const { "one name twice": twice = [], "flags out of order": flags = [] } = NOT_STORABLE;
  await fill(
    "accepted",
    "hard",
    hardDocuments({ "one name twice": twice, "flags out of order": flags }).values(),
  );
  const keys = ["one name twice", "flags out of order"].flatMap((name) => [
    "--accept",
    `document hard/"${name}"`,
  ]);
  expect((await duplicate("accepted", ...keys)).code).toBe(0);
  expect((await duplicate("accepted", ...keys.slice(2))).code).toBe(3);
});
