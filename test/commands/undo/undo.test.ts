import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Long } from "bson";
import { expect, it } from "vitest";
import { type CliResult, records, summary } from "../../support/cli.ts";
import { contents, snapshot } from "../../support/data/snapshot.ts";
import { expectExplained } from "../../support/explained.ts";
import { serverPair } from "../../support/stores/pair.ts";
import { runOf, undoFolder } from "../../support/undo-folder.ts";

/** What a run replaced or removed is put back exactly, or named; nothing else is touched. */
const pair = serverPair();

const folder = undoFolder(pair);

function duplicate(...flags: string[]): Promise<CliResult> {
  return folder.run(["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY", ...flags]);
}

interface Row {
  readonly _id: number | string | Long;
  readonly n?: unknown;
}

function collection(side: "from" | "to", name = "orders") {
  return pair[side].db(pair.database).collection<Row>(name);
}

function now(): Promise<Record<string, unknown>> {
  return snapshot(pair.to, pair.database);
}

/** A source, and a target that holds some of it, some of it otherwise, and something else. */
async function fillBoth(): Promise<Record<string, unknown>> {
  await collection("from").insertMany([
    ...Array.from({ length: 300 }, (_, n) => ({ _id: n, n })),
    { _id: "large", n: "x".repeat(3_000_000) },
    { _id: "$", $n: 1 } as never,
  ]);
  await collection("from", "names").insertMany([{ _id: 1, n: "a" }]);
  await collection("to").insertMany([
    ...Array.from({ length: 200 }, (_, n) => ({ _id: n, n: n % 2 === 0 ? n : -n })),
    ...Array.from({ length: 50 }, (_, n) => ({ _id: `theirs${n}`, n })),
    { _id: "large", n: "y".repeat(2_900_000) },
    { _id: "$", $n: 2 } as never,
  ]);
  await collection("to", "names").insertMany([{ _id: Long.fromNumber(1), n: "a" }]);
  return await now();
}

it("undo restores exactly what a target held before it became a copy", async () => {
  const before = await fillBoth();
  const dry = await folder.adopt(["--dry-run"]);
  expect(dry.stdout).toMatch(/What is replaced in .*orders.* and was not written by dualsync is saved first/);
  const adopted = await folder.adopt();
  expect(adopted.code).toBe(0);
  expect(summary(adopted.stdout)?.verdict).toMatch(
    /103 documents of the target were saved before they were replaced or removed: dualsync undo [0-9a-f]{8} puts them back/,
  );
  expect(await now()).not.toEqual(before);
  const undone = await folder.undo(runOf(adopted));
  expect([undone.code, undone.stdout]).toEqual([0, expect.stringMatching(/203 documents put back/)]);
  expect(await now()).toEqual(before);
  const again = await folder.undo(runOf(adopted));
  expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/was already undone/)]);
  expect(await now()).toEqual(before);
});

it("undo reverts later runs, too, each by itself", async () => {
  await fillBoth();
  expect((await folder.adopt()).code).toBe(0);
  const first = await now();
  await collection("to").updateMany({ _id: { $lt: 10 } }, { $set: { n: "theirs" } });
  await collection("from").insertOne({ _id: 1_000, n: 1 });
  await collection("from").deleteMany({ _id: { $gte: 250, $lt: 300 } });
  const edited = await now();
  expect(edited).not.toEqual(first);
  const later = await duplicate("--delete", "--yes");
  expect([later.code, later.stdout]).toEqual([
    0,
    expect.stringMatching(/saved before they were replaced or removed/),
  ]);
  expect((await folder.undo(runOf(later))).code).toBe(0);
  expect(await now()).toEqual(edited);
});

it("undo restores what --delete removed from a copy that dualsync made", async () => {
  await collection("from").insertMany(Array.from({ length: 40 }, (_, n) => ({ _id: n, n })));
  const copied = await duplicate();
  expect([copied.code, copied.stdout]).toEqual([0, expect.not.stringMatching(/saved (first|before)/)]);
  expect(folder.journals()).toEqual([]);
  const before = await now();
  await collection("from").deleteMany({ _id: { $lt: 15 } });
  const removed = await duplicate("--delete", "--yes");
  expect(removed.code).toBe(0);
  expect(await collection("to").countDocuments()).toBe(25);
  expect((await folder.undo(runOf(removed))).code).toBe(0);
  expect(await now()).toEqual(before);
});

it("undo leaves documents alone that changed since, and names them", async () => {
  await fillBoth();
  const adopted = await folder.adopt();
  await collection("to").updateOne({ _id: 1 }, { $set: { n: "since" } });
  await collection("to").deleteOne({ _id: 3 });
  await collection("to").updateOne({ _id: 250 }, { $set: { n: "since" } });
  await collection("to").deleteOne({ _id: 251 });
  const id = runOf(adopted);
  const dry = await folder.undo(id, ["--dry-run"]);
  const real = await folder.undo(id);
  for (const { code, stdout } of [dry, real]) {
    expect([code, summary(stdout)?.items], stdout).toEqual([3, 3]);
    expect(stdout).toMatch(
      /3 documents changed since, or could not be changed, and (would be|were) left alone/,
    );
    const items = records(stdout).filter(({ type }) => type === "item");
    expect(items.map(({ key }) => key).sort()).toEqual([
      "document orders/1",
      "document orders/250",
      "document orders/3",
    ]);
    expect(items.find(({ key }) => String(key).endsWith("/3"))?.reason).toMatch(/no longer in the target/);
  }
  expect(await collection("to").findOne({ _id: 1 })).toEqual({ _id: 1, n: "since" });
  expect(await collection("to").findOne({ _id: 3 })).toBeNull();
  expect(await collection("to").findOne({ _id: 5 })).toEqual({ _id: 5, n: -5 });
  expect(await collection("to").findOne({ _id: 252 })).toBeNull();
  const list = await folder.run(["undo", "--list", "--json"]);
  expect(list.stdout).toMatch(/partly undone/);
});

it("undo that is repeated does not put back either what was removed since", async () => {
  await fillBoth();
  const id = runOf(await folder.adopt());
  await collection("to").deleteOne({ _id: 3 });
  await collection("to").updateOne({ _id: 5 }, { $set: { n: "since" } });
  for (const _ of ["first", "again"]) {
    const { code, stdout } = await folder.undo(id);
    expect([code, summary(stdout)?.items], stdout).toEqual([3, 2]);
  }
  expect(await collection("to").findOne({ _id: 3 })).toBeNull();
});

it("undo restores nothing into a collection that was replaced since", async () => {
  await fillBoth();
  const id = runOf(await folder.adopt());
  await collection("to").drop();
  await collection("to").insertOne({ _id: 5, n: 5 });
  await collection("to", "names").drop();
  const before = await now();
  const { code, stdout } = await folder.undo(id);
  expect([code, stdout]).toEqual([3, expect.stringMatching(/was dropped since and created again/)]);
  expect(stdout).toMatch(/its collection is no longer in the target/);
  expect(await now()).toEqual(before);
});

it("undo restores values of a unique index that other documents now hold", async () => {
  await collection("to").insertMany([
    { _id: 1, n: "a" },
    { _id: 2, n: "b" },
    { _id: "x", n: "c" },
  ]);
  await collection("to").createIndex({ n: 1 }, { unique: true });
  const before = await now();
  await collection("from").insertMany([
    { _id: 1, n: "p" },
    { _id: 2, n: "a" },
    { _id: 3, n: "b" },
  ]);
  const adopted = await folder.adopt();
  const again = await folder.adopt();
  expect([adopted.code, again.code].at(-1), again.stdout).toBe(0);
  for (const { stdout } of [again, adopted]) {
    const id = String(summary(stdout)?.run);
    const { code, stdout: said } = await folder.undo(id);
    if (code !== 2) expect([code, said]).toEqual([0, expect.anything()]);
  }
  expect(await now()).toEqual(before);
});

it("a collection that held documents of others stays unmanaged, even if it was found empty in the meantime", async () => {
  await collection("from").insertMany([1, 2, 3].map((_id) => ({ _id, n: 1 })));
  await collection("to").insertOne({ _id: 1, n: "theirs" });
  const adopted = runOf(await folder.adopt());
  await collection("to").deleteMany({});
  const filled = await duplicate();
  expect([filled.code, filled.stdout]).toEqual([
    0,
    expect.stringMatching(/3 documents were added: dualsync undo/),
  ]);
  expect((await folder.undo(runOf(filled))).code).toBe(0);
  expect(await collection("to").countDocuments()).toBe(0);
  await collection("to").insertOne({ _id: 1, n: "theirs again" });
  const before = await now();
  const later = await duplicate();
  expect([later.code, later.stdout]).toEqual([
    0,
    expect.stringMatching(/1 document of the target was saved before it was replaced or removed/),
  ]);
  expect((await folder.undo(runOf(later))).code).toBe(0);
  expect(await now()).toEqual(before);
  expect((await folder.undo(adopted)).code).toBe(3);
});

it("an interrupted copy does not treat what was undone as verified", async () => {
  await fillBoth();
  const many = Array.from({ length: 5_000 }, (_, n) => ({ _id: n, n }));
  await collection("from", "zz").insertMany(many);
  await collection("to", "zz").insertOne({ _id: "mine", n: 0 });
  const isDone = () => {
    const states = readdirSync(folder.path).includes(".dualsync")
      ? readdirSync(join(folder.path, ".dualsync"))
      : [];
    const [state] = states.filter((name) => name.endsWith(".json"));
    return (
      state !== undefined &&
      /"name":"names"/.test(readFileSync(join(folder.path, ".dualsync", state), "utf8"))
    );
  };
  // At this rate the others are done and written down long before "zz" is.
  const stopped = await folder.adopt(["--rate", "1000"], {
    async onStart(child) {
      while (!isDone() && child.exitCode === null) await wait(5);
      child.kill("SIGINT");
    },
  });
  const [id = ""] = folder.journals();
  expect(stopped.code).toBe(130);
  expect((await folder.undo(id)).code).toBe(0);
  const again = await folder.adopt();
  expect([again.code, again.stdout]).toEqual([
    0,
    expect.stringMatching(/another run has written to the target since/),
  ]);
  expect(await contents(pair.to, pair.database, "names")).toEqual(
    await contents(pair.from, pair.database, "names"),
  );
});

it.runIf(process.getuid?.() !== 0)("undo works in a folder that cannot be written", async () => {
  const before = await fillBoth();
  const id = runOf(await folder.adopt());
  chmodSync(join(folder.path, ".dualsync", `undo-${id}.journal`), 0o400);
  chmodSync(join(folder.path, ".dualsync"), 0o500);
  const undone = await folder.undo(id);
  expect(undone.code).toBe(0);
  expect(await now()).toEqual(before);
  chmodSync(join(folder.path, ".dualsync"), 0o700);
});

it("undo restores nothing from a damaged journal", async () => {
  await fillBoth();
  const id = runOf(await folder.adopt());
  const path = join(folder.path, ".dualsync", `undo-${id}.journal`);
  const bytes = readFileSync(path);
  const state = await now();
  for (const at of [0, 40, 1_000, bytes.length - 1_000_000, bytes.length - 10]) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(bytes.readUInt8(at) ^ 4, at);
    writeFileSync(path, flipped);
    const { code, stdout, stderr } = await folder.undo(id);
    expect([code, stderr], `${at}`).toEqual([9, expect.stringContaining(`undo-${id}.journal`)]);
    expectExplained(stderr, 9);
    expect(stdout).toMatch(/Nothing was changed/);
  }
  expect(await now()).toEqual(state);
});
