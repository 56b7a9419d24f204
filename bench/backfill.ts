// Measures `backfill` against a bare loop of GETs and against a home-made script, side by side in one run, and prints
// ratios. Not a test: nothing fails. DUALSYNC_BENCH_ROWS sets the number of rows (default 200,000),
// DUALSYNC_BENCH_ROUNDS the rounds (default 3).
import { resolve } from "node:path";
import { MongoClient } from "mongodb";
import { startMongodb, withDatabase } from "../test/services/mongodb/mongodb.ts";
import { startPostgrest } from "../test/services/postgrest/postgrest.ts";
import { fillStorefront } from "../test/shops/storefront.ts";
import { measured, median, type Usage } from "./run.ts";

const ROWS = Number(process.env.DUALSYNC_BENCH_ROWS ?? 200_000);
const ROUNDS = Number(process.env.DUALSYNC_BENCH_ROUNDS ?? 3);
const BIN = resolve("bin/dualsync.js");
const DATABASE = "bench";
/** Milliseconds that each request takes on its way to a project in a region nearby. */
const AWAY = 40;

const project = await startPostgrest();
const mongodb = await startMongodb();
try {
  await fillStorefront(project.query, { customers: ROWS });
  await project.query("vacuum analyze customers");
  await project.reload();
  console.log(`${ROWS} rows, Node ${process.version}; medians of ${ROUNDS} rounds, each in turn\n`);
  console.log("the project on the same machine, which it shares with all the others");
  const places = [project.url, project.serviceKey, mongodb.uri, DATABASE];
  // Once, and where it is fastest: it waits for each row, which makes the way to the project small beside it.
  const homeMade = await measured(resolve("bench/home-made.js"), places);
  await compare(homeMade);
  console.log(`\nthe project ${AWAY} ms away`);
  project.fail({ delay: AWAY });
  await compare(homeMade);
} finally {
  await Promise.all([project.stop(), mongodb.stop()]);
}

async function compare(homeMade: Usage): Promise<void> {
  const env = {
    SUPABASE_URL: project.url,
    SUPABASE_SERVICE_ROLE_KEY: project.serviceKey,
    MONGODB_URI: withDatabase(mongodb.uri, DATABASE),
  };
  const loops: Usage[] = [];
  const verified: Usage[] = [];
  const again: Usage[] = [];
  const compared: Usage[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    loops.push(await measured(resolve("bench/get-loop.js"), [project.url, project.serviceKey]));
    await emptied();
    verified.push(await measured(BIN, ["backfill", "--quiet"], env));
    again.push(await measured(BIN, ["backfill", "--quiet"], env));
    compared.push(await measured(BIN, ["diff", "--quiet"], env));
  }
  print("bare loop of GETs", loops, loops);
  print("home-made script (once)", [homeMade], loops);
  print("backfill, read back", verified, loops);
  print("backfill again, all equal", again, loops);
  print("diff, all equal", compared, loops);
  const times = ratio(verified, [homeMade]).toFixed(1);
  console.log(`\nbackfill is ${times} times as fast as the home-made script`);
}

async function emptied(): Promise<void> {
  const client = new MongoClient(mongodb.uri);
  try {
    await client.db(DATABASE).dropDatabase();
  } finally {
    await client.close();
  }
}

function print(name: string, usages: readonly Usage[], against: readonly Usage[]): void {
  const seconds = median(usages.map((usage) => usage.seconds));
  const cpu = median(usages.map((usage) => usage.cpu));
  const memory = Math.round(median(usages.map((usage) => usage.memory)) / 1e6);
  const speed = `${Math.round(ROWS / seconds)} rows/s`;
  const relative = `${ratio(usages, against).toFixed(2)}x`;
  console.log(
    `${name.padEnd(26)} ${relative.padStart(7)}  ${speed.padStart(14)}  CPU ${cpu.toFixed(1)} s  ${memory} MB`,
  );
}

/** How many times as fast the first are. */
function ratio(usages: readonly Usage[], against: readonly Usage[]): number {
  return median(against.map(({ seconds }) => seconds)) / median(usages.map(({ seconds }) => seconds));
}
