import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import {
  type CliOptions,
  type CliResult,
  collectionRecord,
  dualsync,
  records,
  summary,
} from "../../support/cli.ts";
import { contents } from "../../support/data/snapshot.ts";
import { expectExplained } from "../../support/explained.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Interrupted runs, and what the next one makes of them. */
const pair = serverPair();
/** Enough to be copied in several ranges. */
const DOCUMENTS = 2_500;
const DATABASE = "resumed";
/** Documents are read in two seconds then, half a second's worth at a time: so ranges are done one after the other. */
const SLOWLY = ["--rate", String(DOCUMENTS / 2)];

let folder: string;
let wanted: Awaited<ReturnType<typeof contents>>;
beforeAll(async () => {
  const text = "x".repeat(4_000);
  const orders = pair.from.db(DATABASE).collection<{ _id: number; text: string }>("orders");
  await orders.insertMany(Array.from({ length: DOCUMENTS }, (_, _id) => ({ _id, text })));
  wanted = await contents(pair.from, DATABASE, "orders");
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-resume-"));
  await pair.to.db(DATABASE).dropDatabase();
  return () => rmSync(folder, { recursive: true });
});

function run(flags: readonly string[] = [], options: CliOptions = {}): Promise<CliResult> {
  const env = {
    LIVE: withDatabase(pair.source.uri, DATABASE),
    COPY: withDatabase(pair.target.uri, DATABASE),
  };
  const args = ["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY", ...flags];
  return dualsync(args, { cwd: folder, ...options, env: { ...env, ...options.env } });
}

function stateFile(): string | undefined {
  const state = join(folder, ".dualsync");
  const name = existsSync(state) ? readdirSync(state).find((file) => file.endsWith(".json")) : undefined;
  return name === undefined ? undefined : join(state, name);
}

/** Runs until something is written down, and ends it then. */
async function interrupted(
  signal: NodeJS.Signals = "SIGKILL",
  flags: readonly string[] = [],
): Promise<CliResult> {
  return await run([...SLOWLY, ...flags], {
    async onStart(child) {
      while (stateFile() === undefined && child.exitCode === null) await wait(5);
      child.kill(signal);
    },
  });
}

async function isIdentical(): Promise<void> {
  expect(await contents(pair.to, DATABASE, "orders")).toEqual(wanted);
}

/** The beginning of the last run, or of the interrupted one that it resumed, as the target remembers it. */
async function since(): Promise<Date | undefined> {
  const control = pair.to.db(DATABASE).collection<{ _id: string; since: Date }>("_dualsync");
  return (await control.findOne({ _id: "filled" }))?.since;
}

it("resumes a copy after kill -9, reads nothing again that was verified, and says so", async () => {
  const killed = await interrupted();
  expect(killed.code).toBeNull();
  const begun = await since();
  expect(begun).toBeInstanceOf(Date);
  expect(records(killed.stdout).map(({ type }) => type)).not.toContain("summary");
  const again = await run();
  expect(again.code).toBe(0);
  const resumed = summary(again.stdout)?.resumed as { documents: number; bytes: number };
  expect(resumed.documents).toBeGreaterThan(0);
  expect(resumed.documents).toBeLessThan(DOCUMENTS);
  expect(collectionRecord(again.stdout, "orders")).toMatchObject({
    read: DOCUMENTS,
    rejected: 0,
    extra: 0,
    sourceCount: DOCUMENTS,
    targetCount: DOCUMENTS,
    verdict: "verified",
  });
  await isIdentical();
  expect(stateFile()).toBeUndefined();
  // A part was read by the killed run: what changed since that run began may be missing from the copy.
  expect(await since()).toEqual(begun);
  const third = await run();
  expect(collectionRecord(third.stdout, "orders")).toMatchObject({ unchanged: DOCUMENTS, written: 0 });
});

it("does not read again what an interrupted run has verified", async () => {
  await interrupted();
  // A change everywhere: where it is still there afterwards, nothing was compared.
  const some = { _id: { $mod: [25, 0] } } as never;
  await pair.to
    .db(DATABASE)
    .collection("orders")
    .updateMany(some, { $set: { mark: 1 } });
  const { code, stdout } = await run();
  expect(code).toBe(0);
  const left = await pair.to.db(DATABASE).collection("orders").countDocuments({ mark: 1 });
  const resumed = summary(stdout)?.resumed as { documents: number } | undefined;
  expect(left).toBeGreaterThan(0);
  expect(Math.abs(left - Number(resumed?.documents) / 25)).toBeLessThanOrEqual(20); // a mark more or less for each range
});

it("Ctrl-C saves what was verified", async () => {
  const stopped = await interrupted("SIGINT");
  expect(stopped.code).toBe(130);
  expect(stateFile()).toBeDefined();
  const again = await run();
  expect(again.code).toBe(0);
  expect(summary(again.stdout)?.resumed).toBeDefined();
  await isIdentical();
});

it("a dry run shows how much an interrupted run has already done", async () => {
  await interrupted();
  const dry = await run(["--dry-run"]);
  expect(dry.code).toBe(0);
  const [start] = records(dry.stdout).filter(({ type }) => type === "start");
  expect(start?.resumed).toMatchObject({ documents: expect.any(Number) });
  expect(stateFile()).toBeDefined();
});

it("a run with --restart starts over", async () => {
  await interrupted();
  const { code, stdout } = await run(["--restart"]);
  expect(code).toBe(0);
  expect(summary(stdout)?.resumed ?? null).toBeNull();
  await isIdentical();
});

it("a run does not resume when another run has written to the target since", async () => {
  await interrupted();
  const elsewhere = mkdtempSync(join(tmpdir(), "dualsync-resume-"));
  const other = await run([], { cwd: elsewhere });
  rmSync(elsewhere, { recursive: true });
  expect(other.code).toBe(0);
  await pair.to.db(DATABASE).collection<{ _id: number }>("orders").deleteOne({ _id: 1 });
  const { code, stdout } = await run();
  expect(code).toBe(0);
  expect(stdout).toMatch(/another run has written to the target since\. Everything is read again/);
  await isIdentical();
});

it("a run does not resume when the target has lost documents since", async () => {
  await interrupted();
  await pair.to.db(DATABASE).collection("orders").deleteMany({});
  const { code, stdout } = await run();
  expect(code).toBe(0);
  expect(stdout).toMatch(/fewer documents than the interrupted run verified/);
  await isIdentical();
});

it("a run does not resume a collection that was replaced in the target since", async () => {
  await interrupted();
  await pair.to.db(DATABASE).collection("orders").rename("old");
  const { code, stdout } = await run();
  expect(code).toBe(0);
  expect(summary(stdout)?.resumed ?? null).toBeNull();
  await isIdentical();
});

it("does not resume a run that verified less than this one does", async () => {
  await interrupted("SIGKILL", ["--verify", "none"]);
  const { code, stdout } = await run();
  expect(code).toBe(0);
  expect(stdout).toMatch(/verified less/);
  await isIdentical();
});

it("rejects a damaged state file by its name, changes nothing, and discards it with --restart", async () => {
  await interrupted();
  const path = stateFile() ?? "";
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    text.replace(/"read":\d/, (read) => (read.endsWith("9") ? '"read":8' : '"read":9')),
  );
  const before = await contents(pair.to, DATABASE, "orders");
  const { code, stdout } = await run();
  expect(code).toBe(9);
  expectExplained(stdout, code);
  expect(stdout).toMatch(/\.dualsync\/[0-9a-f]+\.json/);
  expect(stdout).toMatch(/--restart/);
  expect(await contents(pair.to, DATABASE, "orders")).toEqual(before);
  expect((await run(["--restart"])).code).toBe(0);
  await isIdentical();
});

it("exits with 9 and writes nothing when its own state cannot be written", async () => {
  writeFileSync(join(folder, ".dualsync"), "a file, not a folder");
  const { code, stdout } = await run();
  expect(code).toBe(9);
  expect(stdout).toMatch(/\.dualsync/);
  expect(await pair.to.db(DATABASE).listCollections().toArray()).toEqual([]);
});

it("exits with 9 at whatever call the disk fails, and completes the copy once there is space", {
  timeout: 120_000,
}, async () => {
  const preload = new URL("../../support/preload/failing-disk.js", import.meta.url).href;
  const codes: (number | null)[] = [];
  for (let at = 1; at <= 31; at += 5) {
    const fault = at % 2 === 1 ? "ENOSPC" : "EROFS";
    const env = {
      NODE_OPTIONS: `--import=${preload}`,
      DUALSYNC_TEST_FAULT_AT: String(at),
      DUALSYNC_TEST_FAULT: fault,
    };
    const { code, stdout } = await run([], { env });
    codes.push(code);
    expect([0, 9], `call ${at}: ${fault}\n${stdout}`).toContain(code);
    if (code === 9) expect(stdout).toMatch(/\.dualsync/);
  }
  expect(codes.filter((code) => code === 9).length).toBeGreaterThan(2);
  expect((await run()).code).toBe(0);
  await isIdentical();
});

it("--max-minutes stops a copy cleanly with 12, and repeated runs complete it", {
  timeout: 120_000,
}, async () => {
  // All of it takes eight seconds at this rate, one of its two collections about four.
  const flags = ["--max-minutes", "0.1", "--rate", "1250", "--concurrency", "1"];
  const env = {
    LIVE: withDatabase(pair.source.uri, pair.database),
    COPY: withDatabase(pair.target.uri, pair.database),
  };
  const rows = Array.from({ length: 5_000 }, (_, _id) => ({ _id }));
  const names = ["customers", "orders"];
  for (const name of names)
    await pair.from.db(pair.database).collection<{ _id: number }>(name).insertMany(rows);
  const codes: (number | null)[] = [];
  for (let round = 0; round < 10 && codes.at(-1) !== 0; round++) {
    const { code, stderr } = await run(flags, { env });
    codes.push(code);
    if (code !== 0) expectExplained(stderr, code);
  }
  expect(codes.length).toBeGreaterThan(1);
  expect(codes).toEqual([...codes.slice(1).map(() => 12), 0]);
  for (const name of names) {
    const copied = await contents(pair.to, pair.database, name);
    expect(copied).toEqual(await contents(pair.from, pair.database, name));
  }
});
