import { expect, it } from "vitest";
import { Checkpoint } from "../../../src/core/progress/checkpoint.ts";
import { Losses } from "../../../src/core/progress/losses.ts";
import { Progress, type SavedProgress } from "../../../src/core/progress/progress.ts";
import { fromJson, type SavedRun } from "../../../src/core/progress/saved-run.ts";
import { Tally } from "../../../src/core/progress/tally.ts";
import { id } from "../../support/data/documents.ts";

/** When and what a run writes down, and what it takes up of a former one. */
const reported = { token: "t", since: new Date(0), verify: "content" } as const;
const uids = { source: "s1", target: "t1" };

function former(name: string): SavedProgress {
  const remaining = [{ from: id(5) }];
  return {
    name,
    uids,
    remaining,
    extras: [],
    counts: new Tally(),
    losses: new Losses([]).save(),
    blocked: [],
  };
}

function checkpoint(collections: readonly SavedProgress[] = [], fails: Error[] = []) {
  const written: SavedRun[] = [];
  const failures: unknown[] = [];
  const store = {
    async write(content: unknown) {
      const failure = fails.shift();
      if (failure !== undefined) throw failure;
      written.push(fromJson(JSON.parse(JSON.stringify(content)), "state"));
    },
  };
  const saved: SavedRun = { ...reported, saved: new Date(0), collections };
  const onFailure = (error: unknown): void => void failures.push(error);
  return { written, failures, checkpoint: new Checkpoint({ ...reported, store, saved, onFailure }) };
}

/** Finishes one more range. */
function finishOne(progress: Progress): void {
  const [range] = progress.remaining ?? [];
  if (range !== undefined) progress.commit(range, progress.part());
}

it("flush() writes all progress, however recently it was written before", async () => {
  const { checkpoint: kept, written } = checkpoint();
  const progress = kept.open("orders", uids, new Losses([]));
  progress.begin([{ to: id(1) }, { from: id(1), to: id(2) }, { from: id(2) }]);
  for (const left of [2, 1, 0]) {
    finishOne(progress);
    await kept.flush();
    expect(written.at(-1)?.collections[0]?.remaining).toHaveLength(left);
  }
});

it("keeps the saved progress of collections that the run has not reached", async () => {
  const { checkpoint: kept, written } = checkpoint([former("first"), former("second")]);
  const progress = kept.open("first", uids, new Losses([]));
  progress.begin([{}]);
  finishOne(progress);
  await kept.flush();
  const [run] = written;
  expect(run?.collections.map(({ name, remaining }) => [name, remaining.length]).sort()).toEqual([
    ["first", 0],
    ["second", 1],
  ]);
});

it("resumes only progress of the same source collection and the same copy", () => {
  const { checkpoint: kept } = checkpoint([former("orders")]);
  expect(kept.former("orders", uids)).toBeDefined();
  expect(kept.former("orders", { ...uids, source: "s2" })).toBeUndefined();
  expect(kept.former("orders", { ...uids, target: "t2" })).toBeUndefined();
  expect(kept.former("orders", { source: undefined, target: undefined })).toBeUndefined();
  expect(kept.former("others", uids)).toBeUndefined();
});

it("does not save progress of a collection that is left for a later run", async () => {
  const { checkpoint: kept, written } = checkpoint();
  const [left, done] = ["left", "done"].map((name) => kept.open(name, uids, new Losses([])));
  for (const progress of [left, done]) progress?.begin([{}]);
  left?.leave(left.part());
  if (done !== undefined) finishOne(done);
  await kept.flush();
  expect(written.at(-1)?.collections.map(({ name }) => name)).toEqual(["done"]);
});

it("reports a failed checkpoint write once, and writes nothing more", async () => {
  const broken = new Error("no space");
  const { checkpoint: kept, written, failures } = checkpoint([], [broken]);
  const progress = kept.open("orders", uids, new Losses([]));
  progress.begin([{ to: id(1) }, { from: id(1) }]);
  finishOne(progress);
  await kept.flush();
  finishOne(progress);
  await kept.flush();
  expect([written, failures]).toEqual([[], [broken]]);
});

it("extra documents are saved with the part of a range that holds them, not with the rest of the range", () => {
  const progress = new Progress("orders", uids, new Losses([]), () => {});
  progress.begin([{ from: id(1), to: id(9) }]);
  const [range] = progress.remaining ?? [];
  if (range === undefined) throw new RangeError("no range");
  for (const [extra, upTo] of [
    [2, id(5)],
    [1, undefined],
  ] as const) {
    const part = progress.part();
    part.tally.extra = extra;
    progress.commit(range, part, upTo);
  }
  expect(progress.extras.map(({ range, documents }) => [range.from?.key, range.to?.key, documents])).toEqual([
    [id(1).key, id(5).key, 2],
    [id(5).key, id(9).key, 1],
  ]);
});
