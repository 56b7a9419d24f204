import { beforeEach, expect, it } from "vitest";
import type { CopyingOptions } from "../../../src/commands/copy/copy-options.ts";
import { findSaved } from "../../../src/commands/copy/resume.ts";
import type { RunRecord } from "../../../src/connectors/powers/run-history.ts";
import type { VerifyMode } from "../../../src/core/plan/verify-mode.ts";
import { weaker } from "../../../src/core/plan/verify-mode.ts";
import { type SavedRun, toJson } from "../../../src/core/progress/saved-run.ts";
import { StateFile } from "../../../src/state/job/state-file.ts";
import { KEY, workFolder } from "../../state/state-folder.ts";

/** Whether an interrupted run is resumed. */
const HOUR = 3_600_000;
const lastRun: RunRecord = {
  ...{ command: "duplicate", from: "there", run: "r", token: "t", since: new Date(0) },
  ...{ complete: false, verified: false, documents: new Map() },
};

let state: StateFile;
beforeEach(() => {
  state = new StateFile(workFolder(), KEY);
});

interface Case {
  /** Hours ago. */
  readonly age?: number;
  readonly saved?: Partial<SavedRun>;
  readonly lastRun?: Partial<RunRecord>;
  readonly verify?: VerifyMode;
  readonly restart?: boolean;
}

/** Why the saved run is not resumed: in words, or silently; or that it is resumed. */
async function decision({ age = 1, verify = "content", restart = false, ...of }: Case): Promise<string> {
  const saved = new Date(Date.now() - age * HOUR);
  const run: SavedRun = {
    ...{
      token: "t",
      since: new Date(Date.now() - 2 * 86_400_000),
      saved,
      verify: "content",
      collections: [],
    },
    ...of.saved,
  };
  await state.write(toJson(run));
  const options: Partial<CopyingOptions> = { state, verify, restart };
  const reported: string[] = [];
  const history = { lastRun: { ...lastRun, ...of.lastRun }, collections: new Map() };
  const found = await findSaved(options as CopyingOptions, history, (reason) => reported.push(reason));
  if (found !== undefined) expect(found).toEqual(run);
  return found === undefined ? `no: ${reported.join()}` : "yes";
}

it.each<[string, Case, RegExp]>([
  ["resumes a run that was saved today", {}, /^yes$/],
  ["resumes a run that was saved nearly a day ago", { age: 23.9 }, /^yes$/],
  [
    "does not resume a run that was saved more than a day ago",
    { age: 24.1 },
    /more than a day old\. Everything is read again/,
  ],
  [
    "does not resume a run that began more than a week ago, however often it was resumed",
    { saved: { since: new Date(Date.now() - 7.1 * 86_400_000) } },
    /began more than a week ago\. Everything is read again/,
  ],
  ["resumes a run saved by a clock that is a little ahead", { age: -0.9 }, /^yes$/],
  ["does not resume a run that was saved in the future", { age: -1.1 }, /\. Everything is read again/],
  [
    "does not resume another run than the target's",
    { lastRun: { token: "u" } },
    /another run has written to the target since/,
  ],
  ["does not resume a run that finished", { lastRun: { complete: true } }, /^no: $/],
  [
    "does not resume a run when another one finished since",
    { lastRun: { token: "u", complete: true } },
    /another run/,
  ],
  [
    "does not resume a run that verified less than this one does",
    { saved: { verify: "counts" } },
    /verified less \(--verify counts\) than this run/,
  ],
  [
    "does not resume a run that verified nothing",
    { saved: { verify: "none" }, verify: "counts" },
    /--verify none/,
  ],
  ["resumes a run that verified more than this one does", { verify: "none" }, /^yes$/],
  ["does not resume a run with --restart", { restart: true }, /^no: $/],
])("findSaved %s", async (_, of, wanted) => {
  expect(await decision(of)).toMatch(wanted);
});

it("a resumed run claims no more than the weaker verification of both runs", () => {
  expect([weaker("none", "content"), weaker("content", "counts")]).toEqual(["none", "counts"]);
});
