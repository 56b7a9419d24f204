import { Binary } from "bson";
import { beforeEach, expect, it } from "vitest";
import { endLine, headLine, isHead, readPlan, rowLine } from "../../../src/core/repair/repair-plan.ts";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { type Script, startScripted } from "../../services/wire/scripted-server.ts";
import { runWatched } from "../../support/canary.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { expectExplained } from "../../support/explained.ts";
import { RepairContext } from "../../support/repairing.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Plans that must not be carried out, or not as a whole. */
const pair = serverPair();

let repairing: RepairContext;
beforeEach(() => {
  repairing = new RepairContext(pair);
});

function collection(side: "from" | "to") {
  return pair[side].db(pair.database).collection<{ _id: number }>("orders");
}

function rows(from: number, to: number, more: object = {}): { _id: number }[] {
  return Array.from({ length: to - from }, (_, n) => ({ _id: from + n, ...more }));
}

const DELETE = ["--yes", "--delete"];

it("repair refuses a plan that was made for other stores", async () => {
  await collection("from").insertMany(rows(0, 3));
  await collection("to").insertMany(rows(2, 4));
  await repairing.plan();
  const before = await repairing.now();
  const swapped = await repairing.run([
    "repair",
    "repair.plan",
    "--from",
    "env:COPY",
    "--to",
    "env:LIVE",
    "--yes",
  ]);
  expect([swapped.code, swapped.stderr]).toEqual([
    6,
    expect.stringMatching(/was made for .* and its copy .*, not for/),
  ]);
  expectExplained(swapped.stderr, 6);
  const env = {
    LIVE: withDatabase(pair.source.uri, pair.database),
    COPY: withDatabase(pair.target.uri, "elsewhere"),
  };
  expect((await repairing.repair(DELETE, { env })).code).toBe(6);
  expect(await repairing.now()).toEqual(before);
  expect(await snapshot(pair.to, "elsewhere")).toEqual({});
});

it("repair refuses to repair an original from its copy", async () => {
  await collection("from").insertMany(rows(0, 5));
  expect((await repairing.run(["duplicate", "--from", "env:LIVE", "--to", "env:COPY"])).code).toBe(0);
  await collection("from").updateMany({}, { $set: { newer: 1 } });
  const original = await repairing.source();
  const back = ["--from", "env:COPY", "--to", "env:LIVE"];
  const compared = await repairing.run(["diff", ...back, "--settle", "0", "--plan", "repair.plan"]);
  expect(compared.code).toBe(1);
  const { code, stderr } = await repairing.run(["repair", "repair.plan", ...back, "--yes"]);
  expect([code, stderr]).toEqual([6, expect.stringMatching(/look swapped/)]);
  expectExplained(stderr, 6);
  expect(await repairing.source()).toEqual(original);
});

it("repair refuses a source and a target that are one database under two addresses", async () => {
  await collection("from").insertMany(rows(0, 3));
  await collection("to").insertMany(rows(1, 4));
  await repairing.plan();
  const port = new URL(pair.source.uri).port;
  const COPY = `mongodb://localhost:${port}/${pair.database}?directConnection=true`;
  const env = { LIVE: withDatabase(pair.source.uri, pair.database), COPY };
  // No comparison of a database with itself would write such a plan.
  repairing.lines = (await forged(repairing.lines, `localhost:${port}/${pair.database}`))
    .trimEnd()
    .split("\n");
  const { code, stderr } = await repairing.repair(["--yes"], { env });
  expect([code, stderr]).toEqual([6, expect.stringMatching(/are the same database/)]);
  expect(await collection("from").countDocuments()).toBe(3);
});

/** The same plan, of another target. */
async function forged(lines: readonly string[], target: string): Promise<string> {
  let [run, plan, count] = ["", "", 0];
  async function* again() {
    yield* lines;
  }
  for await (const part of readPlan(again(), "plan")) {
    if (isHead(part)) {
      run = part.run;
      plan += headLine({ ...part, target });
    } else {
      plan += rowLine(run, part);
      count++;
    }
  }
  return plan + endLine(run, count, true);
}

it("repair refuses --delete when the source is empty or has shrunk to less than half", async () => {
  await collection("from").insertMany(rows(0, 4));
  await collection("to").insertMany(rows(0, 10));
  const before = await repairing.now();
  await repairing.plan();
  for (const flags of [DELETE, ["--dry-run", "--delete"]]) {
    const shrunk = await repairing.repair(flags);
    expect([shrunk.code, shrunk.stderr]).toEqual([
      6,
      expect.stringMatching(/has shrunk to less than half: .* 4 .* 10/),
    ]);
    expectExplained(shrunk.stderr, 6);
  }
  await collection("from").deleteMany({});
  const emptied = await repairing.repair([...DELETE, "--allow-shrink"]);
  expect([emptied.code, emptied.stderr]).toEqual([6, expect.stringMatching(/is empty in the source/)]);
  expectExplained(emptied.stderr, 6);
  expect(await repairing.now()).toEqual(before);
  await collection("from").insertMany(rows(0, 4));
  const allowed = await repairing.repair([...DELETE, "--allow-shrink"]);
  expect(allowed.code).toBe(0);
  expect(await repairing.now()).toEqual(await repairing.source());
});

it("repair refuses --delete when it would remove most of a copy, however much the source holds", async () => {
  await collection("from").insertMany(rows(100, 200));
  await collection("to").insertMany([...rows(0, 10), ...rows(100, 103)]);
  const before = await repairing.now();
  await repairing.plan();
  const { code, stderr } = await repairing.repair(DELETE);
  expect([code, stderr]).toEqual([6, expect.stringMatching(/has shrunk to less than half: .* 3 .* 13/)]);
  expect(await repairing.now()).toEqual(before);
});

it.each(["to", "from"] as const)("leaves alone a collection replaced since the plan (%s)", async (side) => {
  await collection("from").insertMany(rows(0, 10, { n: 1 }));
  await collection("to").insertMany([...rows(5, 8, { n: 2 }), ...rows(20, 22)]);
  await repairing.plan();
  const content = (await collection(side).find().toArray()) as never[];
  await collection(side).drop();
  await collection(side).insertMany(content);
  const before = await repairing.now();
  const replaced = await repairing.repair(DELETE);
  expect(replaced.code).toBe(3);
  expect(new Set(replaced.items.map(({ reason }) => reason))).toEqual(
    new Set([
      `its collection in the ${side === "to" ? "target" : "source"} was dropped or replaced since the plan was made`,
    ]),
  );
  expect(replaced.items).toHaveLength(12);
  expect(await repairing.now()).toEqual(before);
  await collection(side).drop();
  const dropped = await repairing.repair(side === "to" ? DELETE : ["--yes"]);
  expect([dropped.code, dropped.items[0]?.reason]).toEqual([
    3,
    expect.stringMatching(/no longer has this collection/),
  ]);
});

it("exits without writing anything when another run holds the lock", async () => {
  await collection("from").insertMany(rows(0, 3));
  await collection("to").insertMany(rows(1, 4));
  await repairing.plan();
  const holder = { nonce: "n", run: "r", command: "duplicate", host: "other-host", pid: 7, machine: "m" };
  const times = { since: "$$NOW", until: { $add: ["$$NOW", 600_000] } };
  const own = pair.to.db(pair.database).collection<{ _id: string }>("_dualsync");
  await own.updateOne({ _id: "lease" }, [{ $set: { ...holder, ...times } }], { upsert: true });
  const before = await repairing.now();
  const { code, stderr } = await repairing.repair(DELETE);
  expect([code, stderr]).toEqual([7, expect.stringMatching(/is locked by dualsync duplicate on other-host/)]);
  expect(await repairing.now()).toEqual(before);
  expect(repairing.journals).toEqual([]);
});

it("shows no password and no field value in a plan, a journal or its output", async () => {
  const text = "canary-value";
  await collection("from").insertMany(rows(0, 9, { text }));
  await collection("to").insertMany([...rows(1, 9), ...rows(10, 12, { text })]);
  const script = (behind: number): Script => ({
    behind,
    answer: ({ name }) =>
      name === "saslStart" ? { ok: 1, conversationId: 1, done: true, payload: new Binary() } : undefined,
  });
  const [source, target] = await Promise.all([
    startScripted(script(pair.source.port)),
    startScripted(script(pair.target.port)),
  ]);
  const secret = "canary@p%w:d";
  const query = "directConnection=true&authMechanism=PLAIN&authSource=$external";
  const given = ({ port }: { port: number }) =>
    `mongodb://shop:${encodeURIComponent(secret)}@127.0.0.1:${port}/${pair.database}?${query}`;
  const options = { env: { LIVE: given(source), COPY: given(target) }, cwd: repairing.folder };
  const stores = ["--from", "env:LIVE", "--to", "env:COPY"];
  const diff = ["diff", ...stores, "--settle", "0", "--plan", "repair.plan"];
  const compared = await runWatched(diff, secret, options);
  const dry = await runWatched(["repair", "repair.plan", ...stores, "--delete", "-n"], secret, options);
  expect([compared.code, dry.code]).toEqual([1, 0]);
  expect(compared.left + dry.left).not.toContain(text);
  const repaired = await runWatched(["repair", "repair.plan", ...stores, "--yes"], secret, options);
  expect(repaired.code).toBe(0);
  expect(repaired.left).toContain("undo-");
  await Promise.all([source.stop(), target.stop()]);
});
