// Measures `duplicate` against a plain driver loop, side by side in one run, and prints ratios. Not a test: nothing fails.
// DUALSYNC_BENCH_DOCUMENTS sets the number of documents (default 200,000), DUALSYNC_BENCH_ROUNDS the rounds (default 3).
import { resolve } from "node:path";
import { MongoClient } from "mongodb";
import { type MongodbService, startMongodb, withDatabase } from "../test/services/mongodb/mongodb.ts";
import { fillBenchOrders } from "./documents.ts";
import { finished, measured, median, type Usage } from "./run.ts";

const DOCUMENTS = Number(process.env.DUALSYNC_BENCH_DOCUMENTS ?? 200_000);
const ROUNDS = Number(process.env.DUALSYNC_BENCH_ROUNDS ?? 3);
const BIN = resolve("bin/dualsync.js");

const source = await startMongodb();
const target = await startMongodb();
try {
  console.log(
    `MongoDB ${source.version} (${source.provider}), Node ${process.version}; medians of ${ROUNDS} rounds, each in turn\n`,
  );
  for (const bytes of [400, 4_000]) await compare(bytes);
  await memory();
  await startUp();
} finally {
  await Promise.all([source.stop(), target.stop()]);
}

/** Plain loop, duplicate without and with verification, in turn. */
async function compare(bytes: number): Promise<void> {
  const database = `bench${bytes}`;
  await fillBenchOrders(source.uri, database, DOCUMENTS, bytes);
  const plain: Usage[] = [];
  const bare: Usage[] = [];
  const verified: Usage[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await emptied(database);
    plain.push(await measured(resolve("bench/plain-loop.js"), [source.uri, target.uri, database]));
    await emptied(database);
    bare.push(await duplicate(source, database, "none"));
    await emptied(database);
    verified.push(await duplicate(source, database, "content"));
  }
  console.log(`${DOCUMENTS} documents of about ${bytes} bytes`);
  print("plain driver loop", plain, plain);
  print("duplicate --verify none", bare, plain);
  print("duplicate", verified, plain);
  console.log();
}

/** Peak memory for few and for many documents. */
async function memory(): Promise<void> {
  for (const documents of [50_000, 1_000_000]) {
    const database = `memory${documents}`;
    await fillBenchOrders(source.uri, database, documents, 400);
    await emptied(database);
    const usage = await duplicate(source, database, "content");
    console.log(`peak memory, ${documents} documents: ${megabytes(usage.memory)}`);
    await emptied(database);
  }
  console.log();
}

/** `--help` against an empty script. */
async function startUp(): Promise<void> {
  const help: number[] = [];
  const empty: number[] = [];
  for (let round = 0; round < 15; round++) {
    empty.push((await finished(["-e", ""])).seconds);
    help.push((await finished([BIN, "--help"])).seconds);
  }
  console.log(
    `start-up: an empty script ${milliseconds(median(empty))}, dualsync --help ${milliseconds(median(help))}`,
  );
}

async function duplicate(from: MongodbService, database: string, verify: string): Promise<Usage> {
  const pair = ["--from", withDatabase(from.uri, database), "--to", withDatabase(target.uri, database)];
  return await measured(BIN, ["duplicate", ...pair, "--verify", verify, "--quiet"]);
}

async function emptied(database: string): Promise<void> {
  const client = new MongoClient(target.uri);
  await client.db(database).dropDatabase();
  await client.close();
}

function print(name: string, usages: readonly Usage[], baseline: readonly Usage[]): void {
  const seconds = median(usages.map((usage) => usage.seconds));
  const cpu = median(usages.map((usage) => usage.cpu));
  const times = median(baseline.map((usage, i) => usage.seconds / (usages[i]?.seconds ?? Number.NaN)));
  const share = median(usages.map((usage, i) => usage.cpu / (baseline[i]?.cpu ?? Number.NaN)));
  const peak = megabytes(Math.max(...usages.map((usage) => usage.memory)));
  console.log(
    `  ${name.padEnd(26)}${seconds.toFixed(2).padStart(7)} s  ${times.toFixed(2)}x as fast   CPU ${cpu.toFixed(2)} s (${share.toFixed(2)} of the loop's)   peak ${peak}`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1e3)} ms`;
}
