// Measures writing an archive and restoring from it, plain and compressed, against `duplicate` of the same data, and against `mongodump` and
// `mongorestore` where these are on the PATH, side by side in one run, and prints ratios; then memory with an archive of 2 GB. Not a test:
// nothing fails. Where mongodump is there, what it wrote of the same is restored, too. DUALSYNC_BENCH_DOCUMENTS sets the number of documents
// (default 200,000), DUALSYNC_BENCH_ROUNDS the rounds (default 3),
// DUALSYNC_BENCH_LARGE the bytes of the large archive (default 2 GB; 0: none).
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MongoClient } from "mongodb";
import { startMongodb, withDatabase } from "../test/services/mongodb/mongodb.ts";
import { fillBenchOrders } from "./documents.ts";
import { hasPrograms, program, type Timed } from "./dump-tools.ts";
import { measured, median, type Usage } from "./run.ts";

const DOCUMENTS = Number(process.env.DUALSYNC_BENCH_DOCUMENTS ?? 200_000);
const ROUNDS = Number(process.env.DUALSYNC_BENCH_ROUNDS ?? 3);
const LARGE = Number(process.env.DUALSYNC_BENCH_LARGE ?? 2_000_000_000);
const BIN = resolve("bin/dualsync.js");

const source = await startMongodb();
const target = await startMongodb();
const client = await new MongoClient(target.uri).connect();
const folder = mkdtempSync(join(tmpdir(), "dualsync-bench-"));
try {
  console.log(
    `MongoDB ${source.version} (${source.provider}), Node ${process.version}; medians of ${ROUNDS} rounds, each in turn\n`,
  );
  const dumps = hasPrograms();
  if (!dumps) console.log("mongodump and mongorestore are not on the PATH: not measured\n");
  for (const bytes of [400, 4_000]) await compare(bytes, dumps);
  if (LARGE > 0) await large();
} finally {
  await client.close();
  await Promise.all([source.stop(), target.stop()]);
  rmSync(folder, { recursive: true });
}

async function compare(bytes: number, dumps: boolean): Promise<void> {
  const database = `bench${bytes}`;
  await fillBenchOrders(source.uri, database, DOCUMENTS, bytes);
  const found = new Map<string, Timed[]>();
  const add = (name: string, usage: Timed): void => {
    found.set(name, [...(found.get(name) ?? []), usage]);
  };
  const sizes: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await client.db(database).dropDatabase();
    add("duplicate", await run("duplicate", database, withDatabase(target.uri, database)));
    for (const [kind, flags] of [["", []] as const, [" --gzip", ["--gzip"]] as const]) {
      const place = join(folder, `${database}${kind.trim()}`);
      rmSync(place, { recursive: true, force: true });
      add(`archive${kind}`, await run("duplicate", database, `file:${place}`, ...flags));
      if (round === 0) sizes.push(`archive${kind} ${megabytes(sizeOf(place))}`);
      await client.db(database).dropDatabase();
      add(`restore${kind}`, await restore(place, database));
      if (dumps) await dumpAndLoad(database, kind, add);
    }
  }
  console.log(`${DOCUMENTS} documents of about ${bytes} bytes; ${sizes.join(", ")}`);
  const baseline = found.get("duplicate") ?? [];
  for (const [name, usages] of found) print(name, usages, baseline);
  console.log();
}

async function dumpAndLoad(
  database: string,
  kind: string,
  add: (name: string, usage: Timed) => void,
): Promise<void> {
  const flags = kind === "" ? [] : ["--gzip"];
  const place = join(folder, "dump");
  rmSync(place, { recursive: true, force: true });
  add(
    `mongodump${kind}`,
    program("mongodump", [`--uri=${source.uri}`, `--db=${database}`, `--out=${place}`, ...flags]),
  );
  await client.db(database).dropDatabase();
  add(`mongorestore${kind}`, program("mongorestore", [`--uri=${target.uri}`, ...flags, place]));
}

/** One archive that is much larger than what may be in memory. */
async function large(): Promise<void> {
  const [database, bytes] = ["large", 4_000];
  await fillBenchOrders(source.uri, database, Math.ceil(LARGE / bytes), bytes);
  for (const flags of [[], ["--gzip"]]) {
    const place = join(folder, `large${flags.join("")}`);
    const written = await run("duplicate", database, `file:${place}`, ...flags);
    await client.db(database).dropDatabase();
    const restored = await restore(place, database);
    console.log(`an archive of ${megabytes(sizeOf(place))}${flags.length > 0 ? " (--gzip)" : ""}`);
    print("written", [written], [written]);
    print("restored", [restored], [written]);
    rmSync(place, { recursive: true });
  }
  if (!hasPrograms()) return;
  const place = join(folder, "large-dump");
  for (const [form, option] of [
    ["folder", `--out=${place}`],
    ["file", `--archive=${place}`],
  ] as const) {
    const written = program("mongodump", [`--uri=${source.uri}`, `--db=${database}`, option]);
    await client.db(database).dropDatabase();
    console.log(`a ${form} by mongodump`);
    print("written", [written], [written]);
    print("restored", [await restore(place, database)], [written]);
    rmSync(place, { recursive: true });
  }
}

async function run(command: string, database: string, to: string, ...flags: string[]): Promise<Timed> {
  const pair = ["--from", withDatabase(source.uri, database), "--to", to];
  return await measured(BIN, [command, ...pair, ...flags, "--quiet"], {}, folder);
}

async function restore(place: string, database: string): Promise<Timed> {
  const pair = ["--from", `file:${place}`, "--to", withDatabase(target.uri, database)];
  const flags = ["--apply", "--confirm", database, "--quiet"];
  return await measured(BIN, ["restore", ...pair, ...flags], {}, folder);
}

/** Bytes of all files in a folder. */
function sizeOf(path: string): number {
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .map((name) => statSync(join(path, name)))
    .reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0);
}

function print(name: string, usages: readonly Timed[], baseline: readonly Timed[]): void {
  const seconds = median(usages.map((usage) => usage.seconds));
  const times = median(baseline.map((usage, i) => usage.seconds / (usages[i]?.seconds ?? Number.NaN)));
  const all = usages.filter((usage): usage is Usage => usage.cpu !== undefined);
  const memory = Math.max(...all.map((usage) => usage.memory));
  const used =
    all.length === 0
      ? ""
      : `   CPU ${median(all.map(({ cpu }) => cpu)).toFixed(2)} s   peak ${megabytes(memory)}`;
  console.log(`  ${name.padEnd(24)}${seconds.toFixed(2).padStart(7)} s  ${times.toFixed(2)}x${used}`);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
