import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { isDead, type ProcessIdentity, thisProcess } from "../../src/state/process/process-identity.ts";
import { runs } from "../support/runs.ts";

const LINUX = existsSync("/proc/self/ns/pid");
const MODULE = pathToFileURL(resolve("dist/state/process/process-identity.js")).href;

const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** The first line that a process prints, and the process, which lives on. */
async function start(
  command: string,
  args: readonly string[],
): Promise<{ line: string; child: ChildProcess }> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  let text = "";
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => fail(new Error(`It ended with ${code}.`)));
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      const end = text.indexOf("\n");
      if (end !== -1) done({ line: text.slice(0, end), child });
    });
  });
}

/** The code of a process that says who it is and lives on. */
const says = (title: string): string =>
  `process.title = ${JSON.stringify(title)};
   const { thisProcess } = await import(${JSON.stringify(MODULE)});
   console.log(JSON.stringify(thisProcess()));
   setInterval(() => {}, 1000);`;

async function startNode(title = "node"): Promise<{ identity: ProcessIdentity; child: ChildProcess }> {
  const { line, child } = await start(process.execPath, ["--input-type=module", "-e", says(title)]);
  return { identity: JSON.parse(line) as ProcessIdentity, child };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await ended;
}

describe("identity of this process", () => {
  it("this process is identified by host and pid, and is not dead", () => {
    expect(thisProcess()).toMatchObject({ host: hostname(), pid: process.pid });
    expect(thisProcess()).toEqual(thisProcess());
    expect(isDead(thisProcess())).toBe(false);
  });
});

describe.runIf(LINUX)("identity of processes on Linux", () => {
  it.each(["node", "a b) Z 1 (c", ") Z 1 1 1 1", "((((", "))))"])(
    "a process is dead once it has ended, and not before, whatever its name: %s",
    async (title) => {
      const { identity, child } = await startNode(title);
      expect(readFileSync(`/proc/${child.pid}/comm`, "utf8")).toBe(`${title}\n`);
      expect(identity).toEqual({
        ...thisProcess(),
        pid: child.pid,
        started: expect.stringMatching(/^\d+$/),
      });
      expect(isDead(identity)).toBe(false);
      await end(child);
      expect(isDead(identity)).toBe(true);
      expect(isDead({ ...identity, started: "1" })).toBe(true);
    },
  );

  it("a process is dead when another process has taken its pid", () => {
    const own = thisProcess();
    expect(isDead({ ...own, started: String(Number(own.started) - 1) })).toBe(true);
  });

  it("a zombie process is dead", async () => {
    const parent = `require("node:child_process").spawn(process.execPath,
      ["--input-type=module", "-e", ${JSON.stringify(says("node"))}], { stdio: "inherit" });`;
    const { line, child } = await start(process.execPath, ["-e", parent]);
    const identity = JSON.parse(line) as ProcessIdentity;
    expect(isDead(identity)).toBe(false);
    // A parent that is stopped takes no note of its children's ends.
    child.kill("SIGSTOP");
    process.kill(identity.pid, "SIGKILL");
    await expect.poll(() => isDead(identity)).toBe(true);
    expect(readFileSync(`/proc/${identity.pid}/stat`, "latin1")).toMatch(/^\d+ \(.*\) Z /);
  });

  it("a process of another machine, or of an unknown one, is never called dead", async () => {
    const { identity, child } = await startNode();
    await end(child);
    const { machine = "", ...unknown } = identity;
    expect(machine).toMatch(/^[0-9a-f]{32}$/);
    expect(isDead(unknown)).toBe(false);
    expect(
      isDead({ ...identity, machine: machine.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) }),
    ).toBe(false);
  });
});

it("a malformed process identity is never called dead", async () => {
  const junk = fc.oneof(fc.anything(), fc.string({ size: "large" }), fc.double());
  const own = thisProcess();
  const hostile = fc.oneof(
    fc.record({ pid: junk.filter((pid) => !Number.isInteger(pid)) }),
    fc.record({ pid: fc.constantFrom(0, -1, -process.pid, 2 ** 31, 2 ** 32 + process.pid, 1e300) }),
    fc.record({ machine: junk.filter((machine) => machine !== own.machine) }),
    fc.record({ started: junk.filter((text) => text !== undefined && !/^\d{1,20}$/.test(String(text))) }),
    fc.record({ started: fc.constantFrom(Number(own.started) - 1, [`1`], "1 ", "١", "1".repeat(21)) }),
  );
  fc.assert(
    fc.property(hostile, (part) => !isDead({ ...own, pid: 2_147_483_646, ...part } as ProcessIdentity)),
    { seed: 20_261_121, numRuns: runs(3000) },
  );
});
