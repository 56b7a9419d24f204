import { describe, expect, it } from "vitest";
import type { OpenRestore, RunRecord } from "../../../src/connectors/powers/run-history.ts";
import {
  afterRestore,
  afterUndo,
  completes,
  earlierRestores,
  openRestores,
} from "../../../src/core/restore/open-restores.ts";

function restore(
  run: string,
  mode: string,
  parts: Record<string, string>,
  more: Partial<RunRecord> = {},
): RunRecord {
  return {
    ...{ command: "restore", from: "copy", run, token: "t", verified: false, since: new Date(0) },
    ...{
      complete: false,
      documents: new Map(),
      scope: { mode, collections: new Map(Object.entries(parts)) },
    },
    ...more,
  };
}

const historyOf = (lastRestore: RunRecord) => ({ collections: new Map(), lastRestore });
const runs = (restores: readonly OpenRestore[]) => restores.map(({ run }) => run);
const ALL = { orders: "", people: "" };

/** What is remembered after the second restore ended well. */
function followed(first: RunRecord, second: RunRecord): RunRecord {
  const earlier = afterRestore(earlierRestores(historyOf(first), second.run), second);
  return { ...second, complete: true, earlier };
}

describe("a restore that was interrupted", () => {
  const first = restore("first", "overwrite", ALL);

  it.each([
    ["the same one", restore("2", "overwrite", ALL), true],
    ["one of more collections", restore("2", "overwrite", { ...ALL, log: "" }), true],
    ["one in a stronger mode", restore("2", "exact", ALL), true],
    ["the same one from another copy", restore("2", "overwrite", ALL, { from: "other" }), true],
    ["one in a weaker mode", restore("2", "merge", ALL), false],
    ["one of fewer collections", restore("2", "exact", { orders: "" }), false],
    ["one of a part of a collection", restore("2", "exact", { orders: "", people: "part" }), false],
    ["one of nothing", restore("2", "exact", {}), false],
    [
      "one that does not say what it writes",
      { ...restore("2", "exact", ALL), scope: undefined } as never,
      false,
    ],
  ] as const)("is completed by %s: %#", (_, second, isCompleted) => {
    expect(completes(second, first)).toBe(isCompleted);
    expect(runs(openRestores(historyOf(followed(first, second))))).toEqual(isCompleted ? [] : ["first"]);
  });

  it("is not completed by one from another copy that leaves what is there", () => {
    const [one, other] = [restore("1", "missing", ALL), restore("2", "missing", ALL, { from: "other" })];
    expect([completes(other, one), completes(restore("2", "missing", ALL), one)]).toEqual([false, true]);
  });

  it("is completed as a part by the same part, or by all of it", () => {
    const part = restore("1", "missing", { orders: "part" });
    expect(completes(restore("2", "missing", { orders: "part" }), part)).toBe(true);
    expect(completes(restore("2", "missing", { orders: "" }), part)).toBe(true);
    expect(completes(restore("2", "missing", { orders: "other" }), part)).toBe(false);
  });

  it("in a mode that a later version has is completed by no known one", () => {
    expect(completes(restore("2", "exact", ALL), restore("1", "mirror", ALL))).toBe(false);
  });

  it("is open again when the one that completed it is undone, and not when that one was undone itself", () => {
    const second = followed(first, restore("second", "exact", ALL));
    const undoing = {
      ...second,
      complete: true,
      earlier: afterUndo(earlierRestores(historyOf(second), "second"), "second"),
    };
    expect(runs(openRestores(historyOf(undoing)))).toEqual(["first"]);
    const earlier = afterUndo(earlierRestores(historyOf(second), "first"), "first");
    expect(runs(openRestores(historyOf({ ...first, complete: true, earlier })))).toEqual([]);
  });
});

it("of restores that were completed only the latest are remembered, and of open ones all", () => {
  let last = restore("run 0", "exact", { orders: "" });
  for (let n = 1; n <= 300; n++) {
    const next = restore(`run ${n}`, "exact", n % 2 === 0 ? { orders: "" } : { [`kept${n}`]: "" });
    const earlier = afterRestore(earlierRestores(historyOf(last), next.run), next);
    last = { ...next, earlier };
  }
  const open = openRestores(historyOf(last));
  expect(runs(open).filter((run) => Number(run.slice(4)) % 2 === 1)).toHaveLength(150);
  expect(last.earlier?.length).toBeLessThan(160);
});
