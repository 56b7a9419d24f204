import { spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { listRuns } from "../../../../src/connectors/archive/run/list-runs.ts";
import { beginRun } from "../../../../src/connectors/archive/run/run-sink.ts";
import type { Fault, Outcome } from "../../../state/child.ts";
import { newFolder } from "../blocks/block-files.ts";
import { contentOf, options, snapshot } from "./runs.ts";

/** For tests of many processes. */
const TIMEOUT = 240_000;
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 16);

interface ArchiveWork {
  readonly folder: string;
  readonly act: "write" | "prune";
  readonly run: string;
  readonly gzip: boolean;
  readonly documents: number;
  readonly fault?: Fault;
}

/** What came of each piece of work that one process does; of those after which it was killed there is none. `shell`: runs before. */
async function inChild(works: readonly ArchiveWork[], shell = ""): Promise<readonly Outcome[]> {
  const args = ["test/connectors/archive/run/run-child.js", JSON.stringify(works)];
  const child =
    shell === ""
      ? spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
      : spawn("sh", ["-c", `${shell}; exec "$0" "$@"`, process.execPath, ...args], {
          stdio: ["ignore", "pipe", "inherit"],
        });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((done, fail) => {
    child.once("error", fail);
    child.once("close", (...end) => done(end));
  });
  if (code !== 0 && signal !== "SIGKILL") throw new Error(`The child ended with ${code ?? signal}.`);
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Outcome);
}

const ended = (folder: string, fault?: Fault): ArchiveWork => ({
  folder,
  act: "write",
  run: "00000002",
  gzip: true,
  documents: 30,
  ...(fault === undefined ? {} : { fault }),
});

beforeAll(() => {
  if (!existsSync("dist/connectors/archive/run/run-sink.js")) throw new Error("Run npm run build first.");
});

/** A folder with one run, and how it looks. */
async function withOneRun(): Promise<string> {
  const folder = newFolder();
  await inChild([{ ...ended(folder), run: "00000001" }]);
  return folder;
}

function copyOf(folder: string): string {
  const copy = join(newFolder(), "copy");
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** A process that dies after a call is one that dies before the next. */
function faultsAt(calls: readonly string[], hows: readonly string[]): Fault[] {
  return calls.flatMap((call, index) =>
    hows.flatMap((how) => {
      const half = call === "file.writeFile" ? (["half"] as const) : [];
      const after = how === "KILL" ? [] : (["after"] as const);
      return (["before", ...half, ...after] as const).map((when) => ({ at: index + 1, how, when }));
    }),
  );
}

/** Of many faults every fifth, and the last ones, where little is left to do. */
function sampled(faults: readonly Fault[]): readonly Fault[] {
  return LONG ? faults : faults.filter((_, at) => at % 5 === SEED % 5 || at >= faults.length - 3);
}

async function inGroups<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += 4) await Promise.all(all.slice(from, from + 4).map(work));
}

it(
  "a run that is killed at any call is there whole or not at all, and the earlier one stays",
  async () => {
    const start = await withOneRun();
    const earlier = snapshot(start);
    const [outcome] = await inChild([ended(copyOf(start))]);
    const faults = faultsAt(outcome?.calls ?? [], ["KILL"]);
    expect(faults.length).toBeGreaterThan(50);
    const found = { whole: 0, none: 0 };
    await inGroups(sampled(faults), async (fault) => {
      const folder = copyOf(start);
      expect(await inChild([ended(folder, fault)])).toEqual([]);
      const runs = await listRuns(folder);
      expect(runs.map(({ problem }) => problem)).toEqual(runs.map(() => undefined));
      for (const { name } of runs) await contentOf(folder, name);
      found[runs.length === 2 ? "whole" : "none"]++;
      const now = snapshot(folder);
      for (const [path, bytes] of earlier) expect(now.get(path)).toBe(bytes);
      const later = new Date(Date.now() + 48 * 3_600_000);
      await (await beginRun(folder, options({ now: () => later }))).discard();
      expect(readdirSync(folder).sort()).toEqual(runs.map(({ name }) => name));
    });
    expect(found.whole).toBeGreaterThan(0);
    expect(found.none).toBeGreaterThan(LONG ? 40 : 10);
  },
  TIMEOUT,
);

it(
  "a full or failing disk ends a run with an error of this machine, leaves nothing of it, and the earlier one as it was",
  async () => {
    const start = await withOneRun();
    const earlier = snapshot(start);
    const [outcome] = await inChild([ended(copyOf(start))]);
    const faults = sampled(faultsAt(outcome?.calls ?? [], ["ENOSPC", "EIO"]));
    for (let from = 0; from < faults.length; from += 20) {
      const works = faults.slice(from, from + 20).map((fault) => ended(copyOf(start), fault));
      const outcomes = await inChild(works);
      expect(outcomes).toHaveLength(works.length);
      for (const [index, { error }] of outcomes.entries()) {
        const { folder, fault } = works[index] as ArchiveWork;
        expect(error, JSON.stringify(fault)).toMatchObject({ name: "DualsyncError", exit: "local" });
        expect(snapshot(folder)).toEqual(earlier);
        expect(readdirSync(folder)).toHaveLength(1);
      }
    }
  },
  TIMEOUT,
);

it("a file that cannot grow ends a run as a full disk does", async () => {
  const folder = await withOneRun();
  const earlier = snapshot(folder);
  const [outcome] = await inChild([{ ...ended(folder), gzip: false, documents: 3000 }], "ulimit -f 64");
  expect(outcome?.error).toMatchObject({ name: "DualsyncError", exit: "local" });
  expect(outcome?.error?.message).toMatch(
    /no file of that size: .*orders\.bson could not be written \(EFBIG\)/,
  );
  expect(snapshot(folder)).toEqual(earlier);
  expect(readdirSync(folder)).toHaveLength(1);
});

it(
  "pruning that is killed at any call leaves each run whole or none of it",
  async () => {
    const start = await withOneRun();
    await inChild([ended(start)]);
    const prune = (folder: string): ArchiveWork => ({ ...ended(folder), act: "prune" });
    const [outcome] = await inChild([prune(copyOf(start))]);
    const faults = faultsAt(outcome?.calls ?? [], ["KILL"]);
    expect(faults.length).toBeGreaterThan(4);
    await inGroups(faults, async (fault) => {
      const folder = copyOf(start);
      expect(await inChild([{ ...prune(folder), fault }])).toEqual([]);
      const runs = await listRuns(folder);
      expect(runs.at(-1)?.run).toBe("00000002");
      for (const { name } of runs) await contentOf(folder, name);
    });
  },
  TIMEOUT,
);
