import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Document } from "mongodb";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { serverErrors } from "../../services/wire-proxy/faults/errors.ts";
import type { FaultRule } from "../../services/wire-proxy/faults/faults.ts";
import { type CliOptions, type CliResult, dualsync } from "../../support/cli.ts";
import { dropEverythingOn, everythingOn } from "../../support/data/everything.ts";
import { contents, snapshot } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";
import { runOf } from "../../support/undo-folder.ts";

/** An original that a restore has left half-way, or is still writing to: nothing goes from there into its copy. */
const pair = serverPair({}, {}, {});

interface Row {
  readonly _id: number;
  readonly n: number;
  readonly text: string;
}

const ORDERS = 4_000;
const live = () => pair.from.db(pair.database);
const copy = () => pair.to.db(`${pair.database}_backup`);
const everything = async () => [await everythingOn(pair.from), await everythingOn(pair.to)];
const orders = (of: typeof live) => contents(of === live ? pair.from : pair.to, of().databaseName, "orders");

function rows(first: number, end: number, text = "as it was sold"): Row[] {
  return Array.from({ length: end - first }, (_, n) => ({ _id: first + n, n, text: `${text} ${n}` }));
}

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-restore-"));
  await live().collection<Row>("orders").insertMany(rows(0, ORDERS));
  await live().collection<Row>("people").insertMany(rows(0, 20));
  await live().collection<Row>("log").insertMany(rows(0, 20));
  await nightly();
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([dropEverythingOn(pair.from), dropEverythingOn(pair.to)]);
});

async function run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const env = {
    LIVE: withDatabase(pair.source.uri, pair.database),
    COPY: withDatabase(pair.target.uri, `${pair.database}_backup`),
    NEW: withDatabase(pair.target.uri, "new"),
  };
  return await dualsync(args, { cwd: folder, ...options, env });
}

const TO_COPY = ["--from", "env:LIVE", "--to", "env:COPY"];
const night = () => run(["duplicate", ...TO_COPY, "--delete", "--yes"]);

async function nightly(): Promise<void> {
  const { code, stderr, stdout } = await night();
  expect(code, stdout + stderr).toBe(0);
}

function restore(mode: string, flags: readonly string[] = [], options: CliOptions = {}): Promise<CliResult> {
  const to = [
    "--from",
    "env:COPY",
    "--to",
    "env:LIVE",
    "--mode",
    mode,
    "--apply",
    "--confirm",
    pair.database,
  ];
  return run(["restore", "--json", ...to, ...flags], options);
}

async function restored(mode: string, ...flags: string[]): Promise<CliResult> {
  const result = await restore(mode, flags);
  expect(result.code, result.stdout + result.stderr).toBe(0);
  return result;
}

/** Half of the orders are gone, others changed, and some are new. */
async function damage(): Promise<void> {
  const collection = live().collection<Row>("orders");
  await collection.deleteMany({ _id: { $lt: ORDERS / 2 } });
  await collection.updateMany({ _id: { $gte: (ORDERS * 3) / 4 } }, { $set: { text: "damaged" } });
  await collection.insertMany(rows(100_000, 100_100));
}

/** Kills the process when this write to the original has been done `nth` times. */
function killedAt(on: string, nth: number, rule: Partial<FaultRule> = {}) {
  const fault = pair.sourceProxy.fail({ on, collection: "orders", nth, hang: "after", ...rule });
  return {
    async onStart(child: { readonly exitCode: number | null; kill(signal: "SIGKILL"): unknown }) {
      while (fault.happened === 0 && child.exitCode === null) await wait(2);
      child.kill("SIGKILL");
      pair.sourceProxy.calm();
    },
  };
}

/** What a run on the original is told, which nothing has changed. */
async function expectHalfRestored(args: readonly string[]): Promise<string> {
  const before = await everything();
  const { code, stdout, stderr } = await run(args);
  const said = stdout + stderr;
  expect([code, said]).toEqual([
    6,
    expect.stringMatching(/is being restored: run [0-9a-f]{8}, from .* is not complete/),
  ]);
  expect(await everything()).toEqual(before);
  return said;
}

it("a restore that is killed half-way is kept out of the copy by night, completed by the same command, and forgotten then", {
  timeout: 60_000,
}, async () => {
  const before = await orders(copy);
  await damage();
  const size = ["--batch-size", "100", "--concurrency", "1"];
  const killed = await restore("overwrite", size, killedAt("insert", 12));
  expect(killed.code).toBe(null);
  const { count } = await orders(live);
  const share = (count - 100 - ORDERS / 2) / (ORDERS / 2);
  console.log(`killed when ${Math.round(share * 100)}% of what was missing was there again`);
  expect([share > 0.3, share < 0.9]).toEqual([true, true]);
  // The first one clears away the lock that the killed process held.
  expect((await night()).code).toBe(6);
  const said = await expectHalfRestored(["duplicate", ...TO_COPY, "--delete", "--yes"]);
  expect(said).toMatch(/run the same dualsync restore again to complete it, or dualsync undo [0-9a-f]{8}/);
  expect(await orders(copy)).toEqual(before);
  await restored("overwrite", ...size);
  const kept = await snapshot(pair.from, pair.database);
  await nightly();
  expect(await snapshot(pair.from, pair.database)).toEqual(kept);
  expect(await orders(copy)).toEqual(await orders(live));
  expect((await run(["diff", ...TO_COPY])).code).toBe(0);
});

it.each([
  ["duplicate", ["duplicate", ...TO_COPY]],
  ["duplicate with --delete", ["duplicate", ...TO_COPY, "--delete", "--yes"]],
  ["duplicate with --into-existing", ["duplicate", ...TO_COPY, "--into-existing", "NAME"]],
  ["duplicate with --restart", ["duplicate", ...TO_COPY, "--restart"]],
  ["duplicate into another database", ["duplicate", "--from", "env:LIVE", "--to", "env:NEW"]],
  ["duplicate with --dry-run", ["duplicate", ...TO_COPY, "--dry-run"]],
  ["diff", ["diff", ...TO_COPY]],
  ["repair", ["repair", "repair.plan", ...TO_COPY, "--yes"]],
  ["a restore of something else", ["restore", "--from", "env:LIVE", "--to", "env:NEW", "--apply"]],
] as const)("%s refuses an original that is half restored, and changes nothing", async (_, args) => {
  await copy().collection<Row>("people").deleteOne({ _id: 3 });
  expect((await run(["diff", ...TO_COPY, "--plan", "repair.plan"])).code).toBe(1);
  await live()
    .collection<Document & { _id: string }>("_dualsync")
    .insertOne({
      _id: "restored",
      ...{ command: "restore", from: "copy", run: "0badcafe", token: "t", complete: false, verified: false },
      ...{ since: new Date(), documents: [] },
    });
  const words = args.map((word) => word.replace("NAME", `${pair.database}_backup`));
  await expectHalfRestored(words);
});

it("no later restore that does less completes one that was interrupted, and one that does more does", {
  timeout: 60_000,
}, async () => {
  await damage();
  await live().collection("people").drop();
  const killed = await restore("overwrite", ["--batch-size", "100"], killedAt("insert", 5));
  expect(killed.code).toBe(null);
  for (const [mode, ...flags] of [
    ["overwrite", "--include", "people"],
    ["overwrite", "--id", "orders/7"],
    ["exact", "--exclude", "log", "--allow-shrink"],
    ["missing"],
    ["merge"],
  ] as const) {
    const done = await restore(mode, flags);
    expect([0, 3], done.stdout).toContain(done.code);
    expect(done.stdout + done.stderr).toMatch(/was interrupted, and this one did less/);
    await expectHalfRestored(["duplicate", ...TO_COPY, "--delete", "--yes"]);
  }
  await restored("exact", "--allow-shrink");
  await nightly();
});

it("undoing what completed an interrupted restore leaves that one open, and undoing both leaves nothing of them", {
  timeout: 60_000,
}, async () => {
  await damage();
  const before = await snapshot(pair.from, pair.database);
  const killed = await restore("overwrite", ["--batch-size", "100"], killedAt("insert", 5));
  const first = String(JSON.parse(killed.stdout.split("\n")[0] ?? "").run);
  const second = runOf(await restored("overwrite"));
  const undo = (id: string) => run(["undo", id, "--to", "env:LIVE", "--yes"]);
  expect((await undo(second)).code).toBe(0);
  expect(await expectHalfRestored(["duplicate", ...TO_COPY, "--delete", "--yes"])).toContain(first);
  expect((await undo(first)).code).toBe(0);
  expect(await snapshot(pair.from, pair.database)).toEqual(before);
  const { code, stderr } = await run(["duplicate", ...TO_COPY]);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
});

it("an undoing that is killed keeps the original out of the copy until it is repeated", {
  timeout: 60_000,
}, async () => {
  await damage();
  const done = runOf(await restored("overwrite"));
  const undo = (options: CliOptions = {}) => run(["undo", done, "--to", "env:LIVE", "--yes"], options);
  expect((await undo(killedAt("delete", 1))).code).toBe(null);
  await expectHalfRestored(["duplicate", ...TO_COPY, "--delete", "--yes"]);
  expect((await undo()).code).toBe(0);
  expect((await run(["duplicate", ...TO_COPY])).code).toBe(0);
});

it("an undoing that is killed when all is put back is still to be repeated, which takes the mark from the original", {
  timeout: 60_000,
}, async () => {
  await damage();
  const before = await orders(live);
  const done = runOf(await restored("overwrite"));
  const undo = (options: CliOptions = {}) => run(["undo", done, "--to", "env:LIVE", "--yes"], options);
  const noted = { collection: "_dualsync", mentions: "verified", hang: "before" } as const;
  expect((await undo(killedAt("update", 2, noted))).code).toBe(null);
  expect(await orders(live)).toEqual(before);
  await expectHalfRestored(["duplicate", ...TO_COPY, "--delete", "--yes"]);
  expect((await undo()).code).toBe(0);
  expect((await run(["duplicate", ...TO_COPY])).code).toBe(0);
});

it("while a restore runs the copy and the original are locked for all others, which change nothing", {
  timeout: 60_000,
}, async () => {
  await damage();
  const before = await orders(copy);
  const held = pair.sourceProxy.fail({ on: "insert", collection: "orders", hang: "before" });
  let others: CliResult[] = [];
  const done = await restore("overwrite", ["--batch-size", "100"], {
    async onStart(child) {
      while (held.happened === 0 && child.exitCode === null) await wait(2);
      others = [
        await night(),
        await run(["duplicate", "--from", "env:LIVE", "--to", "env:COPY"]),
        await restore("overwrite"),
      ];
      child.kill("SIGKILL");
    },
  });
  expect(held.happened, done.stdout + done.stderr).toBeGreaterThan(0);
  pair.sourceProxy.calm();
  for (const { code, stdout, stderr } of others)
    expect([code, stdout + stderr]).toEqual([7, expect.stringMatching(/is locked by dualsync restore on /)]);
  expect(await orders(copy)).toEqual(before);
});

it("a document that the original does not take is named as being in the copy alone", async () => {
  const people = live().collection<Row & { readonly email?: string }>("people");
  await people.updateOne({ _id: 3 }, { $set: { email: "ada@shop.example" } });
  await nightly();
  await people.deleteOne({ _id: 3 });
  await people.insertOne({ _id: 900, n: 900, text: "came again", email: "ada@shop.example" });
  await people.createIndex({ email: 1 }, { unique: true, sparse: true });
  const done = await restore("missing");
  expect([done.code, done.stdout]).toEqual([
    3,
    expect.stringMatching(/1 document is as it was in the copy alone: see to it before a nightly run/),
  ]);
});

it("a copy that may not be locked is restored from, and the restore says so", async () => {
  await damage();
  pair.targetProxy.fail({ on: "update", collection: "_dualsync", every: 1, error: serverErrors.noRight });
  const { code, stdout, stderr } = await restore("overwrite");
  expect([code, stdout + stderr]).toEqual([
    0,
    expect.stringMatching(/The copy cannot be locked .*: see to it that no other run writes to it meanwhile/),
  ]);
});
