import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Collection } from "mongodb";
import { expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { Random } from "../../shops/random.ts";
import { dualsync, records } from "../../support/cli.ts";
import { serverPair } from "../../support/stores/pair.ts";
import { runOf, undoFolder } from "../../support/undo-folder.ts";

/** Checksums are true, whatever became of the runs that left them. */
const pair = serverPair();
const folder = undoFolder(pair);
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const ROUNDS = LONG ? 60 : 4;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 41);
const DOCUMENTS = 4_000;
const TEXT = "x".repeat(2_000);

interface Row {
  readonly _id: number;
  readonly text: string;
}

function rows(side: "from" | "to"): Collection<Row> {
  return pair[side].db(pair.database).collection<Row>("orders");
}

async function checksumBytes(): Promise<string | undefined> {
  const own = pair.to
    .db(pair.database)
    .collection<{ _id: string; bytes: { value(): Uint8Array } }>("_dualsync");
  const checksums = await own.findOne({ _id: "checksums orders" });
  return checksums === null ? undefined : Buffer.from(checksums.bytes.value()).toString("base64");
}

async function content(): Promise<Map<number, string>> {
  return new Map((await rows("to").find().toArray()).map(({ _id, text }) => [_id, text]));
}

async function change(random: Random, collection: Collection<Row>, name: string): Promise<void> {
  for (let n = random.whole(1, 6); n > 0; n--) {
    const _id = random.whole(0, DOCUMENTS * 2);
    if (random.chance(0.3)) await collection.deleteOne({ _id });
    else await collection.replaceOne({ _id }, { text: `${name} ${random.text(3)}` }, { upsert: true });
  }
}

it(`copies that are killed never leave wrong checksums (seed ${SEED})`, {
  timeout: ROUNDS * 60_000,
}, async () => {
  const random = new Random(SEED);
  await rows("from").insertMany(Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: 2 * i, text: TEXT })));
  const cwd = mkdtempSync(join(tmpdir(), "dualsync-checksums-"));
  const env = {
    LIVE: withDatabase(pair.source.uri, pair.database),
    COPY: withDatabase(pair.target.uri, pair.database),
  };
  let checksummed: string | undefined;
  let verified = new Map<number, string>();
  const reported = { behind: 0, diverged: 0, nothing: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const kill = random.chance(0.6) ? random.whole(300, 2_500) : undefined;
    const flags = random.chance(0.3) ? ["--delete", "--yes"] : [];
    await dualsync(["duplicate", "--from", "env:LIVE", "--to", "env:COPY", ...flags], {
      env,
      cwd,
      onStart: (child) => void (kill !== undefined && setTimeout(() => child.kill("SIGKILL"), kill)),
    });
    const left = await checksumBytes();
    if (left !== checksummed) verified = await content();
    checksummed = left;
    await change(random, rows("from"), "source");
    await change(random, rows("to"), "target");
    const { stdout } = await dualsync(
      ["diff", "--from", "env:LIVE", "--to", "env:COPY", "--json", "--settle", "0.01"],
      { env, cwd },
    );
    const now = await content();
    for (const { type, id, drift } of records(stdout)) {
      if (type !== "diff") continue;
      const isAsVerified = now.get(Number(id)) === verified.get(Number(id));
      if (drift === "behind") expect(isAsVerified, `round ${round}, ${id}`).toBe(true);
      if (drift === "diverged") expect(isAsVerified, `round ${round}, ${id}`).toBe(false);
      reported[drift === "behind" || drift === "diverged" ? drift : "nothing"]++;
      if (checksummed === undefined) expect(drift).toBeNull();
    }
  }
  rmSync(cwd, { recursive: true });
  console.log(`${ROUNDS} rounds, seed ${SEED}: ${JSON.stringify(reported)}`);
  expect(reported.behind).toBeGreaterThan(0);
  expect(reported.diverged).toBeGreaterThan(0);
});

it("undo removes the checksums of the copy", async () => {
  await rows("from").insertMany(Array.from({ length: 50 }, (_, i) => ({ _id: i, text: "source" })));
  await rows("to").insertMany(Array.from({ length: 50 }, (_, i) => ({ _id: i, text: "target" })));
  const adopted = await folder.adopt();
  expect(adopted.code, adopted.stdout).toBe(0);
  expect(await checksumBytes()).toBeDefined();
  expect((await folder.undo(runOf(adopted))).code).toBe(0);
  expect(await checksumBytes()).toBeUndefined();
  const { stdout } = await pair.run(["diff", "--json", "--settle", "0.01"]);
  const reported = records(stdout).filter(({ type }) => type === "diff");
  expect(reported).toHaveLength(50);
  expect(reported.every(({ drift }) => drift === null)).toBe(true);
});
