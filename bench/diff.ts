// Measures comparisons against a merge of two driver cursors, side by side in one run, and prints ratios. Not a test,
// but it fails when two of them do not find the same. DUALSYNC_BENCH_DOCUMENTS sets the number of documents (default
// 200,000), DUALSYNC_BENCH_DIFFERENCES how many differ (default 10), DUALSYNC_BENCH_ROUNDS the rounds (default 3).
import { resolve } from "node:path";
import { MongoClient } from "mongodb";
import { type MongodbService, startMongodb, withDatabase } from "../test/services/mongodb/mongodb.ts";
import { startWireProxy } from "../test/services/wire-proxy/wire-proxy.ts";
import { fillBenchOrders } from "./documents.ts";
import { finished, measured, median, type Usage } from "./run.ts";

const DOCUMENTS = Number(process.env.DUALSYNC_BENCH_DOCUMENTS ?? 200_000);
const ROUNDS = Number(process.env.DUALSYNC_BENCH_ROUNDS ?? 3);
const BIN = resolve("bin/dualsync.js");
/** Documents that are made different in the target. */
const DIFFERENCES = Number(process.env.DUALSYNC_BENCH_DIFFERENCES ?? 10);

/** Ways to compare: the script and its first argument. */
const WAYS = [
  { name: "driver merge-join", script: "merge-loop.js", tier: [] },
  { name: "raw tier", script: "walk.js", tier: ["raw"] },
  { name: "hash tier", script: "walk.js", tier: ["hash"] },
  { name: "hash tier, one side", script: "walk.js", tier: ["one-sided"] },
] as const;
type Way = (typeof WAYS)[number];

interface Place {
  readonly from: string;
  readonly to: string;
}

const source = await startMongodb();
const target = await startMongodb();
try {
  console.log(
    `MongoDB ${source.version} (${source.provider}), Node ${process.version}; medians of ${ROUNDS} rounds, each in turn\n`,
  );
  for (const bytes of [400, 4_000]) await compare(bytes);
  await memory();
} finally {
  await Promise.all([source.stop(), target.stop()]);
}

async function compare(bytes: number): Promise<void> {
  const database = `bench${bytes}`;
  await fill(database, DOCUMENTS, bytes);
  const usages = new Map<Way, Usage[]>(WAYS.map((way) => [way, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [way, measurements] of usages)
      measurements.push(await run(way, { from: source.uri, to: target.uri }, database));
  console.log(`${DOCUMENTS} documents of about ${bytes} bytes, ${DIFFERENCES} of them different`);
  const [baseline = []] = usages.values();
  const all = await moved(WAYS[0], database);
  for (const [way, measurements] of usages)
    print(way.name, measurements, baseline, await moved(way, database), all);
  console.log();
}

/** Peak memory for few and for many documents. */
async function memory(): Promise<void> {
  for (const documents of [50_000, 1_000_000]) {
    const database = `memory${documents}`;
    await fill(database, documents, 400);
    for (const way of WAYS.slice(1)) {
      const usage = await run(way, { from: source.uri, to: target.uri }, database);
      console.log(`peak memory, ${documents} documents, ${way.name}: ${megabytes(usage.memory)}`);
    }
    await Promise.all([source, target].map((service) => dropped(service, database)));
  }
}

/** The same documents on both sides, except a few. */
async function fill(database: string, documents: number, bytes: number): Promise<void> {
  await fillBenchOrders(source.uri, database, documents, bytes);
  const pair = ["--from", withDatabase(source.uri, database), "--to", withDatabase(target.uri, database)];
  await finished([BIN, "duplicate", ...pair, "--verify", "none", "--quiet"]);
  const client = new MongoClient(target.uri);
  const orders = client.db(database).collection("orders");
  const numbers = Array.from({ length: DIFFERENCES }, (_, i) =>
    Math.floor(((i + 0.5) * documents) / DIFFERENCES),
  );
  await orders.updateMany({ number: { $in: numbers } }, { $mul: { number: 1.0 }, $set: { paid: "no" } });
  await client.close();
}

async function run(way: Way, { from, to }: Place, database: string): Promise<Usage> {
  const usage = await measured(resolve("build/bench", way.script), [...way.tier, from, to, database]);
  if (!usage.output.includes(`"differences":${DIFFERENCES}`))
    throw new Error(`${way.name} found something else: ${usage.output}`);
  return usage;
}

/** Bytes that a comparison moves, both sides and both ways together. */
async function moved(way: Way, database: string): Promise<number> {
  const proxies = await Promise.all([source, target].map(({ port }) => startWireProxy({ target: port })));
  const [from, to] = proxies.map(({ uri }) => uri);
  try {
    if (from !== undefined && to !== undefined) await run(way, { from, to }, database);
    return proxies.reduce((sum, { bytes }) => sum + bytes["to client"] + bytes["to engine"], 0);
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  }
}

async function dropped(service: MongodbService, database: string): Promise<void> {
  const client = new MongoClient(service.uri);
  await client.db(database).dropDatabase();
  await client.close();
}

function print(
  name: string,
  usages: readonly Usage[],
  baseline: readonly Usage[],
  bytes: number,
  all: number,
): void {
  const seconds = median(usages.map((usage) => usage.seconds));
  const times = median(baseline.map((usage, i) => usage.seconds / (usages[i]?.seconds ?? Number.NaN)));
  const share = median(usages.map((usage, i) => usage.cpu / (baseline[i]?.cpu ?? Number.NaN)));
  const peak = megabytes(Math.max(...usages.map((usage) => usage.memory)));
  console.log(
    `  ${name.padEnd(22)}${seconds.toFixed(2).padStart(7)} s  ${times.toFixed(2)}x as fast   CPU ${share.toFixed(2)} of the loop's   peak ${peak}   moved ${megabytes(bytes)} (${((100 * bytes) / all).toFixed(2)} %)`,
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`;
}
