import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { Random } from "../../shops/random.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";
import { undoFolder } from "../../support/undo-folder.ts";

/** Restores of a damaged database, and their undoing, killed at random moments: in the end all is as it was before. */
const pair = serverPair({}, {}, {});
const folder = undoFolder(pair);
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const ROUNDS = LONG ? 100 : 3;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 1_129);

interface Row {
  readonly _id: number;
  readonly number?: number;
  readonly text?: string;
}

const live = () => pair.from.db(pair.database);
const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
const TEXT = "x".repeat(600);
const rows = (ids: readonly number[], text = TEXT): Row[] => ids.map((_id) => ({ _id, number: _id, text }));

/** 4,000 orders and 300 documents that are replaced by being removed and inserted again, all of them copied. */
async function whole(): Promise<void> {
  for (const name of ["orders", "odd", "emptied"]) await live().collection(name).deleteMany({});
  await live()
    .collection<Row>("orders")
    .insertMany(rows(upTo(0, 4_000)));
  await live()
    .collection("odd")
    .insertMany(upTo(0, 300).map((_id) => ({ _id, $n: 1 })) as never[]);
  await live()
    .collection<Row>("emptied")
    .insertMany(rows(upTo(0, 1_500)));
}

async function fill(): Promise<void> {
  await whole();
  const args = ["duplicate", "--from", "env:LIVE", "--to", "env:COPY"];
  expect((await folder.run(args)).code).toBe(0);
}

/** Some are gone, some others than in the copy, some new. */
async function damage(random: Random): Promise<void> {
  await whole();
  const orders = live().collection<Row>("orders");
  await orders.deleteMany({ _id: { $gte: 1_000, $lt: 1_000 + random.whole(1, 1_500) } });
  await orders.updateMany({ _id: { $lt: random.whole(1, 900) } }, { $set: { text: "other" } });
  await orders.deleteMany({ _id: { $mod: [97, 5] } });
  await orders.insertMany(rows(upTo(9_000, 9_200)));
  await live().collection<Row>("odd").deleteMany({});
  await live()
    .collection("odd")
    .insertMany(upTo(0, 200).map((_id) => ({ _id, $n: 2 })) as never[]);
  await live().collection("emptied").deleteMany({});
}

const RESTORE = ["restore", "--from", "env:COPY", "--to", "env:LIVE", "--json", "--apply"];
const MODES = [
  [],
  ["--mode", "overwrite"],
  ["--mode", "exact", "--include-newer"],
  ["--mode", "merge"],
] as const;

/** Kills the process at one of its writes to the original, before or after the server has done it. */
function killedAtWrite(random: Random) {
  const fault = pair.sourceProxy.fail({
    on: ["insert", "update", "delete"],
    collection: random.pick(["orders", "orders", "odd", "emptied", "_dualsync"]),
    nth: random.whole(1, 4),
    hang: random.pick(["before", "after"]),
  });
  return {
    async onStart(child: { readonly exitCode: number | null; kill(signal: "SIGKILL"): unknown }) {
      while (fault.happened === 0 && child.exitCode === null) await wait(2);
      if (fault.happened > 0) child.kill("SIGKILL");
      pair.sourceProxy.calm();
    },
  };
}

it(`restores and undos that are killed at random moments (seed ${SEED}) are completed by the same command and undone to the last byte`, {
  timeout: ROUNDS * 120_000,
}, async () => {
  const random = new Random(SEED);
  await fill();
  const copied = await snapshot(pair.to, pair.database);
  const tally = { killed: 0, done: 0, undosKilled: 0, undosDone: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    await damage(random);
    const before = await snapshot(pair.from, pair.database);
    const flags = [...random.pick(MODES), "--confirm", pair.database];
    const about = `seed ${SEED}, round ${round}, ${flags.join(" ")}`;
    const known = new Set(folder.journals());
    const fresh = () => folder.journals().filter((run) => !known.has(run));
    const restored = await folder.run([...RESTORE, ...flags], killedAtWrite(random));
    expect([null, 0, 3], `${about}\n${restored.stdout}`).toContain(restored.code);
    tally[restored.code === null ? "killed" : "done"]++;
    if (random.whole(0, 2) > 0) {
      const again = await folder.run([...RESTORE, ...flags]);
      expect([0, 3], `${about}\n${again.stdout}${again.stderr}`).toContain(again.code);
      const held = await live().collection<Row>("emptied").countDocuments();
      expect(held, about).toBe(1_500);
      const copy = await folder.run(["duplicate", "--from", "env:LIVE", "--to", "env:COPY", "--dry-run"]);
      expect(copy.code, `${about}\n${copy.stderr}`).toBe(0);
    }
    for (const run of (await inOrder(fresh())).toReversed()) {
      const undone = await folder.run(
        ["undo", run, "--to", "env:LIVE", "--yes", "--json"],
        killedAtWrite(random),
      );
      expect([null, 0, 2], `${about}\n${undone.stdout}`).toContain(undone.code);
      tally[undone.code === null ? "undosKilled" : "undosDone"]++;
      const last = await folder.run(["undo", run, "--to", "env:LIVE", "--yes", "--json"]);
      expect([0, 2], `${about}\n${last.stdout}${last.stderr}`).toContain(last.code);
    }
    expect(await snapshot(pair.from, pair.database), about).toEqual(before);
    // Nothing was restored in the end: the nightly run goes on as ever, and the copy is what it was.
    const nightly = await folder.run(["duplicate", "--from", "env:LIVE", "--to", "env:COPY", "--dry-run"]);
    expect(nightly.code, `${about}\n${nightly.stderr}`).toBe(0);
    expect(await snapshot(pair.to, pair.database), about).toEqual(copied);
  }
  console.log(`${ROUNDS} rounds, seed ${SEED}: ${JSON.stringify(tally)}`);
  expect(tally.killed).toBeGreaterThan(0);
  expect(tally.undosKilled).toBeGreaterThan(0);
});

/** The runs, the earliest first. */
async function inOrder(runs: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await folder.run(["undo", "--list", "--json"]);
  const started = (run: string) =>
    new RegExp(`run ${run}","reason":"restore of ([^U]*) UTC`).exec(stdout)?.[1] ?? "";
  return [...runs].sort((a, b) => (started(a) < started(b) ? -1 : 1));
}
