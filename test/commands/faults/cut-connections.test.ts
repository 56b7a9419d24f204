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

/** Connections that break at random bytes, in the middle of messages, in both directions of both servers. */
const pair = serverPair({}, {}, {});
const DATABASE = "cut";
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const POINTS = LONG ? 1_000 : 8;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 21);
/** Connections break so often in one run. */
const CUTS_A_RUN = 2;
/** About as many bytes go each way in a whole copy. */
const BYTES = { "to client": 10_000_000, "to engine": 10_000_000 };

beforeAll(() => fillMixed(pair.from, DATABASE));

/** Breaks the connections of one of the two servers at some byte. */
function cut(random: Random): string {
  const side = random.pick(["source", "target"] as const);
  const direction = random.pick(["to client", "to engine"] as const);
  // A source is sent little, and a target sends little before it is read back.
  const most = side === "source" && direction === "to engine" ? 10_000 : BYTES[direction];
  const bytes = random.whole(1, most);
  (side === "source" ? pair.sourceProxy : pair.targetProxy).cutAfter(bytes, direction);
  return `${side}, ${bytes} bytes ${direction}`;
}

it(`copies cut at ${POINTS} random bytes (seed ${SEED}) end identical and without duplicates`, {
  timeout: POINTS * 20_000,
}, async () => {
  const random = new Random(SEED);
  const env = {
    LIVE: withDatabase(pair.source.uri, DATABASE),
    COPY: withDatabase(pair.target.uri, DATABASE),
  };
  const args = ["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY"];
  const wanted = await snapshot(pair.from, DATABASE);
  const ends = new Map<number | null, number>();
  for (let point = 0; point < POINTS; point += CUTS_A_RUN) {
    const cwd = mkdtempSync(join(tmpdir(), "dualsync-cut-"));
    await pair.to.db(DATABASE).dropDatabase();
    const cuts = Array.from({ length: CUTS_A_RUN }, () => cut(random));
    const { code, stdout } = await dualsync(args, { env, cwd });
    const about = `seed ${SEED}, point ${point}: ${cuts.join("; ")}\n${stdout}`;
    expect([0, 4, 5], about).toContain(code);
    ends.set(code, (ends.get(code) ?? 0) + 1);
    pair.sourceProxy.calm();
    pair.targetProxy.calm();
    if (code !== 0) expect((await dualsync(args, { env, cwd })).code, about).toBe(0);
    expect(await snapshot(pair.to, DATABASE), about).toEqual(wanted);
    rmSync(cwd, { recursive: true });
  }
  const happened = pair.sourceProxy.cuts + pair.targetProxy.cuts;
  console.log(`${POINTS} points, ${happened} cuts, seed ${SEED}: ${JSON.stringify([...ends])}`);
  expect(happened).toBeGreaterThan(POINTS / 2);
});
