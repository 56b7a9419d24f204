import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeEach, expect, it } from "vitest";
import { fillBoth, RepairContext, type Row } from "../../support/repairing.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** The file of a plan: how it comes to be, and what becomes of it in the hands of people. */
const pair = serverPair();

let repairing: RepairContext;
beforeEach(() => {
  repairing = new RepairContext(pair);
});

function collection(side: "from" | "to") {
  return pair[side].db(pair.database).collection<{ _id: never; n?: unknown }>("orders");
}

async function fill(side: "from" | "to", rows: readonly Row[]): Promise<void> {
  await collection(side).insertMany(rows as never[]);
}

it("a plan is readable by its owner alone, holds no field values, and is written whole or not at all", async () => {
  await fill("from", [{ _id: 1, name: "canary-a" }, { _id: 2 }]);
  await fill("to", [{ _id: 1, name: "canary-b" }, { _id: 3 }]);
  await repairing.plan();
  const text = readFileSync(repairing.path, "utf8");
  expect(text).not.toMatch(/canary|mongodb:/);
  expect(repairing.lines).toHaveLength(5);
  expect(statSync(repairing.path).mode & 0o777).toBe(0o600);
  expect(readdirSync(repairing.folder).filter((name) => name.includes("plan"))).toEqual(["repair.plan"]);
  const folder = join(repairing.folder, "closed");
  mkdirSync(folder, { mode: 0o500 });
  const closed = await repairing.diff("--plan", "closed/repair.plan");
  const absent = await repairing.diff("--plan", "absent/repair.plan");
  expect([closed.code, absent.code]).toEqual([process.getuid?.() === 0 ? 1 : 9, 9]);
  mkdirSync(join(repairing.folder, "taken"));
  expect((await repairing.diff("--plan", "taken")).code).toBe(9);
  chmodSync(folder, 0o700);
});

it.runIf(process.platform === "linux")(
  "a comparison that is killed leaves no plan and no part of one",
  async () => {
    await fill("from", [{ _id: 1 }]);
    await fill("to", [{ _id: -1 }]);
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      const args = [
        "diff",
        "--from",
        "env:LIVE",
        "--to",
        "env:COPY",
        "--plan",
        "repair.plan",
        "--settle",
        "60",
      ];
      const { code } = await repairing.run(args, {
        async onStart(child) {
          while (!openFiles(child.pid).some((name) => /repair\.plan.*\(deleted\)/.test(name))) await wait(5);
          child.kill(signal);
        },
      });
      expect(code).toBe(signal === "SIGTERM" ? 143 : null);
      expect(readdirSync(repairing.folder).filter((name) => name !== ".dualsync")).toEqual([]);
    }
  },
);

function openFiles(pid: number | undefined): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).map((name) => {
    try {
      return readlinkSync(join(folder, name));
    } catch {
      return ""; // closed by now
    }
  });
}

it.each([
  [
    "one of its digits was changed",
    (text: string) => text.replace(/"bytes":3/, '"bytes":2'),
    /changed or is damaged/,
  ],
  [
    "its last line is gone",
    (text: string) => text.replace(/.*\n$/, ""),
    /it was not finished or is truncated/,
  ],
  [
    "a replacement was made a removal",
    (text: string) => text.replace("replace", "remove"),
    /changed or is damaged/,
  ],
  [
    "its head names another run",
    (text: string) => text.replace('"run":"', '"run":"0'),
    /line 1 .* was changed or is damaged/,
  ],
  ["it is empty", () => "", /is empty/],
])("a repair rejects a plan and changes nothing when %s", async (_, alter, sentence) => {
  await fillBoth(pair);
  await repairing.plan();
  const before = await repairing.now();
  const text = readFileSync(repairing.path, "utf8");
  writeFileSync(repairing.path, alter(text));
  expect(readFileSync(repairing.path, "utf8")).not.toBe(text);
  const { code, stderr } = await repairing.repair(["--yes", "--delete"]);
  expect([code, stderr]).toEqual([9, expect.stringMatching(sentence)]);
  expect(await repairing.now()).toEqual(before);
});

it("a repair does what is left when lines were removed from the plan, and repeated lines once", async () => {
  await fillBoth(pair);
  await repairing.plan();
  const [head = "", ...rows] = repairing.lines;
  const end = rows.pop() ?? "";
  const [c1 = "", m1 = "", x1 = ""] = ["c1", "m1", "x1"].map((id) =>
    rows.find((row) => row.includes(`"id":"${id}"`)),
  );
  repairing.lines = [head, x1, m1, c1, m1, x1, c1, end];
  const { code, run } = await repairing.repair(["--yes", "--delete"]);
  expect(code).toBe(0);
  const ids = ["c1", "c2", "m1", "m2", "x1", "x2"] as never[];
  const found = await collection("to")
    .find({ _id: { $in: ids } })
    .sort({ _id: 1 })
    .toArray();
  expect(found).toEqual([{ _id: "c1", n: 1 }, { _id: "c2", n: "other" }, { _id: "m1" }, { _id: "x2" }]);
  expect((await repairing.undo(run)).code).toBe(0);
  expect(await collection("to").findOne({ _id: "c1" as never })).toEqual({ _id: "c1", n: "other" });
});
