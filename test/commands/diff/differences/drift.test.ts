import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Int32 } from "bson";
import type { Collection } from "mongodb";
import { beforeEach, expect, it } from "vitest";
import { collectionRecord, records, summary } from "../../../support/cli.ts";
import { serverPair } from "../../../support/stores/pair.ts";

/** Which side changed, as diff reports it by the checksums that duplicate left in the target. */
const pair = serverPair();

interface Order {
  readonly _id: number;
  readonly text: string;
}

/** Even ids from 0 on. */
const DOCUMENTS = 2_000;
/** Far more than one segment of the checksums holds, and a few documents in each. */
const LONG = "x".repeat(1_000);
/** Documents that are far from each other, so that no two of them are in one segment. */
const [FIRST, SECOND, THIRD] = [100, 2_000, 3_800] as const;

function source(name = "orders"): Collection<Order> {
  return pair.from.db(pair.database).collection<Order>(name);
}

function copy(name = "orders"): Collection<Order> {
  return pair.to.db(pair.database).collection<Order>(name);
}

function own(): Collection<{ _id: string; bytes?: unknown }> {
  return pair.to.db(pair.database).collection<{ _id: string; bytes?: unknown }>("_dualsync");
}

async function duplicate(...flags: string[]): Promise<void> {
  const { code, stdout, stderr } = await pair.duplicate(...flags);
  expect(code, stdout + stderr).toBe(0);
}

function set(collection: Collection<Order>, id: number, text: string): Promise<unknown> {
  return collection.updateOne({ _id: id }, { $set: { text } });
}

/** What diff says of each difference: "17 behind", "18 diverged", or the id alone. */
async function sides(...flags: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await pair.run(["diff", "--settle", "0.01", "--json", ...flags]);
  expect([1, 0], stdout + stderr).toContain(code);
  const reported = records(stdout).filter(({ type }) => type === "diff");
  const counts = collectionRecord(stdout, "orders");
  for (const side of ["behind", "diverged"])
    expect(reported.filter(({ drift }) => drift === side)).toHaveLength(Number(counts?.[side] ?? 0));
  return reported.map(({ id, drift }) => [id, drift].filter((part) => part !== null).join(" ")).sort();
}

beforeEach(async () => {
  await source().insertMany(Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: 2 * i, text: LONG })));
});

it("diff reports which side changed, added or removed a document", async () => {
  await duplicate();
  await set(source(), FIRST, "new");
  await set(copy(), SECOND, "other");
  await source().insertOne({ _id: 5_000, text: "order" });
  expect(await sides()).toEqual(["100 behind", "2000 diverged", "5000 behind"]);
  await source().deleteOne({ _id: THIRD });
  expect(await sides()).toEqual(["100 behind", "2000 diverged", "3800 behind", "5000 behind"]);
  await copy().deleteOne({ _id: 4 });
  await copy().insertOne({ _id: 501, text: "stray" });
  expect(await sides()).toEqual([
    "100 behind",
    "2000 diverged",
    "3800 behind",
    "4 diverged",
    "5000 behind",
    "501 diverged",
  ]);
});

it("diff reports the right side for each of several neighbouring documents", async () => {
  await duplicate();
  await set(source(), 10, "new");
  await set(copy(), 12, "other");
  await source().deleteOne({ _id: 14 });
  await copy().deleteOne({ _id: 16 });
  await source().insertOne({ _id: 13, text: "order" });
  await copy().insertOne({ _id: 15, text: "stray" });
  expect(await sides()).toEqual([
    "10 behind",
    "12 diverged",
    "13 behind",
    "14 behind",
    "15 diverged",
    "16 diverged",
  ]);
});

it("diff reports any number of documents that only the source has changed as behind", async () => {
  await duplicate();
  await source().updateMany({ _id: { $lt: 3_000 } }, { $set: { text: "new" } });
  const reported = await sides();
  expect(reported).toHaveLength(1_500);
  expect(reported.every((text) => text.endsWith(" behind"))).toBe(true);
});

it("diff never reports a document that both sides have changed as behind", async () => {
  await duplicate();
  await set(source(), FIRST, "new");
  await set(copy(), FIRST, "other");
  await set(source(), FIRST + 2, "new");
  expect((await sides()).filter((reported) => reported.startsWith("100 "))).not.toContain("100 behind");
});

it("diff reports no drift where a neighbour was changed in the same way on both sides", async () => {
  await duplicate();
  await set(source(), FIRST, "new");
  for (const side of [source(), copy()]) await set(side, FIRST + 2, "the same");
  expect(await sides()).toEqual(["100"]);
});

it("diff reports drift since the last copy, even if that had nothing to do", async () => {
  await duplicate();
  await set(source(), FIRST, "new");
  await set(copy(), SECOND, "other");
  await duplicate();
  expect(await sides()).toEqual([]);
  await set(source(), SECOND, "newer");
  await set(copy(), FIRST, "other");
  expect(await sides()).toEqual(["100 diverged", "2000 behind"]);
  await duplicate();
  await duplicate();
  await set(copy(), SECOND, "other");
  expect(await sides()).toEqual(["2000 diverged"]);
});

it("diff reports no drift next to a document that was only in the copy when it was verified", async () => {
  await duplicate();
  await source().deleteOne({ _id: FIRST });
  await duplicate();
  await set(source(), FIRST + 2, "new");
  await set(source(), SECOND, "new");
  expect(await sides()).toEqual(["100", "102", "2000 behind"]);
  await duplicate("--delete", "--yes");
  await set(source(), SECOND, "newer");
  await set(copy(), THIRD, "other");
  expect(await sides()).toEqual(["2000 behind", "3800 diverged"]);
});

it("diff reports no drift after a repair until the next copy", async () => {
  await duplicate();
  await set(source(), FIRST, "new");
  const cwd = mkdtempSync(join(tmpdir(), "dualsync-sides-"));
  expect((await pair.run(["diff", "--settle", "0.01", "--plan", "a.plan"], cwd)).code).toBe(1);
  const repaired = await pair.run(["repair", "a.plan", "--yes"], cwd);
  rmSync(cwd, { recursive: true });
  expect(repaired.code, repaired.stdout + repaired.stderr).toBe(0);
  expect(await own().countDocuments({ _id: /^checksums / })).toBe(0);
  await set(copy(), SECOND, "other");
  expect(await sides()).toEqual(["2000"]);
  await duplicate();
  await set(copy(), SECOND, "other");
  expect(await sides()).toEqual(["2000 diverged"]);
});

it("diff ignores checksums of another collection with the same name", async () => {
  await duplicate();
  const left = await own().findOne({ _id: "checksums orders" });
  const documents = await copy().find().toArray();
  await copy().drop();
  await copy().insertMany(documents);
  await set(copy(), FIRST, "other");
  expect(await sides()).toEqual(["100"]);
  await pair.to.db(pair.database).dropDatabase();
  await duplicate();
  await own().replaceOne({ _id: "checksums orders" }, { bytes: left?.bytes });
  await set(copy(), FIRST, "other");
  expect(await sides()).toEqual(["100"]);
});

it("diff ignores checksums when the source's collection was replaced", async () => {
  await duplicate();
  const documents = await source().find().toArray();
  await source().drop();
  await source().insertMany(documents);
  await set(source(), FIRST, "new");
  expect(await sides()).toEqual(["100"]);
});

it.each(["--verify=counts", "--filter=orders={}"])(
  "leaves no checksums with a copy that was not verified as a whole (%s)",
  async (flag) => {
    await duplicate(...flag.split(/=(.*)/s).filter((part) => part !== ""));
    await set(source(), FIRST, "new");
    expect(await sides()).toEqual(["100"]);
  },
);

it("keeps checksums small, and those of each collection separate", async () => {
  await source("more").insertMany(Array.from({ length: 500 }, (_, i) => ({ _id: i, text: LONG })));
  await duplicate();
  const left = await own().findOne<{ bytes: { length(): number } }>({ _id: "checksums orders" });
  expect(left?.bytes.length()).toBeLessThan(2_000);
  await set(source("more"), 3, "new");
  await duplicate();
  await set(copy(), SECOND, "other");
  expect(await sides()).toEqual(["2000 diverged"]);
});

const HOSTILE: readonly (readonly [string, (bytes: Buffer) => unknown])[] = [
  ["is not binary", () => "text"],
  ["is missing", () => undefined],
  ["is empty", () => Buffer.alloc(0)],
  ["is cut", (bytes) => bytes.subarray(0, -7)],
  ["has a flipped bit", (bytes) => Buffer.from(bytes.map((byte, i) => (i === 150 ? byte ^ 1 : byte)))],
  ["is an array", (bytes) => [...bytes.subarray(0, 9)].map((byte) => new Int32(byte))],
];

it.each(HOSTILE)("ignores a checksums record that %s", async (_, damage) => {
  await duplicate();
  const left = await own().findOne<{ bytes: { value(): Uint8Array } }>({ _id: "checksums orders" });
  await own().replaceOne(
    { _id: "checksums orders" },
    { bytes: damage(Buffer.from(left?.bytes.value() ?? [])) },
  );
  await set(copy(), FIRST, "other");
  await set(source(), SECOND, "new");
  expect(await sides()).toEqual(["100", "2000"]);
});

it("diff reports drift in the verdict", async () => {
  await duplicate();
  await set(source(), FIRST, "new");
  await set(copy(), SECOND, "other");
  const { stdout } = await pair.run(["diff", "--settle", "0.01", "--json"]);
  expect(summary(stdout)?.verdict).toMatch(/behind in 1\b.*diverged in 1\b/);
});
