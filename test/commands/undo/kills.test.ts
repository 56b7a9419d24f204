import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { Random } from "../../shops/random.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";
import { runOf, undoFolder } from "../../support/undo-folder.ts";

/** Runs that adopt a filled target, and their undoing, killed at random moments: in the end all is as it was. */
const pair = serverPair({}, {}, {});
const folder = undoFolder(pair);
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const ROUNDS = LONG ? 100 : 2;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 71);
/** Kills of one undoing before it is left alone. */
const KILLS = 2;

interface Row {
  readonly _id: number;
  readonly number: number;
  readonly text: string;
}

/** 6,000 documents in the source, 4,000 in the target: half of these differ, and 1,000 are only there. */
async function fill(): Promise<void> {
  const rows = (ids: readonly number[], text: string): Row[] =>
    ids.map((_id) => ({ _id, number: _id, text }));
  const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
  const text = "x".repeat(700);
  const orders = (side: "from" | "to") => pair[side].db(pair.database).collection<Row>("orders");
  await orders("from").insertMany(rows(upTo(0, 6_000), text));
  await orders("to").insertMany([
    ...rows(upTo(0, 1_500), text),
    ...rows(upTo(3_000, 4_500), `other ${text}`),
    ...rows(upTo(10_000, 11_000), text),
  ]);
  // Replaced by being removed and inserted again: no server takes such a name in an update.
  const odd = (n: number) => Array.from({ length: 300 }, (_, _id) => ({ _id, $n: n }) as never);
  await pair.from.db(pair.database).collection("odd").insertMany(odd(1));
  await pair.to.db(pair.database).collection("odd").insertMany(odd(2));
}

/** Kills the process at one of its writes to the target, before or after the server has done it. */
function killedAtWrite(random: Random) {
  const fault = pair.targetProxy.fail({
    on: ["insert", "update", "delete"],
    collection: random.pick(["orders", "orders", "odd"]),
    nth: random.whole(1, 6),
    hang: random.pick(["before", "after"]),
  });
  return {
    async onStart(child: { readonly exitCode: number | null; kill(signal: "SIGKILL"): unknown }) {
      while (fault.happened === 0 && child.exitCode === null) await wait(2);
      if (fault.happened > 0) child.kill("SIGKILL");
      pair.targetProxy.calm();
    },
  };
}

it(`runs and undos that are killed at random moments (seed ${SEED}) are undone to the last byte`, {
  timeout: ROUNDS * 120_000,
}, async () => {
  const random = new Random(SEED);
  await fill();
  const before = await snapshot(pair.to, pair.database);
  const tally = { runsKilled: 0, runsDone: 0, undosKilled: 0, undosDone: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const about = `seed ${SEED}, round ${round}`;
    const known = new Set(folder.journals());
    const fresh = () => folder.journals().filter((run) => !known.has(run));
    const adopted = await folder.adopt([], killedAtWrite(random));
    expect([null, 0], `${about}\n${adopted.stdout}`).toContain(adopted.code);
    tally[adopted.code === 0 ? "runsDone" : "runsKilled"]++;
    // The same command resumes, without the flag where the run had come to the collection: it counts as a copy by now.
    const second = random.whole(0, 1) === 1;
    if (second) {
      const args = ["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY"];
      expect([0, 6], about).toContain((await folder.run(args)).code);
    }
    // Each by itself, the last one first.
    for (const run of (await inOrder(fresh())).toReversed()) {
      for (let kill = 0; kill < KILLS; kill++) {
        const undone = await folder.undo(run, [], killedAtWrite(random));
        expect([null, 0, 2], `${about}\n${undone.stdout}`).toContain(undone.code);
        tally[undone.code === null ? "undosKilled" : "undosDone"]++;
        if (undone.code !== null) break;
      }
      const last = await folder.undo(run);
      expect([0, 2], `${about}\n${last.stdout}`).toContain(last.code);
    }
    expect(await snapshot(pair.to, pair.database), about).toEqual(before);
  }
  console.log(`${ROUNDS} rounds, seed ${SEED}: ${JSON.stringify(tally)}`);
  expect(tally.runsKilled).toBeGreaterThan(0);
  expect(tally.undosKilled).toBeGreaterThan(0);
});

/** Kills the process after this write to the target was done, unanswered. */
function killedAfter(on: string, collection: string) {
  const fault = pair.targetProxy.fail({ on, collection, hang: "after" });
  return {
    async onStart(child: { readonly exitCode: number | null; kill(signal: "SIGKILL"): unknown }) {
      while (fault.happened === 0 && child.exitCode === null) await wait(2);
      child.kill("SIGKILL");
      pair.targetProxy.calm();
    },
  };
}

it("undo restores a document that was removed but not written again when the run was killed", async () => {
  await fill();
  const before = await snapshot(pair.to, pair.database);
  expect((await folder.adopt([], killedAfter("delete", "odd"))).code).toBeNull();
  const odd = pair.to.db(pair.database).collection("odd");
  expect(await odd.countDocuments()).toBeLessThan(100);
  const [run = ""] = folder.journals();
  expect((await folder.undo(run, [], killedAfter("insert", "odd"))).code).toBeNull();
  expect((await folder.undo(run)).code).toBe(0);
  expect(await snapshot(pair.to, pair.database)).toEqual(before);
  // And where the run had finished, but its undo does not at first.
  const adopted = await folder.adopt();
  expect(adopted.code).toBe(0);
  const again = runOf(adopted);
  const whole = await odd.countDocuments();
  expect((await folder.undo(again, [], killedAfter("delete", "odd"))).code).toBeNull();
  expect(await odd.countDocuments()).toBeLessThan(whole);
  expect((await folder.undo(again)).code).toBe(0);
  expect(await snapshot(pair.to, pair.database)).toEqual(before);
});

it("undo restores what others inserted while the run was writing", async () => {
  const orders = (side: "from" | "to") =>
    pair[side].db(pair.database).collection<{ _id: number; n: number }>("orders");
  await orders("from").insertMany([1, 2, 3].map((_id) => ({ _id, n: 1 })));
  await orders("to").insertOne({ _id: 9, n: 9 });
  const fault = pair.targetProxy.fail({ on: "insert", collection: "orders", delayMs: 1_500 });
  const adopted = await folder.adopt([], {
    async onStart(child) {
      while (fault.happened === 0 && child.exitCode === null) await wait(2);
      await orders("to").insertOne({ _id: 2, n: 77 });
    },
  });
  expect([adopted.code, fault.happened]).toEqual([0, 1]);
  expect(await orders("to").findOne({ _id: 2 })).toEqual({ _id: 2, n: 1 });
  expect((await folder.undo(runOf(adopted))).code).toBe(0);
  expect(await orders("to").find().sort({ _id: 1 }).toArray()).toEqual([
    { _id: 2, n: 77 },
    { _id: 9, n: 9 },
  ]);
});

/** The runs, the earliest first. */
async function inOrder(runs: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await folder.run(["undo", "--list", "--json"]);
  const started = (run: string) =>
    new RegExp(`run ${run}","reason":"duplicate of ([^U]*) UTC`).exec(stdout)?.[1] ?? "";
  return [...runs].sort((a, b) => (started(a) < started(b) ? -1 : 1));
}
