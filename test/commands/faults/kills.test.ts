import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { Random } from "../../shops/random.ts";
import { dualsync } from "../../support/cli.ts";
import { fillMixed } from "../../support/data/mixed-database.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Runs that are ended at random moments, over and over: the same command always comes to the same end. */
const pair = serverPair();
const DATABASE = "killed";
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const POINTS = LONG ? 1_000 : 8;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 20);
/** Kills before a copy may finish. */
const KILLS_A_COPY = 4;
/** A copy without a kill takes about so long, in milliseconds. */
const LONGEST = 1_500;

beforeAll(() => fillMixed(pair.from, DATABASE));

const ENDS = ["SIGKILL", "SIGKILL", "SIGKILL", "SIGINT", "SIGTERM", "twice"] as const;

/** Ends the process as `how` says; the second Ctrl-C comes while the first one is handled. */
function end(child: ChildProcess, how: (typeof ENDS)[number]): void {
  if (how !== "twice") {
    child.kill(how);
    return;
  }
  child.kill("SIGINT");
  setTimeout(() => child.kill("SIGINT"), 5);
}

it(`copies ended at ${POINTS} random moments (seed ${SEED}) end identical and without duplicates`, {
  timeout: POINTS * 20_000,
}, async () => {
  const random = new Random(SEED);
  const env = {
    LIVE: withDatabase(pair.source.uri, DATABASE),
    COPY: withDatabase(pair.target.uri, DATABASE),
  };
  const args = ["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY"];
  const wanted = await snapshot(pair.from, DATABASE);
  const tally = { killed: 0, stopped: 0, done: 0 };
  for (let point = 0; point < POINTS; ) {
    const cwd = mkdtempSync(join(tmpdir(), "dualsync-killed-"));
    await pair.to.db(DATABASE).dropDatabase();
    for (let kill = 0; kill < KILLS_A_COPY && point < POINTS; kill++, point++) {
      const how = random.pick(ENDS);
      const delay = random.whole(0, LONGEST);
      const { code, stdout } = await dualsync(args, {
        env,
        cwd,
        onStart: (child) => void setTimeout(() => end(child, how), delay),
      });
      const about = `seed ${SEED}, point ${point}: ${how} after ${delay} ms\n${stdout}`;
      expect([null, 0, 130, 143], about).toContain(code);
      if (code === null) tally.killed++;
      else if (code === 0) tally.done++;
      else tally.stopped++;
    }
    const { code, stdout } = await dualsync(args, { env, cwd });
    expect(code, `seed ${SEED}, before point ${point}\n${stdout}`).toBe(0);
    expect(await snapshot(pair.to, DATABASE), `seed ${SEED}, before point ${point}`).toEqual(wanted);
    rmSync(cwd, { recursive: true });
  }
  console.log(`${POINTS} points, seed ${SEED}: ${JSON.stringify(tally)}`);
  expect(tally.killed).toBeGreaterThan(POINTS / 4);
});
