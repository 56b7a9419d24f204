import type { ChildProcess } from "node:child_process";
import { beforeEach, expect, it } from "vitest";
import { Random } from "../../shops/random.ts";
import { BIN } from "../../support/cli.ts";
import { RepairContext } from "../../support/repairing.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Repairs that are killed, cut off and slow: they resume, and what they did can be undone. */
const pair = serverPair({}, {}, {});
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const POINTS = LONG ? 200 : 2;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 22);
const ALL = ["--yes", "--delete"];

let repairing: RepairContext;
beforeEach(() => {
  repairing = new RepairContext(pair);
});

function collection(side: "from" | "to") {
  return pair[side].db(pair.database).collection<{ _id: number | string }>("orders");
}

/** 700 documents to replace, 300 to insert and 300 to remove, among which two exchange a unique value. */
async function fillBoth(): Promise<void> {
  const row = (n: number) => ({ _id: n, place: `p${n}`, text: "x".repeat(200) });
  await collection("from").insertMany([
    ...Array.from({ length: 1_000 }, (_, n) => row(n)),
    { _id: "a", place: "b" } as never,
    { _id: "b", place: "a" } as never,
    { _id: "$", $n: 1 } as never,
  ]);
  await collection("to").insertMany([
    ...Array.from({ length: 700 }, (_, n) => ({ ...row(n), text: "y" })),
    ...Array.from({ length: 300 }, (_, n) => ({ ...row(5_000 + n), place: `p${700 + n}` })),
    { _id: "a", place: "a" } as never,
    { _id: "b", place: "b" } as never,
    { _id: "$", $n: 2 } as never,
  ]);
  for (const side of ["from", "to"] as const)
    await collection(side).createIndex({ place: 1 }, { unique: true, sparse: true });
}

/** Kills the program when the proxy before the target has seen that many writes, before or after they take effect. */
function killAtWrite(
  child: ChildProcess,
  nth: number,
  when: "before" | "after",
  on: readonly string[] = ["update", "insert", "delete"],
): void {
  const rule = pair.targetProxy.fail({
    on,
    collection: "orders",
    nth,
    hang: when,
  });
  const timer = setInterval(() => {
    if (rule.happened > 0) child.kill("SIGKILL");
  }, 2);
  child.once("exit", () => {
    clearInterval(timer);
    pair.targetProxy.calm();
  });
}

it(`a repair and its undo, killed at a write ${POINTS} times (seed ${SEED}), are completed when they are repeated`, {
  timeout: POINTS * 60_000,
}, async () => {
  const random = new Random(SEED);
  await fillBoth();
  await repairing.plan();
  const [before, wanted] = [await repairing.now(), await repairing.source()];
  let killed = 0;
  for (let point = 0; point < POINTS; point++) {
    // A repair writes about so often: removals, replacements, a swap and a `$`, new documents.
    const [nth, when] = [1 + random.whole(0, 8), random.pick(["before", "after"] as const)];
    const about = `seed ${SEED}, point ${point}: ${when} write ${nth}`;
    const first = await repairing.repair(ALL, { onStart: (child) => killAtWrite(child, nth, when) });
    if (first.code === null) killed++;
    const again = await repairing.repair(ALL);
    expect([again.code, again.items], about).toEqual([0, []]);
    expect(await repairing.now(), about).toEqual(wanted);
    // The later run is undone first; a kill in the middle of that changes nothing of it.
    for (const run of [again.run, ...repairing.journals.filter((one) => one !== again.run)]) {
      if (!repairing.journals.includes(run)) continue;
      const onStart = (child: ChildProcess) => killAtWrite(child, 1 + random.whole(0, 3), when);
      await repairing.undo(run, { onStart });
      const undone = await repairing.undo(run);
      expect([undone.code, undone.stdout], about).toEqual([0, expect.anything()]);
    }
    expect(await repairing.now(), about).toEqual(before);
    repairing.forget();
  }
  expect(killed).toBeGreaterThan(POINTS / 2);
});

it.each([
  ["the new version of a document that cannot be replaced in place", "$x"],
  ["the new versions of two documents that swap a value", "place"],
])("a repair that is killed before it inserts %s does so when it is repeated", async (_, field) => {
  const [one, other] = [{ [field]: "a" }, { [field]: "b" }] as object[];
  await collection("from").insertMany([
    { _id: 1, ...one },
    { _id: 2, ...other },
  ]);
  await collection("to").insertMany([
    { _id: 1, ...other },
    { _id: 2, ...one },
  ]);
  if (field === "place") await collection("to").createIndex({ place: 1 }, { unique: true });
  const before = await repairing.now();
  await repairing.plan("--no-indexes");
  const onStart = (child: ChildProcess) => killAtWrite(child, 1, "before", ["insert"]);
  const killed = await repairing.repair(ALL, { onStart });
  expect([killed.code, await collection("to").countDocuments()]).toEqual([null, 0]);
  const again = await repairing.repair(ALL);
  expect([again.code, again.items]).toEqual([0, []]);
  expect((await repairing.diff("--no-indexes")).code).toBe(0);
  const [first = ""] = repairing.journals.filter((run) => run !== again.run);
  for (const run of [again.run, first]) expect((await repairing.undo(run)).code).toBe(0);
  expect(await repairing.now()).toEqual(before);
});

it("a repair over slow connections that break at random bytes ends with 0, 4 or 5, and can be repeated", async () => {
  const random = new Random(SEED);
  await fillBoth();
  await repairing.plan();
  const wanted = await repairing.source();
  const before = await repairing.now();
  for (let point = 0; point < POINTS / 2; point++) {
    const side = random.pick(["sourceProxy", "targetProxy"] as const);
    const direction = random.pick(["to client", "to engine"] as const);
    const bytes = random.whole(1_000, 200_000);
    pair[side].throttle(1_000_000);
    pair[side].cutAfter(bytes, direction);
    const about = `seed ${SEED}: ${side}, ${bytes} bytes ${direction}`;
    const cut = await repairing.repair(ALL);
    pair[side].calm();
    expect([0, 4, 5], `${about}\n${cut.stdout}`).toContain(cut.code);
    const again = await repairing.repair(ALL);
    expect([again.code, again.items], about).toEqual([0, []]);
    expect(await repairing.now(), about).toEqual(wanted);
    const runs = [again.run, cut.run].filter((run) => repairing.journals.includes(run));
    for (const run of runs) expect((await repairing.undo(run)).code, about).toBe(0);
    expect(await repairing.now(), about).toEqual(before);
  }
});

it("a repair of 20,000 documents runs with a heap of 48 MB", {
  timeout: 120_000,
}, async () => {
  const text = "x".repeat(700);
  for (let n = 0; n < 20_000; n += 5_000)
    await collection("from").insertMany(Array.from({ length: 5_000 }, (_, i) => ({ _id: n + i, text })));
  await collection("to").insertMany(Array.from({ length: 20 }, (_, n) => ({ _id: -1 - n })));
  await repairing.plan();
  expect(repairing.lines).toHaveLength(20_022);
  const env = { ...repairing.env, NODE_OPTIONS: "--max-old-space-size=48" };
  const { code, items } = await repairing.repair(["--yes"], { env, bin: BIN });
  expect([code, items]).toEqual([0, []]);
  expect(await collection("to").countDocuments()).toBe(20_020);
  expect((await repairing.diff("--one-way")).code).toBe(0);
});
