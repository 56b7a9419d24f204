import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Random } from "../../shops/random.ts";
import { records } from "../../support/cli.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { fillMixed } from "../../support/data/mixed-database.ts";
import { mongodbStore } from "../../support/stores/mongodb-store.ts";

/** Archives whose writing was ended at random moments: each is whole or not there, and earlier ones stay as they were. */
const server = mongodbStore();
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const POINTS = LONG ? 200 : 4;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 16);
/** A run without a kill takes about so long, in milliseconds. */
const LONGEST = 1_500;
const ENDS = ["SIGKILL", "SIGKILL", "SIGINT", "SIGTERM"] as const;
const TO = ["--to", "file:./archive"];

it(`an archive whose writing is ended at ${POINTS} random moments (seed ${SEED}) is whole or not there`, {
  timeout: POINTS * 30_000,
}, async () => {
  await fillMixed(server.client, server.database);
  const random = new Random(SEED);
  const cwd = newFolder();
  const whole = (): string[] =>
    readdirSync(join(cwd, "archive"))
      .filter((name) => !name.endsWith(".partial"))
      .sort();
  expect((await server.run(["duplicate", ...TO], cwd)).code).toBe(0);
  const tally: Record<string, number> = {};
  for (let point = 0; point < POINTS; point++) {
    const before = whole();
    const [how, delay] = [random.pick(ENDS), random.whole(0, LONGEST)];
    const flags = ["--json", ...(random.whole(0, 1) === 0 ? [] : ["--gzip"])];
    const { code, stdout, stderr } = await server.run(["duplicate", ...TO, ...flags], cwd, {
      onStart: (child) => void setTimeout(() => child.kill(how), delay),
    });
    const about = `seed ${SEED}, point ${point}: ${how} after ${delay} ms\n${stdout}${stderr}`;
    tally[String(code)] = (tally[String(code)] ?? 0) + 1;
    expect([null, 0, 130, 143], about).toContain(code);
    const after = whole();
    expect(after, about).toEqual(expect.arrayContaining(before));
    if (code === 0) expect(after.length, about).toBe(before.length + 1);
    // Killed right after it was named it is whole, too.
    expect(after.length - before.length, about).toBeLessThanOrEqual(1);
    // A run that was asked to stop leaves nothing behind.
    if (code === 130 || code === 143) expect(after, about).toEqual(before);
    const found = await server.run(["diff", ...TO, "--json"], cwd);
    expect(found.code, about + found.stdout).toBe(0);
  }
  console.log(`archives: ${POINTS} moments tried: ${JSON.stringify(tally)}`);
  const listed = await server.run(["restore", "--from", "file:./archive", "--dry-run", "--json"], cwd);
  const { notes } = records(listed.stdout).find(({ type }) => type === "start") as { notes: string[] };
  expect(notes.join("\n")).toContain(`${whole().length} archive`);
});
