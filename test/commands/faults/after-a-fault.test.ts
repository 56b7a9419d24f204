import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeEach, expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import type { SetFault } from "../../services/wire-proxy/faults/faults.ts";
import { type CliOptions, type CliResult, collectionRecord, dualsync } from "../../support/cli.ts";
import { contents } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** What went wrong once must not stop the same command for good. */
const pair = serverPair({}, {}, {});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-after-"));
  return () => rmSync(folder, { recursive: true });
});

type Way = "there" | "back";

function run(way: Way, flags: readonly string[] = [], options: CliOptions = {}): Promise<CliResult> {
  const live = withDatabase(pair.source.uri, pair.database);
  const copy = withDatabase(pair.target.uri, pair.database);
  const env = way === "there" ? { LIVE: live, COPY: copy } : { LIVE: copy, COPY: live };
  const args = ["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY", ...flags];
  return dualsync(args, { cwd: folder, env, ...options });
}

/** Runs it until the fault has happened. */
async function killedAt(fault: SetFault, way: Way, flags: readonly string[] = []): Promise<void> {
  const killed = await run(way, flags, {
    async onStart(child) {
      while (fault.happened === 0 && child.exitCode === null) await wait(5);
      child.kill("SIGKILL");
    },
  });
  expect(killed.code).toBeNull();
}

interface Row {
  readonly _id: number;
}

function orders(side: "from" | "to") {
  return pair[side].db(pair.database).collection<Row>("orders");
}

async function isIdentical(name = "orders"): Promise<void> {
  expect(await contents(pair.to, pair.database, name)).toEqual(
    await contents(pair.from, pair.database, name),
  );
}

function upTo(count: number): Row[] {
  return Array.from({ length: count }, (_, _id) => ({ _id }));
}

it("a lost original is restored from its copy, and copied again afterwards", async () => {
  await orders("from").insertMany(upTo(3_000));
  expect((await run("there")).code).toBe(0);
  await pair.from.db(pair.database).dropDatabase();
  // The restoring run is killed, and run again.
  const fault = pair.sourceProxy.fail({ on: "insert", collection: "orders", hang: "after" });
  await killedAt(fault, "back");
  const restored = await run("back");
  expect([restored.code, restored.stdout]).toEqual([0, expect.not.stringMatching(/swapped/)]);
  await isIdentical();
  // From now on the original is the original again: the person says so once.
  await orders("from").insertOne({ _id: 5_000 });
  const first = await run("there", ["--into-existing", pair.database]);
  expect([first.code, first.stdout]).toEqual([0, expect.not.stringMatching(/swapped/)]);
  expect((await run("there")).code).toBe(0);
  await isIdentical();
  const swapped = await run("back");
  expect([swapped.code, swapped.stdout]).toEqual([6, expect.stringMatching(/look swapped/)]);
});

it("a filtered copy of a capped collection starts over after it was killed", async () => {
  const db = pair.from.db(pair.database);
  await db.createCollection("log", { capped: true, size: 20_000_000 });
  const text = "x".repeat(4_000);
  await db
    .collection("log")
    .insertMany(Array.from({ length: 1_500 }, (_, n) => ({ n, keep: n % 10 !== 0, text })));
  const flags = ["--filter", 'log={"keep":true}'];
  const fault = pair.targetProxy.fail({ on: "insert", collection: "log", nth: 2, hang: "after" });
  await killedAt(fault, "there", flags);
  const again = await run("there", flags);
  expect([again.code, collectionRecord(again.stdout, "log")]).toMatchObject([
    0,
    { verdict: "verified", read: 1_350 },
  ]);
  expect(await pair.to.db(pair.database).collection("log").countDocuments()).toBe(1_350);
});

/** Both sides have a verified `orders`; the source, by now, a capped `log` that takes two batches. */
async function withLog(): Promise<void> {
  await orders("from").insertMany(upTo(10));
  expect((await run("there")).code).toBe(0);
  const db = pair.from.db(pair.database);
  await db.createCollection("log", { capped: true, size: 20_000_000 });
  const text = "x".repeat(4_000);
  await db.collection("log").insertMany(Array.from({ length: 1_500 }, (_, n) => ({ n, text })));
}

it("a capped collection is copied although the connection broke while it was copied", async () => {
  await withLog();
  const fault = pair.targetProxy.fail({ on: "insert", collection: "log", nth: 2, drop: "after" });
  const { code, stdout } = await run("there");
  expect([fault.happened, code], stdout).toEqual([1, 0]);
  await isIdentical("log");
});

it("documents that others wrote into an unfinished copy of a capped collection are not removed with it", async () => {
  await withLog();
  const fault = pair.targetProxy.fail({ on: "insert", collection: "log", nth: 2, hang: "after" });
  await killedAt(fault, "there");
  const log = pair.to.db(pair.database).collection("log");
  await log.insertOne({ n: "ours" });
  const { code, stdout } = await run("there");
  expect([code, stdout]).toEqual([3, expect.stringMatching(/it is not known who wrote them/)]);
  expect(await log.countDocuments({ n: "ours" })).toBe(1);
  await log.drop();
  expect((await run("there")).code).toBe(0);
  await isIdentical("log");
});

it("a refusal to remove too many documents ends once its reason is gone", async () => {
  const rows = Array.from({ length: 100 }, (_, _id) => ({ _id, open: true }));
  await orders("from").insertMany([...rows, { _id: 1_000 }]);
  const flags = ["--filter", 'orders={"open":true}', "--delete", "--yes"];
  expect((await run("there", flags)).code).toBe(0);
  await orders("from").deleteMany({ _id: { $lt: 60 } });
  const refused = await run("there", flags);
  expect([refused.code, refused.stdout]).toEqual([6, expect.stringMatching(/has shrunk/)]);
  await orders("from").insertMany(rows.slice(0, 60));
  const again = await run("there", flags);
  expect([again.code, collectionRecord(again.stdout, "orders")]).toMatchObject([
    0,
    { unchanged: 100, deleted: 0 },
  ]);
});

it("--max-minutes beyond what a timer can count is rejected, and does not stop the run at once", async () => {
  await orders("from").insertMany(upTo(20));
  const { code, stdout } = await run("there", ["--max-minutes", "50000"]);
  expect([code, stdout]).toEqual([2, expect.stringMatching(/at most 35000/)]);
  expect((await run("there", ["--max-minutes", "35000"])).code).toBe(0);
});

it("a target that is nearly at --max-target-size accepts documents that only replace others", async () => {
  const text = "x".repeat(1_000);
  await orders("from").insertMany(upTo(3_000).map((row) => ({ ...row, text })));
  expect((await run("there")).code).toBe(0);
  const { dataSize, indexSize } = await pair.to.db(pair.database).stats();
  const limit = Math.ceil((Number(dataSize) + Number(indexSize)) / 1_000) + 500;
  await orders("from").updateMany({}, { $set: { text: "y".repeat(1_000) } } as never);
  const flags = ["--max-target-size", `${limit}KB`];
  const { code, stdout } = await run("there", flags);
  expect([code, collectionRecord(stdout, "orders")], stdout).toMatchObject([0, { written: 3_000 }]);
  await orders("from").insertMany(upTo(2_000).map(({ _id }) => ({ _id: _id + 10_000, text })) as never);
  expect((await run("there", flags)).code).toBe(6);
});

it("a refused run that cleans up after itself does not disturb a run that starts in the meantime", async () => {
  await orders("from").insertMany(upTo(5));
  await orders("to").insertMany([{ _id: 99 }]);
  const fault = pair.targetProxy.fail({ on: "drop", collection: "_dualsync", delayMs: 4_000 });
  const leaving = run("there");
  while (fault.happened === 0) await wait(5);
  const named = ["--into-existing", pair.database];
  const early = await run("there", named);
  expect((await leaving).code).toBe(6);
  expect([early.code, (await run("there", named)).code, (await run("there")).code]).toEqual([7, 0, 0]);
});
