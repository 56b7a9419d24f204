import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { collectionRecord, dualsync, summary } from "../../support/cli.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Data that would like to be something else than data. */
const pair = serverPair();

const NAMES = [
  "x/../../../../tmp/x",
  "a/b\\c",
  "C:\\x",
  "~root",
  "-rf",
  "--restart",
  "<script>alert(1)</script>",
  "'\"`;(id)|&",
  "=1+1",
  "esc\u001b]0;title\u0007\u001b[2J",
  "\u202egnp.exe",
  "emoji 👩‍👩‍👧",
  "e\u0301",
  "\u00e9",
  "lease",
  "filled",
  "collection x",
  "toString",
];

function isTame(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
}

it("copies, resumes and verifies collections whose names mean something elsewhere", async () => {
  // A namespace has at most 255 bytes, the database and a dot included.
  const longest = "x".repeat(255 - pair.database.length - 1);
  const text = "x".repeat(2_000);
  for (const name of [...NAMES, longest]) {
    const rows = Array.from({ length: name === longest ? 8_000 : 20 }, (_, n) => ({ _id: n, text }));
    await pair.from.db(pair.database).collection<{ _id: number }>(name).insertMany(rows);
  }
  const cwd = mkdtempSync(join(tmpdir(), "dualsync-hostile-"));
  const env = {
    LIVE: withDatabase(pair.source.uri, pair.database),
    COPY: withDatabase(pair.target.uri, pair.database),
  };
  const args = ["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY"];
  const state = join(cwd, ".dualsync");
  const killed = await dualsync(args, {
    env,
    cwd,
    async onStart(child) {
      const saved = () => existsSync(state) && readdirSync(state).some((file) => file.endsWith(".json"));
      while (!saved() && child.exitCode === null) await wait(5);
      child.kill("SIGKILL");
    },
  });
  expect(killed.code).toBeNull();
  const again = await dualsync(args, { env, cwd });
  const files = readdirSync(cwd);
  rmSync(cwd, { recursive: true });
  expect(again.code).toBe(0);
  expect(summary(again.stdout)?.resumed).toBeTruthy();
  expect(collectionRecord(again.stdout, longest)).toMatchObject({ verdict: "verified" });
  expect(files).toEqual([".dualsync"]);
  isTame(killed.stdout + again.stdout + again.stderr);
  expect(await snapshot(pair.to, pair.database)).toEqual(await snapshot(pair.from, pair.database));
});

it("copies documents nested 100 levels deep, field names of 1 MB, and ids of 1 MB", async () => {
  let nested: Record<string, unknown> = { end: true };
  for (let depth = 0; depth < 98; depth++) nested = depth % 2 === 0 ? { a: nested } : { b: [nested] };
  const large = "k".repeat(1_000_000);
  await pair.from
    .db(pair.database)
    .collection<{ _id: unknown }>("odd")
    .insertMany([
      { _id: 1, nested },
      { _id: 2, [large]: 1 },
      { _id: "y".repeat(1_000_000) },
      { _id: { a: large } },
      { _id: "\u001b[31m<b>\u202e" },
    ] as never);
  const { code, stdout, stderr } = await pair.duplicate("--json");
  isTame(stdout + stderr);
  expect(collectionRecord(stdout, "odd")?.read).toBe(5);

  expect(code).toBe(0);

  expect(await pair.to.db(pair.database).collection("odd").countDocuments()).toBe(5);
  expect(stdout.split("\n").every((line) => line.length < 100_000)).toBe(true);
});
