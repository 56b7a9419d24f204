import { ObjectId } from "mongodb";
import { describe, expect, it } from "vitest";
import { collectionRecord, records, summary } from "../../support/cli.ts";
import { serverPair } from "../../support/stores/pair.ts";
import { runOf, undoFolder } from "../../support/undo-folder.ts";

/** What each way of restoring adds, replaces, leaves and removes. */
const pair = serverPair();
const folder = undoFolder(pair);

interface Order {
  readonly _id: number | ObjectId;
  n?: number;
  by?: string;
  updated_at?: Date;
  created_at?: Date;
}

const live = () => pair.from.db(pair.database);
const orders = () => live().collection<Order>("orders");
const copied = () => pair.to.db(pair.database).collection<Order>("orders");
const held = async (): Promise<readonly Order[]> => await orders().find().sort({ _id: 1 }).toArray();

const FROM_COPY = ["--from", "env:COPY", "--to", "env:LIVE"];

const restore = (...flags: string[]) => folder.run(["restore", ...FROM_COPY, "--json", ...flags]);
const applied = (...flags: string[]) => restore("--apply", "--confirm", pair.database, ...flags);
const duplicate = (...flags: string[]) =>
  folder.run(["duplicate", "--from", "env:LIVE", "--to", "env:COPY", ...flags]);

async function filled(documents: readonly Order[]): Promise<void> {
  await orders().insertMany([...documents]);
  expect((await duplicate()).code).toBe(0);
}

/** What the plan says of the orders. */
async function planned(...flags: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await restore(...flags);
  return startOf(stdout).collections[0]?.restore ?? {};
}

interface Start {
  readonly collections: readonly { readonly restore: Record<string, unknown> }[];
  readonly notes: readonly string[];
}

function startOf(stdout: string): Start {
  return records(stdout).find(({ type }) => type === "start") as unknown as Start;
}

const NUMBERED = Array.from({ length: 10 }, (_, _id): Order => ({ _id, n: 0 }));

/** 2 are gone, 3 was changed, 20 is new; in the copy all is as it was. */
async function damaged(): Promise<void> {
  await filled(NUMBERED);
  await orders().deleteMany({ _id: { $in: [1, 2] } });
  await orders().updateOne({ _id: 3 }, { $set: { n: 1, by: "someone" } });
  await orders().insertOne({ _id: 20, n: 1 });
}

it("without --apply a restore shows the plan, writes nothing and ends with 6, and a dry run with 0", async () => {
  await damaged();
  const before = await held();
  const shown = await restore();
  expect(shown.code).toBe(6);
  expect(summary(shown.stdout)).toMatchObject({
    outcome: "refused",
    verdict: expect.stringMatching(
      `nothing was restored. To restore: dualsync restore --from env:COPY --to env:LIVE --apply --confirm ${pair.database}`,
    ),
  });
  expect((await restore("--dry-run")).code).toBe(0);
  expect(await held()).toEqual(before);
  expect(folder.journals()).toEqual([]);
  expect(await planned()).toMatchObject({
    ...{ equal: 7, missing: 2, different: 1, extra: 1, overwritten: 0, removed: 0, newerExtra: 1 },
  });
});

describe("by default", () => {
  it("a restore adds what the target lacks and changes nothing else", async () => {
    await damaged();
    const { code, stdout } = await applied();
    expect([code, collectionRecord(stdout, "orders")]).toMatchObject([
      0,
      { read: 10, written: 2, unchanged: 7, kept: 1, rejected: 0, extra: 1, verdict: "verified" },
    ]);
    expect(await held()).toEqual([
      ...NUMBERED.slice(0, 3),
      { _id: 3, n: 1, by: "someone" },
      ...NUMBERED.slice(4),
      { _id: 20, n: 1 },
    ]);
  });

  it("a restore into an empty database needs no name", async () => {
    await filled(NUMBERED);
    await live().dropDatabase();
    const { code, stdout } = await restore("--apply");
    expect([code, collectionRecord(stdout, "orders")]).toMatchObject([0, { written: 10 }]);
    expect(await held()).toEqual(NUMBERED);
  });
});

describe("with --mode overwrite", () => {
  it("what differs is replaced, newer or not, what only the target has stays, and undo takes all of it back", async () => {
    await damaged();
    await orders().updateOne({ _id: 4 }, { $set: { n: 2, updated_at: new Date() } });
    await copied().updateOne({ _id: 4 }, { $set: { updated_at: new Date(0) } });
    const before = await held();
    expect(await planned("--mode", "overwrite")).toMatchObject({ different: 2, newer: 1, overwritten: 2 });
    const done = await applied("--mode", "overwrite");
    expect([done.code, collectionRecord(done.stdout, "orders")]).toMatchObject([
      0,
      { written: 4, unchanged: 6, extra: 1, deleted: 0, verdict: "verified" },
    ]);
    const expected = await copied().find().sort({ _id: 1 }).toArray();
    expect(await held()).toEqual([...expected, { _id: 20, n: 1 }]);
    const undone = await folder.run(["undo", runOf(done), "--to", "env:LIVE", "--yes"]);
    expect([undone.code, await held()]).toEqual([0, before]);
  });
});

describe("with --mode exact", () => {
  it("what only the target has is removed where it was there when the copy was last verified, newer documents only on request", async () => {
    const past = ObjectId.createFromTime(Math.floor(Date.now() / 1000) - 86_400);
    await filled(NUMBERED);
    const now = ObjectId.createFromTime(Math.floor(Date.now() / 1000));
    const others: Order[] = [
      { _id: past, n: 1 },
      { _id: now, n: 1 },
      { _id: 30, created_at: new Date(0) },
      { _id: 31, created_at: new Date(0), updated_at: new Date(Date.now() + 60_000) },
      { _id: 32 },
    ];
    await orders().insertMany(others);
    expect(await planned("--mode", "exact")).toMatchObject({ extra: 5, newerExtra: 3, removed: 2 });
    const done = await applied("--mode", "exact");
    expect([done.code, collectionRecord(done.stdout, "orders")]).toMatchObject([0, { deleted: 2, extra: 3 }]);
    expect((await held()).filter(({ _id }) => !NUMBERED.some((one) => one._id === _id))).toEqual([
      others[3],
      others[4],
      others[1],
    ]);
    const all = await applied("--mode", "exact", "--include-newer");
    expect([all.code, await held()]).toEqual([0, NUMBERED]);
    for (const run of [all, done])
      expect((await folder.run(["undo", runOf(run), "--to", "env:LIVE", "--yes"])).code).toBe(0);
    expect(await held()).toHaveLength(15);
  });
});

it("the plan of a restore with --filter counts what it selects on one side only as what it is on the other", async () => {
  await filled(NUMBERED);
  await orders().updateMany({ _id: { $lt: 3 } }, { $set: { n: 1 } });
  await orders().deleteOne({ _id: 5 });
  await copied().updateOne({ _id: 7 }, { $set: { n: 1 } });
  const flags = ["--filter", 'orders={"n":0}', "--include", "orders"];
  expect(await planned(...flags)).toMatchObject({ equal: 5, different: 3, missing: 1, extra: 0 });
  const exact = [...flags, "--mode", "exact", "--include-newer"];
  expect(await planned(...exact)).toMatchObject({ overwritten: 3, missing: 1, extra: 0, removed: 0 });
  const { code, stdout } = await applied(...exact);
  expect([code, collectionRecord(stdout, "orders")]).toMatchObject([0, { written: 4, deleted: 0 }]);
  expect(await held()).toEqual(NUMBERED);
});

it("a capped collection that holds more than the copy's stays, and no flag is named that restore does not have", async () => {
  await live().createCollection("log", { capped: true, size: 10_000 });
  const log = live().collection<Order>("log");
  await log.insertOne({ _id: 1 });
  await filled(NUMBERED);
  await log.insertOne({ _id: 2 });
  const { code, stdout } = await applied("--mode", "overwrite");
  expect([code, await log.countDocuments()]).toEqual([3, 2]);
  expect(stdout).toMatch(/replacing it would remove some, which cannot be undone/);
});

describe("with --mode merge", () => {
  it("what was changed in the copy alone since the last verified run wins, and what was changed in the target alone stays", async () => {
    const inCopy = NUMBERED.map((one) => ({ ...one, by: "during the outage" }));
    await filled(NUMBERED);
    await copied().deleteMany({});
    await copied().insertMany(inCopy);
    expect(await planned("--mode", "merge")).toMatchObject({ different: 10, overwritten: 10, conflicts: 0 });
    const wins = await applied("--mode", "merge");
    expect([wins.code, await held()]).toEqual([0, inCopy]);
    expect((await duplicate()).code).toBe(0);
    await orders().updateMany({}, { $set: { n: 7 } });
    expect(await planned("--mode", "merge")).toMatchObject({ different: 10, overwritten: 0, conflicts: 0 });
    const stays = await applied("--mode", "merge");
    expect([stays.code, collectionRecord(stays.stdout, "orders")]).toMatchObject([
      0,
      { kept: 10, written: 0 },
    ]);
    expect((await held()).every(({ n }) => n === 7)).toBe(true);
  });

  it("of documents that were changed on both sides the later one wins, and one without a date is named and left", async () => {
    const dated = [0, 1, 2, 3].map((_id): Order => ({ _id, updated_at: new Date(1_000) }));
    await filled(dated);
    const change = async (where: typeof orders, _id: number, by: string, at?: number) =>
      await where().updateOne(
        { _id },
        { $set: { by, ...(at === undefined ? {} : { updated_at: new Date(at) }) } },
      );
    await change(orders, 0, "target", 3_000);
    await change(copied, 0, "copy", 2_000);
    await change(orders, 1, "target", 2_000);
    await change(copied, 1, "copy", 3_000);
    await change(orders, 2, "target");
    await change(copied, 2, "copy");
    expect(await planned("--mode", "merge")).toMatchObject({
      ...{ different: 3, newer: 1, overwritten: 1, conflicts: 1 },
    });
    const { code, stdout } = await applied("--mode", "merge");
    expect([code, collectionRecord(stdout, "orders")]).toMatchObject([
      3,
      { written: 1, kept: 1, rejected: 1, unchanged: 1, verdict: "incomplete" },
    ]);
    const items = records(stdout).filter(({ type }) => type === "item");
    expect(items).toMatchObject([
      {
        key: "document orders/2",
        reason: expect.stringMatching(/it is not known which of the two is to stay/),
      },
    ]);
    expect((await held()).map(({ by }) => by)).toEqual(["target", "copy", "target", undefined]);
    const decided = await applied("--mode", "merge", "--newer-by", "seen");
    expect(decided.code).toBe(3);
  });
});

describe("with --id and --ids", () => {
  it("only those documents are restored, and those that the copy does not have are named", async () => {
    await damaged();
    const all = await applied(
      "--id",
      "orders/1",
      "--id",
      "document orders/3",
      "--id",
      "orders/99",
      "--mode",
      "overwrite",
    );
    expect([all.code, collectionRecord(all.stdout, "orders")]).toMatchObject([
      3,
      { read: 2, written: 2, unchanged: 0, rejected: 0 },
    ]);
    expect(records(all.stdout).filter(({ type }) => type === "item")).toMatchObject([
      { key: "document orders/99", reason: "the copy does not have it" },
    ]);
    expect((await held()).map(({ _id, n }) => [_id, n])).toEqual([
      ...[0, 1, 3, 4, 5, 6, 7, 8, 9].map((id) => [id, 0]),
      [20, 1],
    ]);
    const undone = await folder.run(["undo", runOf(all), "--to", "env:LIVE", "--yes"]);
    expect(undone.code).toBe(0);
    expect((await held()).find(({ _id }) => _id === 3)).toEqual({ _id: 3, n: 1, by: "someone" });
  });
});

it("a collection in which nothing is to be changed is compared once and not read again", async () => {
  await filled(NUMBERED);
  await live()
    .collection<Order>("people")
    .insertMany([...NUMBERED]);
  expect((await duplicate()).code).toBe(0);
  await live().collection("people").drop();
  const { code, stdout } = await applied();
  expect(code).toBe(0);
  expect(collectionRecord(stdout, "orders")).toMatchObject({ read: 10, unchanged: 10, verdict: "verified" });
  expect(collectionRecord(stdout, "people")).toMatchObject({ read: 10, written: 10, verdict: "verified" });
});

it("expired documents are counted, and definitions that differ are named before anything is written", async () => {
  await live().createCollection("orders", { validator: { n: { $ne: 5 } } });
  await filled([
    { _id: 1, created_at: new Date(0) },
    { _id: 2, created_at: new Date() },
  ]);
  await orders().drop();
  await live().createCollection("orders");
  await orders().insertOne({ _id: 2, n: 9 });
  await copied().createIndex({ created_at: 1 }, { expireAfterSeconds: 3_600_000, name: "ttl" });
  const { stdout } = await restore();
  const notes = startOf(stdout).notes.join("\n");
  expect(notes).toMatch(/^1 document of orders has expired: the target's server deletes it/m);
  expect(notes).toMatch(/^Other in the copy, and left in the target as it is: option orders\/validator/m);
});
