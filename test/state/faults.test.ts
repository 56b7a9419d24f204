import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { StateFile } from "../../src/state/job/state-file.ts";
import { type Fault, inChild, inOneChild, type Outcome, type Work } from "./child.ts";
import { KEY, temporaries, workFolder } from "./state-folder.ts";

type Act = Work["act"];

const OLD = { number: 1, text: "old ".repeat(500) };
/** For tests of many processes, each of which waits for the disk several times. */
const LONG = 240_000;
const NEW = { number: 2, text: "new ".repeat(900) };

/** What can go wrong at one call: it fails, after it did nothing, half of it or all, or the process dies so. */
function faultsOf(call: string, at: number): Fault[] {
  const faults: Fault[] = [
    { at, how: "ENOSPC", when: "before" },
    { at, how: "EIO", when: "after" },
    { at, how: "KILL", when: "before" },
    { at, how: "KILL", when: "after" },
  ];
  const half = (how: string): Fault => ({ at, how, when: "half" });
  return call === "file.writeFile" ? [...faults, half("ENOSPC"), half("KILL")] : faults;
}

/**
 * Runs the act once for each fault at each of its calls, in a folder of its own, and counts the runs. Those that are not
 * killed share a process.
 */
async function underEveryFault(
  act: Act,
  before: unknown,
  check: (cwd: string, outcome: Outcome | undefined, fault: Fault) => Promise<void>,
): Promise<number> {
  const root = workFolder();
  const prepared = async (): Promise<Work> => {
    const cwd = mkdtempSync(join(root, "run-"));
    if (before !== undefined) await new StateFile(cwd, KEY).write(before);
    return { cwd, act, content: NEW };
  };
  const run = async (faults: readonly Fault[]): Promise<void> => {
    const works = await Promise.all(faults.map(async (fault) => ({ ...(await prepared()), fault })));
    const outcomes = await inOneChild(works);
    for (const [index, { cwd, fault }] of works.entries()) {
      await check(cwd, outcomes[index], fault);
      rmSync(cwd, { recursive: true });
    }
  };
  const calls = (await inChild(await prepared()))?.calls ?? [];
  const faults = calls.flatMap((call, index) => faultsOf(call, index + 1));
  const failures = faults.filter(({ how }) => how !== "KILL");
  // As much as fits into one argument.
  for (let from = 0; from < failures.length; from += 20) await run(failures.slice(from, from + 20));
  const kills = faults.filter(({ how }) => how === "KILL");
  for (let from = 0; from < kills.length; from += 4)
    await Promise.all(kills.slice(from, from + 4).map((kill) => run([kill])));
  return faults.length;
}

/** A run either says that its disk failed, in full, or was killed, or did not notice: then all was done. */
function expectHonest(outcome: Outcome | undefined, fault: Fault): "failed" | "killed" | "done" {
  if (fault.how === "KILL") {
    expect(outcome).toBeUndefined();
    return "killed";
  }
  if (outcome?.error === undefined) return "done";
  const { name, exit, message, hint } = outcome.error;
  expect([name, exit]).toEqual(["DualsyncError", "local"]);
  expect(message).toContain(`.dualsync/${KEY}.json could not be `);
  expect(message).toContain(`(${fault.how})`);
  expect(hint).toContain("run the same command again");
  return "failed";
}

it.each([
  ["the first write", undefined, 70],
  ["a later write", OLD, 40],
])(
  "the old or the new state is left whole when any call of %s fails or dies",
  async (_what, old, least) => {
    const found = { failed: 0, killed: 0, done: 0 };
    const runs = await underEveryFault("write", old, async (cwd, outcome, fault) => {
      const end = expectHonest(outcome, fault);
      found[end]++;
      const state = new StateFile(cwd, KEY);
      const now = await state.read();
      expect(end === "done" ? [NEW] : [old, NEW]).toContainEqual(now);
      await state.write("again");
      expect(await state.read()).toBe("again");
      if (end !== "killed") expect(temporaries(cwd)).toEqual([]);
    });
    expect(runs).toBeGreaterThan(least);
    // Only the sweep after the write may fail in silence.
    expect(found.done).toBeLessThanOrEqual(2);
    expect(found.failed).toBeGreaterThan(15);
  },
  LONG,
);

it(
  "the check of the state folder fails when any of its calls fails, and leaves no probe file",
  async () => {
    const runs = await underEveryFault("check", OLD, async (cwd, outcome, fault) => {
      const end = expectHonest(outcome, fault);
      expect(end).not.toBe("done");
      expect(await new StateFile(cwd, KEY).read()).toEqual(OLD);
      // Where removing the probe is what fails, it is tried once more.
      if (end === "failed") expect(temporaries(cwd)).toEqual([]);
    });
    expect(runs).toBeGreaterThan(25);
  },
  LONG,
);

it(
  "a removal that fails or dies leaves the whole state or none",
  async () => {
    const runs = await underEveryFault("remove", OLD, async (cwd, outcome, fault) => {
      expect(expectHonest(outcome, fault)).not.toBe("done");
      expect([OLD, undefined]).toContainEqual(await new StateFile(cwd, KEY).read());
    });
    expect(runs).toBeGreaterThan(15);
  },
  LONG,
);

it(
  "a state that could not be read is never taken for a missing state",
  async () => {
    const runs = await underEveryFault("read", OLD, async (cwd, outcome, fault) => {
      expect(expectHonest(outcome, fault)).not.toBe("done");
      expect(await new StateFile(cwd, KEY).read()).toEqual(OLD);
    });
    expect(runs).toBeGreaterThan(15);
  },
  LONG,
);

it("the state file's bytes are made durable before it is renamed, and its name before the write is reported", async () => {
  const cwd = workFolder();
  await new StateFile(cwd, KEY).write(OLD);
  const { calls = [] } = (await inChild({ cwd, act: "write", content: NEW })) ?? {};
  const durable = ["open", "file.writeFile", "file.sync", "file.close", "rename"];
  expect(calls.filter((call) => call !== "lstat")).toEqual([
    ...durable,
    ...["open", "file.sync", "file.close", "readdir"],
  ]);
});

it("a write succeeds where a file system cannot sync folders, but fails where it cannot sync files", async () => {
  const cwd = workFolder();
  await new StateFile(cwd, KEY).write(OLD);
  const { calls = [] } = (await inChild({ cwd, act: "write", content: OLD })) ?? {};
  const withFaultAt = async (index: number): Promise<string | undefined> => {
    const fault: Fault = { at: index + 1, how: "EINVAL", when: "before" };
    return (await inChild({ cwd, act: "write", content: NEW, fault }))?.error?.exit;
  };
  expect(await withFaultAt(calls.indexOf("file.sync"))).toBe("local");
  expect(await new StateFile(cwd, KEY).read()).toEqual(OLD);
  expect(await withFaultAt(calls.lastIndexOf("file.sync"))).toBeUndefined();
  expect(await new StateFile(cwd, KEY).read()).toEqual(NEW);
});

it.each([
  ["ENOSPC", "The disk is full: "],
  ["EDQUOT", "The disk quota is used up: "],
  ["EROFS", "The file system is read-only: "],
  ["EACCES", "Permission is denied: "],
  ["EIO", "The disk failed: "],
  ["EMFILE", "Too many files are open: "],
  ["ESTALE", ""],
])("the error message says what %s means", async (how, reason) => {
  const fault: Fault = { at: 2, how, when: "before" };
  const outcome = await inChild({ cwd: workFolder(), act: "write", content: NEW, fault });
  expect(outcome?.error?.message).toBe(`${reason}.dualsync/${KEY}.json could not be written (${how}).`);
  expect(outcome?.error?.hint).toMatch(/^What was copied is kept\. .* to resume\.$/);
});
