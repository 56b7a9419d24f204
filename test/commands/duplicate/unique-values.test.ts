import type { CreateIndexesOptions } from "mongodb";
import { expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { collectionRecord, dualsync } from "../../support/cli.ts";
import { folder } from "../../support/compared.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Unique values that have moved from one document to another since the last copy. */
const pair = serverPair();

type Person = { _id: number; email?: string; place?: number; ring?: number };
const people = (side: "from" | "to") => pair[side].db(pair.database).collection<Person>("people");

async function unique(field: string, options: CreateIndexesOptions = {}): Promise<void> {
  await people("from").createIndex({ [field]: 1 }, { unique: true, ...options });
}

/** Replaces the source's documents while nothing must be unique there, and copies again. */
async function replaced(documents: readonly Person[]): Promise<void> {
  await people("from").deleteMany({});
  await people("from").insertMany([...documents]);
}

const sorted = (side: "from" | "to") => people(side).find().sort({ _id: 1 }).toArray();

it("an account that was deleted and registered again under a new _id takes the place of the old one in the copy", async () => {
  await people("from").insertMany([
    { _id: 1, email: "a" },
    { _id: 2, email: "b" },
  ]);
  await unique("email");
  const cwd = folder();
  expect((await pair.run(["duplicate"], cwd)).code).toBe(0);
  await people("from").deleteOne({ _id: 1 });
  await people("from").insertOne({ _id: 3, email: "a" });
  const kept = await pair.run(["duplicate", "--json"], cwd);
  expect(kept.code).toBe(3);
  expect(collectionRecord(kept.stdout, "people")).toMatchObject({ rejected: 1, verdict: "incomplete" });
  expect(kept.stdout).toMatch(
    /"document people\/3","reason":"another document of the target has the same value in the unique index on email: it belongs to 1, which the source does not have: --delete removes it"/,
  );
  const { code, stdout } = await pair.run(["duplicate", "--delete", "--yes", "--json"], cwd);
  expect(collectionRecord(stdout, "people")).toMatchObject({
    ...{ read: 2, written: 1, unchanged: 1, rejected: 0, deleted: 1, verdict: "verified" },
  });
  expect([code, await sorted("to")]).toEqual([0, await sorted("from")]);
});

it.each([
  ["a plain index", {}],
  ["a partial index", { partialFilterExpression: { place: { $gte: 0 } } }],
  ["an index with a collation", { collation: { locale: "en" } }],
])("a list of 1,000 unique positions that all moved is copied in one run, with %s", async (_, options) => {
  const list = (shift: number): Person[] =>
    Array.from({ length: 1_000 }, (_, _id) => ({ _id, place: _id + shift, ring: _id }));
  await people("from").insertMany(list(0));
  await unique("place", options);
  const cwd = folder();
  expect((await pair.run(["duplicate"], cwd)).code).toBe(0);
  for (const shift of [1, 0]) {
    await replaced(list(shift));
    const { code, stdout } = await pair.run(["duplicate", "--json"], cwd);
    expect(code, stdout).toBe(0);
    expect(collectionRecord(stdout, "people")).toMatchObject({ read: 1_000, written: 1_000, rejected: 0 });
  }
  expect((await pair.run(["diff"], cwd)).code).toBe(0);
});

it("documents that exchanged unique values in pairs or in a long ring are copied in one run, which can be undone", async () => {
  const plain = Array.from({ length: 1_200 }, (_, _id): Person => ({ _id, ring: _id, place: _id }));
  await people("from").insertMany(plain);
  await unique("ring");
  await unique("place");
  const cwd = folder();
  expect((await pair.run(["duplicate"], cwd)).code).toBe(0);
  await people("to").updateOne({ _id: 1_199 }, { $set: { email: "theirs" } });
  const before = await sorted("to");
  await people("from").dropIndexes();
  await replaced(
    plain.map((one) => ({
      ...one,
      ring: (one._id + 1) % 1_200,
      place: one._id < 10 ? one._id + (one._id % 2 === 0 ? 1 : -1) : one._id,
    })),
  );
  await unique("ring");
  await unique("place");
  const { code, stdout } = await pair.run(["duplicate"], cwd);
  expect(code, stdout).toBe(0);
  expect(await sorted("to")).toEqual(await sorted("from"));
  const run = /dualsync undo ([0-9a-f]{8})/.exec(stdout)?.[1] ?? "";
  const env = { COPY: withDatabase(pair.target.uri, pair.database) };
  const undone = await dualsync(["undo", run, "--to", "env:COPY", "--yes"], { env, cwd });
  expect(undone.code, undone.stdout + undone.stderr).toBe(0);
  expect(await sorted("to")).toEqual(before);
});

it("a document that stays blocked is named with the one that has its value, and everything else is copied", async () => {
  await people("from").insertMany([1, 2, 3].map((_id) => ({ _id, email: `${_id}` })));
  const cwd = folder();
  expect((await pair.run(["duplicate"], cwd)).code).toBe(0);
  await people("to").createIndex({ email: 1 }, { unique: true });
  await people("from").updateOne({ _id: 1 }, { $set: { email: "3" } });
  await people("from").updateOne({ _id: 2 }, { $set: { email: "new" } });
  const { code, stdout } = await pair.run(["duplicate"], cwd);
  expect([code, stdout]).toEqual([
    3,
    expect.stringMatching(
      /document people\/1: another document of the target has the same value in the unique index on email: it belongs to 3, which could not be changed, or has it in the source, too: look at both documents there/,
    ),
  ]);
  expect((await sorted("to")).map(({ email }) => email)).toEqual(["1", "new", "3"]);
});
