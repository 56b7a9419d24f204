// Measures `restore` against `duplicate` of the same data, and against `mongorestore` where that is on the PATH, side by side in
// one run, and prints ratios. Not a test: nothing fails. DUALSYNC_BENCH_DOCUMENTS sets the number of documents (default 200,000),
// DUALSYNC_BENCH_ROUNDS the rounds (default 3).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MongoClient } from "mongodb";
import { startMongodb, withDatabase } from "../test/services/mongodb/mongodb.ts";
import { fillBenchOrders } from "./documents.ts";
import { hasPrograms, program, type Timed } from "./dump-tools.ts";
import { measured, median, type Usage } from "./run.ts";

const DOCUMENTS = Number(process.env.DUALSYNC_BENCH_DOCUMENTS ?? 200_000);
const ROUNDS = Number(process.env.DUALSYNC_BENCH_ROUNDS ?? 3);
const BIN = resolve("bin/dualsync.js");
/** One document in so many is missing. */
const MISSING = 100;

const copy = await startMongodb();
const original = await startMongodb();
const client = await new MongoClient(original.uri).connect();
/** Where the journals go. */
const folder = mkdtempSync(join(tmpdir(), "dualsync-bench-"));
try {
  console.log(
    `MongoDB ${copy.version} (${copy.provider}), Node ${process.version}; medians of ${ROUNDS} rounds, each in turn\n`,
  );
  const dumps = hasPrograms();
  if (!dumps) console.log("mongodump and mongorestore are not on the PATH: not measured\n");
  for (const bytes of [400, 4_000]) await compare(bytes, dumps);
} finally {
  await client.close();
  await Promise.all([copy.stop(), original.stop()]);
  rmSync(folder, { recursive: true });
}

async function compare(bytes: number, dumps: boolean): Promise<void> {
  const database = `bench${bytes}`;
  await fillBenchOrders(copy.uri, database, DOCUMENTS, bytes);
  const archive = join(folder, `${database}.archive`);
  if (dumps) program("mongodump", [`--uri=${copy.uri}`, `--db=${database}`, `--archive=${archive}`]);
  const duplicated: Timed[] = [];
  const restored: Timed[] = [];
  const missing: Timed[] = [];
  const loaded: Timed[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await client.db(database).dropDatabase();
    duplicated.push(await run("duplicate", database));
    await client.db(database).dropDatabase();
    restored.push(await run("restore", database, "--apply", "--confirm", database));
    await client
      .db(database)
      .collection("orders")
      .deleteMany({ number: { $mod: [MISSING, round] } });
    missing.push(await run("restore", database, "--apply", "--confirm", database));
    if (!dumps) continue;
    await client.db(database).dropDatabase();
    loaded.push(program("mongorestore", [`--uri=${original.uri}`, `--archive=${archive}`]));
  }
  console.log(`${DOCUMENTS} documents of about ${bytes} bytes`);
  print("duplicate", duplicated, duplicated);
  print("restore, nothing is there", restored, duplicated);
  print(`restore, one in ${MISSING} missing`, missing, duplicated);
  if (dumps) print("mongorestore (no read-back)", loaded, duplicated);
  console.log();
}

async function run(command: string, database: string, ...flags: string[]): Promise<Timed> {
  const pair = ["--from", withDatabase(copy.uri, database), "--to", withDatabase(original.uri, database)];
  return await measured(BIN, [command, ...pair, ...flags, "--quiet"], {}, folder);
}

function print(name: string, usages: readonly Timed[], baseline: readonly Timed[]): void {
  const seconds = median(usages.map((usage) => usage.seconds));
  const times = median(baseline.map((usage, i) => usage.seconds / (usages[i]?.seconds ?? Number.NaN)));
  const all = usages.filter((usage): usage is Usage => usage.cpu !== undefined);
  const used =
    all.length === 0
      ? ""
      : `   CPU ${median(all.map(({ cpu }) => cpu)).toFixed(2)} s   peak ${Math.round(Math.max(...all.map(({ memory }) => memory)) / 1e6)} MB`;
  console.log(
    `  ${name.padEnd(28)}${seconds.toFixed(2).padStart(7)} s  ${times.toFixed(2)}x as fast as duplicate${used}`,
  );
}
