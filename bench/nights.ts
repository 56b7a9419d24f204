// Measures the runs of a copy's later nights: one on which nothing was written, and one on which documents here and there
// were. DUALSYNC_BENCH_BASELINE names the program of another version (bin/dualsync.js) to be held against this one, in turn.
// Not a test: nothing fails. DUALSYNC_BENCH_DOCUMENTS sets the number of documents (default 200,000),
// DUALSYNC_BENCH_ROUNDS the rounds (default 3).
import { resolve } from "node:path";
import { MongoClient } from "mongodb";
import { startMongodb, withDatabase } from "../test/services/mongodb/mongodb.ts";
import { fillBenchOrders } from "./documents.ts";
import { measured, median, type Usage } from "./run.ts";

const DOCUMENTS = Number(process.env.DUALSYNC_BENCH_DOCUMENTS ?? 200_000);
const ROUNDS = Number(process.env.DUALSYNC_BENCH_ROUNDS ?? 3);
const BASELINE = process.env.DUALSYNC_BENCH_BASELINE;
const PROGRAMS: readonly (readonly [name: string, bin: string])[] = [
  ["this version", resolve("bin/dualsync.js")],
  ...(BASELINE === undefined ? [] : [["baseline", resolve(BASELINE)] as const]),
];
/** One document in so many is written on a busy night. */
const WRITTEN = 100;

const source = await startMongodb();
const target = await startMongodb();
const client = await new MongoClient(source.uri).connect();
try {
  console.log(`${DOCUMENTS} documents, Node ${process.version}; medians of ${ROUNDS} rounds, each in turn\n`);
  for (const [place] of PROGRAMS.entries()) {
    await fillBenchOrders(source.uri, `night${place}`, DOCUMENTS, 400);
    await night(place);
  }
  await rounds("nothing was written", async () => undefined);
  await rounds(`one document in ${WRITTEN} was written`, async (place, round) => {
    const written = { number: { $mod: [WRITTEN, round] } };
    await client
      .db(`night${place}`)
      .collection("orders")
      .updateMany(written, { $inc: { total: 1 } });
  });
} finally {
  await client.close();
  await Promise.all([source.stop(), target.stop()]);
}

async function rounds(
  name: string,
  before: (place: number, round: number) => Promise<unknown>,
): Promise<void> {
  const usages = PROGRAMS.map((): Usage[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [place] of PROGRAMS.entries()) {
      await before(place, round);
      usages[place]?.push(await night(place));
    }
  }
  console.log(name);
  for (const [place, [program]] of PROGRAMS.entries()) {
    const own = usages[place] ?? [];
    const seconds = median(own.map((usage) => usage.seconds));
    const cpu = median(own.map((usage) => usage.cpu));
    const memory = Math.round(median(own.map((usage) => usage.memory)) / 1e6);
    const last = median((usages.at(-1) ?? []).map((usage) => usage.seconds));
    console.log(
      `  ${program.padEnd(14)} ${(seconds / last).toFixed(2)}x the time  ${seconds.toFixed(2)} s  CPU ${cpu.toFixed(2)} s  ${memory} MB`,
    );
  }
}

async function night(place: number): Promise<Usage> {
  const env = {
    LIVE: withDatabase(source.uri, `night${place}`),
    COPY: withDatabase(target.uri, `night${place}`),
  };
  const [, bin = ""] = PROGRAMS[place] ?? [];
  return await measured(bin, ["duplicate", "--quiet", "--from", "env:LIVE", "--to", "env:COPY"], env);
}
