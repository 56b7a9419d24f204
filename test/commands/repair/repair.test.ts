import {
  Binary,
  BSONRegExp,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from "bson";
import { beforeEach, expect, it } from "vitest";
import { records } from "../../support/cli.ts";
import { expectExplained } from "../../support/explained.ts";
import { fillBoth, RepairContext, type Row } from "../../support/repairing.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Repairing a copy from a plan: what the plan names, as it was seen, and nothing else. */
const pair = serverPair();

let repairing: RepairContext;
beforeEach(() => {
  repairing = new RepairContext(pair);
});

function collection(side: "from" | "to", name = "orders") {
  return pair[side].db(pair.database).collection<{ _id: never; n?: unknown }>(name);
}

async function fill(side: "from" | "to", rows: readonly Row[], name = "orders"): Promise<void> {
  await collection(side, name).insertMany(rows as never[], { forceServerObjectId: true });
}

/** As ids, in sub-documents whose names look like numbers, and next to equal numbers of other types. */
const HARD_IDS: readonly unknown[] = [
  ...["", "\0", "\u0007\u001b[2J\r\n", "\u2028", "é", "\u{1f600}", "x".repeat(16_000), '{"$oid":"1"}', "17"],
  ...[
    new Int32(17),
    new Double(17.5),
    new Double(-0),
    Long.fromString("9007199254740993"),
    new Double(Number.NaN),
  ],
  ...[Decimal128.fromString("1E+6000"), new Double(Number.POSITIVE_INFINITY), Decimal128.fromString("1.10")],
  ...[new ObjectId("65b27cc30200000000001a38"), new Date(0), new Date(-1), new Timestamp({ t: 1, i: 2 })],
  ...[true, false, null, new MinKey(), new MaxKey(), new Code("f()"), new Code("f()", { a: 1 })],
  ...[
    new Binary(Buffer.from([1, 2]), 0),
    new Binary(Buffer.alloc(16, 7), 4),
    new Binary(Buffer.alloc(0), 128),
  ],
  new Map([
    ["2", new Int32(1)],
    ["1", new Int32(2)],
    ["a", new Int32(3)],
  ]),
  new Map([
    ["1", new Int32(2)],
    ["2", new Int32(1)],
    ["a", new Int32(3)],
  ]),
  { a: { "10": 1, "9": [new Double(1), { "0": null }] }, r: new BSONRegExp("a", "i") },
];

it("repairs every kind of difference under every kind of _id byte for byte, and undoes all of it", async () => {
  const rows = (from: number) => HARD_IDS.filter((_, n) => n % 3 !== from).map((_id) => ({ _id, from }));
  await fill("from", [
    ...rows(0),
    { _id: new Int32(1_000), n: 1 },
    { _id: Decimal128.fromString("2E+3"), n: 1 },
  ]);
  await fill("to", [...rows(1), { _id: new Double(1_000), n: 1 }, { _id: Long.fromInt(2_000), n: 2 }]);
  const before = await repairing.now();
  await repairing.plan();
  const only = (at: number) => HARD_IDS.filter((_, n) => n % 3 === at).length;
  const actions = repairing.lines.map((line) => (JSON.parse(line) as { do?: string }).do);
  const count = (action: string) => actions.filter((one) => one === action).length;
  expect([count("insert"), count("remove"), count("replace")]).toEqual([only(1), only(0), only(2) + 2]);
  const { code, stdout, run, verdict } = await repairing.repair(["--yes", "--delete"]);
  expect([code, verdict], stdout).toEqual([0, expect.stringMatching(/^Repaired: \d+ documents/)]);
  expect(await repairing.now()).toEqual(await repairing.source());
  expect((await repairing.diff()).code).toBe(0);
  const undone = await repairing.undo(run);
  expect([undone.code, undone.stdout]).toEqual([0, expect.anything()]);
  expect(await repairing.now()).toEqual(before);
});

it("keeps what only the copy has without --delete, and says so", async () => {
  await fillBoth(pair);
  await repairing.plan();
  const { code, collections, verdict } = await repairing.repair();
  expect(code).toBe(0);
  expect(collections).toMatchObject([{ collection: "orders", changed: 4, skipped: 2, conflicts: 0 }]);
  expect(verdict).toMatch(/2 documents only in the copy were kept; --delete removes them/);
  expect(await collection("to").countDocuments({ _id: { $in: ["x1", "x2"] as never[] } })).toBe(2);
  expect((await repairing.diff("--one-way")).code).toBe(0);
  const again = await repairing.repair(["--yes", "--delete"]);
  expect(again.collections).toMatchObject([{ changed: 2, unchanged: 4, skipped: 0, conflicts: 0 }]);
  expect((await repairing.diff()).code).toBe(0);
});

it("needs confirmation, and shows how much it would do and writes nothing in a dry run", async () => {
  await fillBoth(pair);
  await repairing.plan();
  const before = await repairing.now();
  const unasked = await repairing.run(["repair", "repair.plan", "--from", "env:LIVE", "--to", "env:COPY"]);
  expect([unasked.code, unasked.stderr]).toEqual([
    6,
    expect.stringMatching(/confirmation needed, but there is no terminal/),
  ]);
  expectExplained(unasked.stderr, 6);
  const dry = await repairing.repair(["--dry-run", "--delete"]);
  expect([dry.code, dry.verdict]).toEqual([
    0,
    expect.stringMatching(/^Dry run: .* 6 documents would be repaired/),
  ]);
  const [start] = records(dry.stdout);
  expect(start).toMatchObject({ collections: [{ collection: "orders", insert: 2, replace: 2, remove: 2 }] });
  expect(repairing.journals).toEqual([]);
  expect(await repairing.now()).toEqual(before);
  const names = (await pair.to.db(pair.database).listCollections().toArray()).map(({ name }) => name);
  expect(names).toEqual(["orders"]);
});

it("leaves documents alone that have changed on either side since the plan, and names them", async () => {
  const rows = ["s-changed", "s-gone", "t-changed", "t-gone", "good"];
  await fill(
    "from",
    [...rows, "t-came", "t-came-equal"].map((_id) => ({ _id, n: 1 })),
  );
  await fill("to", [...rows.map((_id) => ({ _id, n: 2 })), { _id: "s-came" }, { _id: "t-other" }]);
  await collection("to").insertMany(Array.from({ length: 9 }, (_, n) => ({ _id: n as never })));
  await collection("from").insertMany(Array.from({ length: 9 }, (_, n) => ({ _id: n as never })));
  await repairing.plan();
  await collection("from").updateOne({ _id: "s-changed" as never }, { $set: { n: 3 } });
  await collection("from").deleteOne({ _id: "s-gone" as never });
  await fill("from", [{ _id: "s-came" }]);
  await collection("to").updateOne({ _id: "t-changed" as never }, { $set: { n: 3 } });
  await collection("to").deleteOne({ _id: "t-gone" as never });
  await fill("to", [
    { _id: "t-came", n: 2 },
    { _id: "t-came-equal", n: 1 },
  ]);
  await collection("to").updateOne({ _id: "t-other" as never }, { $set: { n: 3 } });
  const before = await collection("to").find().toArray();
  const { code, items, collections } = await repairing.repair(["--yes", "--delete"]);
  expect(code).toBe(3);
  const reasons = Object.fromEntries(
    items.map(({ key, reason }) => [key.replace("document orders/", ""), reason]),
  );
  expect(reasons).toEqual({
    "s-changed": "it has changed in the source since",
    "s-gone": "the source no longer has it",
    "s-came": "the source has it again",
    "t-changed": "it has changed in the target since",
    "t-gone": "it is no longer in the target",
    "t-came": "it has changed in the target since",
    "t-other": "it has changed in the target since",
  });
  expect(collections).toMatchObject([{ changed: 1, unchanged: 1, conflicts: 7, skipped: 0 }]);
  const after = await collection("to").find().toArray();
  expect(after).toEqual(before.map((row) => (row._id === "good" ? { ...row, n: 1 } : row)));
});

it("repairs collections under other names, and only what a filter had selected", async () => {
  await fillBoth(pair, "ordérs\u2028 1");
  await pair.to.db(pair.database).renameCollection("ordérs\u2028 1", "copies");
  await repairing.plan(
    "--rename",
    "ordérs\u2028 1=copies",
    "--filter",
    'ordérs\u2028 1={"_id":{"$in":["c1","m2","x2"]}}',
  );
  const { code, collections, items } = await repairing.repair(["--yes", "--delete"]);
  expect([code, items]).toEqual([0, []]);
  expect(collections).toMatchObject([{ collection: "copies", changed: 3 }]);
  expect(await collection("to", "copies").findOne({ _id: "c1" as never })).toEqual({ _id: "c1", n: 1 });
  expect(await collection("to", "copies").findOne({ _id: "c2" as never })).toEqual({ _id: "c2", n: "other" });
  expect(await collection("to", "copies").countDocuments({ _id: { $in: ["x1", "m2"] as never[] } })).toBe(2);
  const names = (await pair.to.db(pair.database).listCollections().toArray()).map(({ name }) => name);
  expect(names).not.toContain("ordérs\u2028 1");
});

it("bypasses the target's validator, names what the server rejects, and loses nothing", async () => {
  await pair.to.db(pair.database).createCollection("orders", { validator: { n: { $type: "string" } } });
  await fill("from", [
    { _id: 1, n: 1, u: "a" },
    { _id: 2, n: 2, u: "b" },
    { _id: 3, n: 3, u: "c" },
  ]);
  await collection("to").insertMany(
    [
      { _id: 1, n: "1", u: "a" },
      { _id: 2, n: "2", u: "z" },
      { _id: 4, n: "4", u: "b" },
    ] as never[],
    { bypassDocumentValidation: true },
  );
  await collection("to").createIndex({ u: 1 }, { unique: true });
  const before = await repairing.now();
  await repairing.plan();
  const { code, items, run } = await repairing.repair();
  expect(code).toBe(3);
  expect(items).toMatchObject([
    { key: "document orders/2", reason: expect.stringMatching(/same value in the unique index on u/) },
  ]);
  const found = await collection("to").find().sort({ _id: 1 }).toArray();
  expect(found.map(({ n }) => n)).toEqual([1, "2", 3, "4"]);
  expect((await repairing.undo(run)).code).toBe(0);
  expect(await repairing.now()).toEqual(before);
  const all = await repairing.repair(["--yes", "--delete"]);
  expect([all.code, all.items]).toEqual([0, []]);
});
