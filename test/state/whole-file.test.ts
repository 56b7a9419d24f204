import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { WholeFile } from "../../src/state/files/whole-file.ts";
import { type Fault, inChild } from "./child.ts";
import { workFolder } from "./state-folder.ts";

/** More than is copied at once. */
const LINES = { lines: 40, length: 60_000 };
const NEW = Array.from({ length: LINES.lines }, (_, n) => `${n} ${"x".repeat(LINES.length)}\n`).join("");
const OLD = "another plan\n";

it("the bytes of a WholeFile are made durable before it is renamed, and its name before the write is reported", async () => {
  const cwd = workFolder();
  const { calls = [], error } = (await inChild({ cwd, act: "whole", content: LINES })) ?? {};
  expect(error).toBeUndefined();
  expect(readFileSync(join(cwd, "repair.plan"), "utf8")).toBe(NEW);
  expect(statSync(join(cwd, "repair.plan")).mode & 0o777).toBe(0o600);
  const reported = calls.filter((call) => ["unlink", "rename", "file.sync"].includes(call));
  expect(reported).toEqual(["unlink", "file.sync", "rename", "file.sync"]);
});

it("writing a WholeFile leaves the old or the new file whole, wherever it fails or dies, and nothing beside it", {
  timeout: 240_000,
}, async () => {
  const calls = (await inChild({ cwd: workFolder(), act: "whole", content: LINES }))?.calls ?? [];
  const ends = { failed: 0, killed: 0 };
  const all: Fault[] = calls.flatMap((_, index) => [
    { at: index + 1, how: "ENOSPC", when: "before" },
    { at: index + 1, how: "KILL", when: "after" },
  ]);
  const kept = all.filter(({ at }) => at < 8 || at > calls.length - 16 || at % 40 === 0);
  const under = async (fault: Fault): Promise<void> => {
    const cwd = workFolder();
    writeFileSync(join(cwd, "repair.plan"), OLD);
    const outcome = await inChild({ cwd, act: "whole", content: LINES, fault });
    const now = readFileSync(join(cwd, "repair.plan"), "utf8");
    expect([OLD, NEW].includes(now), `${JSON.stringify(fault)} ${now.length}`).toBe(true);
    const beside = readdirSync(cwd).filter((name) => name !== "repair.plan");
    if (outcome === undefined) {
      ends.killed++;
      return;
    }
    if (outcome.error === undefined) expect(now).toBe(NEW);
    else {
      ends.failed++;
      expect(outcome.error.exit).toBe("local");
      // Where a name cannot be taken away, it stays.
      if (calls[fault.at - 1] !== "unlink") expect(beside, JSON.stringify(fault)).toEqual([]);
    }
  };
  for (let from = 0; from < kept.length; from += 8) await Promise.all(kept.slice(from, from + 8).map(under));
  expect(ends.failed).toBeGreaterThan(10);
  expect(ends.killed).toBeGreaterThan(10);
});

it("a discarded WholeFile never gets its name", async () => {
  const path = join(workFolder(), "repair.plan");
  const given = await WholeFile.create(path);
  await given.write("some");
  await given.discard();
  await expect(given.commit()).rejects.toThrow();
  expect(existsSync(path)).toBe(false);
});
