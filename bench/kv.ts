// Measures what `sync-kv` is billed, against the cheapest plan that does the same, and prints ratios; the lease, what the plan asks for and
// what is read back are shown apart. Also requests, CPU time and memory. Not a test: nothing fails. DUALSYNC_BENCH_KEYS sets the number of
// keys (default 100,000).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Document, MongoClient } from "mongodb";
import { startMongodb } from "../test/services/mongodb/mongodb.ts";
import { isBilled, nameOf, runsScript } from "../test/services/upstash/commands.ts";
import type { Incoming, Recorded } from "../test/services/upstash/faults.ts";
import type { RestCommand } from "../test/services/upstash/request.ts";
import { startUpstash } from "../test/services/upstash/upstash.ts";
import { measured, type Usage } from "./run.ts";

const KEYS = Number(process.env.DUALSYNC_BENCH_KEYS ?? 100_000);
/** Where each key costs a command, or more. */
const SOME = Math.ceil(KEYS / 10);
const BIN = resolve("bin/dualsync.js");
/** Keys of a page, and of one command that reads or creates several. */
const [PAGE, TOGETHER] = [1_000, 500];
const EXPIRES_AT = Date.UTC(2099, 0, 1);

/** What commands are for: the lease, the history and the numbers of the plan are `overhead`. */
type Purpose = "reading" | "writing" | "read back" | "overhead";

type Named = Document & { readonly _id: string };

interface Bill {
  readonly commands: Readonly<Record<Purpose, number>>;
  /** That read keys. */
  readonly readingRequests: number;
  readonly requests: number;
  readonly usage: Usage;
}

const kv = await startUpstash();
const mongodb = await startMongodb();
const client = await new MongoClient(mongodb.uri).connect();
const folder = mkdtempSync(join(tmpdir(), "dualsync-bench-"));
/** Of the run under way. */
const seen: { readonly request: Recorded; readonly purposes: readonly Purpose[] }[] = [];
const written = new Set<string>();
kv.fail({
  before(request: Incoming) {
    const recorded = kv.requests.at(-1);
    const { call } = request;
    if (recorded !== undefined && call !== undefined)
      seen.push({ request: recorded, purposes: call.commands.map(purposeOf) });
  },
});

try {
  console.log(
    `Redis ${kv.redis.version} behind the edge of the tests, MongoDB ${mongodb.version} (${mongodb.provider})`,
  );
  console.log(`Node ${process.version}; billed commands, and the cheapest plan for the same work\n`);
  await texts();
  await expiring();
  await hashes();
} finally {
  await client.close();
  await Promise.all([kv.stop(), mongodb.stop()]);
  rmSync(folder, { recursive: true });
}

/** Texts that stay: read, read again, created, overwritten. */
async function texts(): Promise<void> {
  await fill(KEYS, (n) => ["SET", keyOf(n), textOf(n)]);
  const reading = pages(KEYS);
  print(`${grouped(KEYS)} texts, none expires: first copy`, await run("texts"), reading);
  const again = await run("texts");
  print("the next night, nothing has changed", again, reading);
  printRequests(again, KEYS);
  const changed = { _id: { $in: names(SOME) } };
  await client
    .db("texts")
    .collection<Named>("kv_records")
    .updateMany(changed, { $set: { "value.note": "changed" } });
  print(
    `${grouped(SOME)} of them changed in MongoDB: to KV`,
    await run("texts", "to-kv"),
    reading + 3 * SOME,
  );
  await kv.redis.flush();
  await copyOf("empty", KEYS, (n) => ({ _id: keyOf(n), value: JSON.parse(textOf(n)) }));
  print("KV is empty: all of them to KV", await run("empty", "to-kv"), pages(0) + Math.ceil(KEYS / TOGETHER));
}

/** Texts that expire: of each the time is read. */
async function expiring(): Promise<void> {
  await kv.redis.flush();
  await fill(SOME, (n) => ["SET", keyOf(n), textOf(n), ...(n % 10 === 0 ? ["PXAT", EXPIRES_AT] : [])]);
  print(`${grouped(SOME)} texts, one in ten expires: a night`, await run("expiring"), pages(SOME) + SOME);
  await kv.redis.flush();
  await copyOf("ends", SOME, (n) => ({
    _id: keyOf(n),
    value: JSON.parse(textOf(n)),
    expiresAt: new Date(EXPIRES_AT),
  }));
  print("KV is empty: as many that expire to KV", await run("ends", "to-kv"), pages(0) + SOME);
}

/** Their types come with the list of keys. */
async function hashes(): Promise<void> {
  await kv.redis.flush();
  await fill(SOME, (n) =>
    n % 5 === 0 ? ["HSET", keyOf(n), "name", `n${n}`, "note", "x".repeat(200)] : ["SET", keyOf(n), textOf(n)],
  );
  const some = Math.ceil(SOME / 5);
  print(`${grouped(SOME)} keys, one in five is a hash: a night`, await run("hashes"), pages(SOME) + some);
  await kv.redis.flush();
  await copyOf("hashed", some, (n) => ({ _id: keyOf(n), type: "hash", value: [{ f: "name", v: `n${n}` }] }));
  // Each in a step of its own: a script, which looks and fills.
  print(`KV is empty: ${grouped(some)} hashes to KV`, await run("hashed", "to-kv"), pages(0) + 3 * some);
}

function pages(keys: number): number {
  return Math.max(1, Math.ceil(keys / PAGE)) + Math.ceil(keys / TOGETHER);
}

async function run(database: string, direction = "to-mongodb"): Promise<Bill> {
  seen.length = 0;
  written.clear();
  const env = {
    KV_REST_API_URL: kv.url,
    KV_REST_API_TOKEN: kv.token,
    MONGODB_URI: mongodb.uri,
    MONGODB_DB_NAME: database,
  };
  const flags = ["--direction", direction, "--into-existing", database, "--quiet"];
  const { output: _, ...usage } = await measured(BIN, ["sync-kv", ...flags], env, folder);
  const commands = { reading: 0, writing: 0, "read back": 0, overhead: 0 };
  for (const { request, purposes } of seen) {
    const known = purposes.flatMap((purpose, at) =>
      isBilled(request.commands[at] ?? "") && !runsScript(request.commands[at] ?? "") ? [purpose] : [],
    );
    for (const purpose of known) commands[purpose]++;
    // What a script runs is billed, too, and no request has scripts for several purposes.
    const script = purposes.find((_, at) => runsScript(request.commands[at] ?? ""));
    if (script !== undefined) commands[script] += request.billed - known.length;
  }
  const readingRequests = seen.filter(({ purposes }) => purposes.includes("reading")).length;
  return { commands, readingRequests, requests: seen.length, usage };
}

/** What is read of a key that this run has written is read back. */
function purposeOf(command: RestCommand): Purpose {
  const name = nameOf(command);
  const words = command.slice(1).map(String);
  if (name === "SCAN") return "reading";
  if (words.length === 0 || name === "INFO" || words.some((word) => word.startsWith("_dualsync")))
    return "overhead";
  if (runsScript(name)) return written.add(words[2] ?? "") && "writing";
  if (name === "SET") return written.add(words[0] ?? "") && "writing";
  if (name === "MSETNX") {
    for (let at = 0; at < words.length; at += 2) written.add(words[at] ?? "");
    return "writing";
  }
  return written.has(words[0] ?? "") ? "read back" : "reading";
}

function print(what: string, { commands, usage }: Bill, cheapest: number): void {
  const { reading, writing, overhead } = commands;
  const own = reading + writing;
  const ratio = (own / cheapest).toFixed(3);
  console.log(what);
  console.log(`  ${grouped(own)} commands, the cheapest plan ${grouped(cheapest)}: ${ratio} times`);
  console.log(
    `  besides ${grouped(overhead)} of overhead, and ${grouped(commands["read back"])} to read back what was written`,
  );
  const memory = Math.round(usage.memory / 1e6);
  console.log(
    `  ${usage.seconds.toFixed(1)} s, CPU ${usage.cpu.toFixed(1)} s, at most ${memory} MB of memory\n`,
  );
}

function printRequests({ readingRequests, requests }: Bill, keys: number): void {
  const each = (readingRequests / (keys / 1_000)).toFixed(2);
  console.log(`  ${each} requests to read 1,000 of them; ${grouped(requests)} requests in all\n`);
}

async function fill(count: number, command: (n: number) => readonly (string | number)[]): Promise<void> {
  for (let from = 0; from < count; from += 5_000) {
    const length = Math.min(5_000, count - from);
    await kv.redis.exchange(Array.from({ length }, (_, n) => command(from + n)));
  }
}

/** A copy that dualsync has not seen yet. */
async function copyOf(database: string, count: number, record: (n: number) => Named): Promise<void> {
  const records = client.db(database).collection<Named>("kv_records");
  for (let from = 0; from < count; from += 5_000) {
    const length = Math.min(5_000, count - from);
    await records.insertMany(Array.from({ length }, (_, n) => record(from + n)));
  }
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, n) => keyOf(n));
}

function keyOf(n: number): string {
  return `customer:${n}`;
}

/** JSON of about 300 bytes. */
function textOf(n: number): string {
  const address = { street: `Lane ${n % 77}`, town: "Town", zip: "1234" };
  return JSON.stringify({
    name: `Customer ${n}`,
    visits: n % 40,
    address,
    tags: ["new", "vip"],
    note: "x".repeat(180),
  });
}

function grouped(number: number): string {
  return number.toLocaleString("en-US");
}
