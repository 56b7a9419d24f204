import type { ChildProcess } from "node:child_process";
import { beforeAll, expect, it } from "vitest";
import { Random } from "../../shops/random.ts";
import { type Compared, compare, findings, folder, refuseHashes, TIERS } from "../../support/compared.ts";
import { fillManyOrders } from "../../support/data/many-orders.ts";
import { serverPair } from "../../support/stores/pair.ts";

const pair = serverPair({}, {}, {});
const DATABASE = "killed";
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const POINTS = LONG ? 300 : 4;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 20);
/** Each collection is compared in one piece, and holds one difference. */
const COLLECTIONS = 6;
const COUNT = 5_000;
const PLANTED = [10, 9_990, 18_000, 30_000, 40_000, 49_990];
const ENDS = ["SIGINT", "SIGKILL", "SIGTERM", "SIGKILL"] as const;

beforeAll(async () => {
  for (let n = 0; n < COLLECTIONS; n++) {
    await Promise.all([pair.from, pair.to].map((client) => fillManyOrders(client, DATABASE, COUNT, `c${n}`)));
    const orders = pair.to.db(DATABASE).collection<{ _id: number }>(`c${n}`);
    await orders.updateOne({ _id: PLANTED[n] ?? 0 }, { $set: { total: -1 } });
  }
  return () => Promise.all([pair.from.db(DATABASE).dropDatabase(), pair.to.db(DATABASE).dropDatabase()]);
});

/** Compares, and ends the process once so many bytes have come from the source. */
async function endAfter(bytes: number, how: NodeJS.Signals, cwd: string): Promise<Compared> {
  const before = pair.sourceProxy.bytes["to client"];
  let timer: NodeJS.Timeout | undefined;
  const onStart = (child: ChildProcess): void => {
    timer = setInterval(() => {
      if (pair.sourceProxy.bytes["to client"] - before < bytes) return;
      clearInterval(timer);
      child.kill(how);
    }, 5);
  };
  return await compare(pair, ["--concurrency", "1"], { database: DATABASE, cwd, onStart }).finally(() =>
    clearInterval(timer),
  );
}

it.each([
  ["SIGKILL", null],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("what was compared before a %s is not read again by the next run", async (how, status) => {
  const cwd = folder();
  refuseHashes(pair, TIERS[3].refusing);
  pair.sourceProxy.throttle(500_000);
  const ended = await endAfter(2_200_000, how, cwd);
  expect(ended.code, ended.stdout).toBe(status);
  if (status !== null)
    expect(ended.error).toMatchObject({ hint: expect.stringMatching(/run the same command again/i) });
  const before = pair.sourceProxy.bytes["to client"];
  const again = await compare(pair, ["--concurrency", "1"], { database: DATABASE, cwd });
  expectRight(again, how);
  expect(again.stdout).toMatch(/"resumedSince":"20/);
  expect(pair.sourceProxy.bytes["to client"] - before).toBeLessThan(2_000_000);
});

it(`comparisons ended at ${POINTS} random moments (seed ${SEED}) never call the stores equal, and the next one finds every difference`, {
  timeout: 60_000 + POINTS * 20_000,
}, async () => {
  const random = new Random(SEED);
  const ended: string[] = [];
  for (let point = 0; point < POINTS; ) {
    const cwd = folder();
    const flags = point % 2 === 0 ? [] : ["--concurrency", "1"];
    if (random.chance(0.5)) refuseHashes(pair, TIERS[3].refusing);
    pair.sourceProxy.throttle(2_000_000);
    let goesOn = true;
    for (let turn = 0; turn < 3 && goesOn && point < POINTS; turn++, point++) {
      const how = ENDS[point % ENDS.length] ?? "SIGKILL";
      const delay = random.whole(0, 2_000);
      const run = await compare(pair, flags, {
        database: DATABASE,
        cwd,
        onStart: (child: ChildProcess) =>
          void child.stdout?.once("data", () => setTimeout(() => child.kill(how), delay)),
      });
      const about = `seed ${SEED}, point ${point}: ${how} after ${delay} ms\n${run.stdout.slice(-1_000)}`;
      expect([null, 1, 130, 143], about).toContain(run.code);
      ended.push(`${how} ${run.code}`);
      goesOn = run.code !== 1;
    }
    const last = await compare(pair, flags, { database: DATABASE, cwd });
    expectRight(last, `seed ${SEED}, before point ${point}`);
    pair.sourceProxy.calm();
    pair.targetProxy.calm();
  }
  console.log(`${POINTS} points, seed ${SEED}: ${ended.join(", ")}`);
  expect(ended.filter((one) => !one.endsWith(" 1")).length).toBeGreaterThan(POINTS / 4);
});

function expectRight(compared: Compared, about: string): void {
  expect(findings(compared), about).toEqual(PLANTED.map((id) => `changed ${id}`).sort());
  expect(compared.code, about).toBe(1);
  expect(compared.summary, about).toMatchObject({
    complete: true,
    sourceDocuments: COLLECTIONS * COUNT,
    equal: COLLECTIONS * COUNT - PLANTED.length,
  });
}
