import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { BIN } from "../../support/cli.ts";
import { compare, folder, refuseHashes, TIERS } from "../../support/compared.ts";
import { fillManyOrders } from "../../support/data/many-orders.ts";
import { serverPair } from "../../support/stores/pair.ts";

const pair = serverPair({}, {}, {});
const DATABASE = "many";
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const COUNT = LONG ? 200_000 : 60_000;
/** Less heap than the fewer documents of the sample would take, were their differences kept. */
const HEAP = LONG ? {} : { NODE_OPTIONS: "--max-old-space-size=88" };
/** Bytes of memory that a comparison may take, however much differs. */
const MOST_MEMORY = LONG ? 600_000_000 : 300_000_000;

beforeAll(async () => {
  await fillManyOrders(pair.from, DATABASE, COUNT);
  return () => Promise.all([pair.from.db(DATABASE).dropDatabase(), pair.to.db(DATABASE).dropDatabase()]);
});

const WAYS = [["hashes", TIERS[0].refusing] as const, ["bytes", TIERS[3].refusing] as const];

it.each(LONG ? WAYS : WAYS.slice(0, 1))(
  `reports and plans ${COUNT.toLocaleString("en-US")} documents that an empty copy lacks, in bounded memory (%s)`,
  { timeout: 240_000 },
  async (_tier, refusing) => {
    await pair.to.db(DATABASE).dropDatabase();
    await pair.to.db(DATABASE).createCollection("orders");
    refuseHashes(pair, refusing);
    const cwd = folder();
    let memory = 0;
    let timer: NodeJS.Timeout | undefined;
    const compared = await compare(pair, ["--plan", "p.plan", "--report", "r.html"], {
      database: DATABASE,
      cwd,
      bin: BIN,
      env: HEAP,
      onStart(child) {
        timer = setInterval(() => {
          memory = Math.max(memory, peakOf(child.pid));
        }, 50);
      },
    }).finally(() => clearInterval(timer));
    expect([compared.code, compared.error]).toEqual([1, undefined]);
    expect(compared.summary).toMatchObject({
      complete: true,
      missing: COUNT,
      differences: COUNT,
      changed: 0,
    });
    expect(new Set(compared.differences.map(({ id }) => id)).size).toBe(COUNT);
    const plan = readFileSync(join(cwd, "p.plan"), "utf8").trimEnd().split("\n");
    expect(plan.length).toBe(COUNT + 2);
    expect(JSON.parse(plan.at(-1) ?? "")).toMatchObject({ end: true, rows: COUNT, complete: true });
    expect(readFileSync(join(cwd, "r.html")).length).toBeLessThan(1_000_000);
    console.log(`${_tier}: ${Math.round(memory / 1e6)} MB`);
    expect(memory).toBeLessThan(MOST_MEMORY);
  },
);

function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}
