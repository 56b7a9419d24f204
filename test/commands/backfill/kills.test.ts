import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { Random } from "../../shops/random.ts";
import { fillStorefront } from "../../shops/storefront.ts";
import { collectionRecord, records, summary } from "../../support/cli.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** Backfills that are ended in their midst, and what the same command makes of it. */
const pair = projectPair();
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const POINTS = LONG ? 300 : 4;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 20);
const KILLS_A_COPY = 4;
const CUSTOMERS = 800;
const PAGE = { SYNC_BATCH_SIZE: "40" };
/** Milliseconds that a backfill of so many rows in such pages takes about, from its plan on. */
const LONGEST = 600;

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-backfill-"));
  await fillStorefront(pair.project.query, { customers: CUSTOMERS });
  await pair.project.query(`
    create table lines (shop int4, code text, qty numeric, primary key (shop, code));
    insert into lines select n % 5, 'line ' || n, n / 4.0 from generate_series(1, 200) n`);
  await pair.project.reload();
  pair.fail({ on: ({ target }) => target.includes("order="), delay: 10 });
  return () => rmSync(folder, { recursive: true });
});

const run = (flags: readonly string[] = [], onStart?: (child: ChildProcess) => void, cwd = folder) =>
  pair.run(["backfill", "--json", ...flags], cwd, {
    env: PAGE,
    ...(onStart === undefined ? {} : { onStart }),
  });

/** What the database holds besides the control collection. */
const copy = () => snapshot(pair.to, pair.database);

it(`a backfill ended at ${POINTS} random moments (seed ${SEED}) is completed by the next run without duplicates`, {
  timeout: POINTS * 20_000,
}, async () => {
  expect((await run()).code).toBe(0);
  const wanted = await copy();
  const random = new Random(SEED);
  const ends: string[] = [];
  for (let point = 0; point < POINTS; ) {
    await pair.to.db(pair.database).dropDatabase();
    for (let kill = 0; kill < KILLS_A_COPY && point < POINTS; kill++, point++) {
      const how = random.pick(["SIGKILL", "SIGKILL", "SIGINT", "SIGTERM"] as const);
      const delay = random.whole(0, LONGEST);
      const { code, stdout } = await run([], (child) =>
        child.stdout?.once("data", () => setTimeout(() => child.kill(how), delay)),
      );
      expect([null, 0, 130, 143], `seed ${SEED}, point ${point}: ${how}\n${stdout}`).toContain(code);
      ends.push(`${how} ${code}`);
    }
    const { code, stdout } = await run();
    expect(code, `seed ${SEED}, before point ${point}\n${stdout}`).toBe(0);
    expect(await copy(), `seed ${SEED}, before point ${point}`).toEqual(wanted);
  }
  console.log(`${POINTS} points, seed ${SEED}: ${ends.join(", ")}`);
  expect(ends.filter((end) => !end.endsWith(" 0")).length).toBeGreaterThan(POINTS / 4);
});

it("Ctrl-C stops a backfill cleanly with 130, and the same command completes it", async () => {
  const stopped = await run([], (child) => child.stdout?.once("data", () => child.kill("SIGINT")));
  expect(stopped.code, stopped.stdout).toBe(130);
  expect(summary(stopped.stdout)).toMatchObject({ type: "summary", exitCode: 130 });
  expect((await run()).code).toBe(0);
  expect((await pair.run(["diff"])).code).toBe(0);
});

it("only one of two concurrent backfills writes, and the other exits with 7", async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "dualsync-backfill-"));
  const runs = await Promise.all([run(), run([], undefined, elsewhere)]);
  rmSync(elsewhere, { recursive: true });
  expect(runs.map(({ code }) => code).sort()).toEqual([0, 7]);
  expect(collectionRecord((await run()).stdout, "customers")).toMatchObject({ unchanged: CUSTOMERS });
});

it("--max-minutes stops a backfill, which the next run would resume, and --restart starts over", async () => {
  // All of it takes eight seconds at this rate, the single row of the shop next to nothing.
  const stopped = await run(["--max-minutes", "0.08", "--rate", "120", "--concurrency", "8"]);
  expect(stopped.code, stopped.stdout).toBe(12);
  expect(stopped.stdout).toMatch(/Stopped after 0\.08 minutes/);
  const dry = await run(["--dry-run", "--concurrency", "8"]);
  const begun = records(dry.stdout).find(({ type }) => type === "start");
  expect(begun?.resumed).toMatchObject({ documents: expect.any(Number) });
  const restarted = await run(["--restart"]);
  expect(restarted.code).toBe(0);
  expect(summary(restarted.stdout)?.resumed ?? null).toBeNull();
  expect((await pair.run(["diff"])).code).toBe(0);
});
