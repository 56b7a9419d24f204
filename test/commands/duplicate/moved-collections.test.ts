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

/** Collections that are renamed or dropped under a run, and what the run and the next one make of it. */
const pair = serverPair({}, {}, {});
/** More than one range, and each more than one batch. */
const DOCUMENTS = 3_000;
const SMALL_BATCHES = ["--batch-size", "200"];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-moved-"));
  return () => rmSync(folder, { recursive: true });
});

function run(flags: readonly string[] = [], options: CliOptions = {}): Promise<CliResult> {
  const env = {
    LIVE: withDatabase(pair.source.uri, pair.database),
    COPY: withDatabase(pair.target.uri, pair.database),
  };
  const args = ["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY", ...flags];
  return dualsync(args, { cwd: folder, env, ...options });
}

async function fill(side: "from" | "to", ids: number): Promise<void> {
  const text = "x".repeat(3_000);
  const orders = pair[side].db(pair.database).collection<{ _id: number; text: string }>("orders");
  for (let n = 0; n < ids; n += 1_000)
    await orders.insertMany(
      Array.from({ length: Math.min(1_000, ids - n) }, (_, i) => ({ _id: n + i, text })),
    );
}

async function isIdentical(): Promise<void> {
  expect(await contents(pair.to, pair.database, "orders")).toEqual(
    await contents(pair.from, pair.database, "orders"),
  );
}

/** Runs, and does `work` while the command that `fault` holds up waits. */
async function during(
  fault: SetFault,
  flags: readonly string[],
  work: () => Promise<unknown>,
): Promise<CliResult> {
  return await run(flags, {
    async onStart(child) {
      while (fault.happened === 0 && child.exitCode === null) await wait(2);
      if (child.exitCode === null) await work();
    },
  });
}

it("a run fails when a collection is renamed away, and the next run copies it after it is renamed back", async () => {
  await fill("from", DOCUMENTS);
  const source = pair.from.db(pair.database);
  const fault = pair.sourceProxy.fail({ on: "getMore", collection: "orders", delayMs: 1_000 });
  const disturbed = await during(fault, SMALL_BATCHES, () => source.collection("orders").rename("away"));
  expect([disturbed.code, disturbed.stdout]).toEqual([4, expect.stringMatching(/dropped or replaced/)]);
  await source.collection("away").rename("orders");
  const again = await run();
  expect([again.code, collectionRecord(again.stdout, "orders")]).toMatchObject([
    0,
    { verdict: "verified", read: DOCUMENTS, targetCount: DOCUMENTS },
  ]);
  await isIdentical();
});

it("a collection that is renamed away before a run is killed, and then back, is copied by the next run", async () => {
  await fill("from", DOCUMENTS);
  const source = pair.from.db(pair.database);
  const held = pair.sourceProxy.fail({ on: "getMore", collection: "orders", delayMs: 1_000 });
  // The question whether the collection is still there comes too late: the run is dead by then.
  const killed = await run(SMALL_BATCHES, {
    async onStart(child) {
      while (held.happened === 0 && child.exitCode === null) await wait(2);
      if (child.exitCode !== null) return;
      pair.sourceProxy.fail({ on: "listCollections", hang: "before", every: 1 });
      await source.collection("orders").rename("away");
      await wait(3_000);
      child.kill("SIGKILL");
    },
  });
  expect(killed.code).toBeNull();
  pair.sourceProxy.calm();
  await source.collection("away").rename("orders");
  const again = await run();
  expect([again.code, collectionRecord(again.stdout, "orders")]).toMatchObject([
    0,
    { verdict: "verified", read: DOCUMENTS, targetCount: DOCUMENTS },
  ]);
  await isIdentical();
});

it("--delete removes nothing when the collection is dropped from the source while extras are looked for", async () => {
  await fill("from", 2_000);
  expect((await run()).code).toBe(0);
  const source = pair.from.db(pair.database).collection<{ _id: number }>("orders");
  await source.deleteOne({ _id: 7 });
  // The second reading of the source: the first one has found that 7 is gone.
  const fault = pair.sourceProxy.fail({ on: "find", collection: "orders", nth: 2, delayMs: 1_000 });
  const { code, stdout } = await during(fault, ["--delete", "--yes"], () => source.drop());
  expect(fault.happened).toBe(1);
  expect([await pair.to.db(pair.database).collection("orders").countDocuments(), code], stdout).toEqual([
    2_000, 4,
  ]);
});

it("a copy that is dropped while it is made is not called verified", async () => {
  await fill("from", 6_000);
  const target = pair.to.db(pair.database).collection("orders");
  const fault = pair.targetProxy.fail({ on: "insert", collection: "orders", nth: 4, delayMs: 4_000 });
  const { code, stdout } = await during(fault, [], async () => {
    await wait(3_000); // the other ranges are proved meanwhile
    await target.drop();
  });
  expect(fault.happened).toBe(1);
  expect([code, await target.countDocuments()], stdout).not.toEqual([0, expect.any(Number)]);
  expect(stdout).toMatch(/dropped or replaced in the target/);
});
