import { describe, expect, it } from "vitest";
import {
  expectedChanges,
  expectedComparison,
  expectedSync,
} from "../../../src/reporting/progress/expected.ts";
import { ProgressLog } from "../../../src/reporting/progress/progress.ts";
import { changePlan, comparison, toCompare } from "../comparison-samples.ts";
import { syncPlan } from "../sync-samples.ts";

function comparing(...documents: (number | undefined)[]): ProgressLog {
  const progress = new ProgressLog(() => 0);
  const collections = documents.map((each, index) =>
    toCompare(`c${index}`, { documents: each, kind: each === undefined ? "definition" : "collection" }),
  );
  progress.expect(expectedComparison(comparison({ collections })));
  return progress;
}

describe("progress of a comparison", () => {
  it('a comparison is in the phase "comparing" from the start, and its views are not counted', () => {
    const progress = comparing(100, 300, undefined);
    expect(progress.snapshot()).toMatchObject({ phase: "comparing", total: 400, collections: 2 });
    progress.meter("c0", 100).advance(50, 5_000);
    expect(progress.snapshot()).toMatchObject({
      phase: "comparing",
      done: 50,
      total: 400,
      bytes: 5_000,
      inFlight: [{ collection: "c0", phase: "comparing", done: 50, total: 100 }],
    });
  });

  it('a comparison stays in the phase "comparing" while a collection is still to come', () => {
    const progress = comparing(100, 300);
    const first = progress.meter("c0", 100);
    first.advance(100, 1);
    first.phase("settling");
    first.advance(7, 1);
    expect(progress.snapshot()).toMatchObject({ phase: "comparing", done: 100, total: 400 });
  });

  it('a comparison changes to the phase "settling" when nothing else is left', () => {
    const progress = comparing(100);
    const meter = progress.meter("c0", 100);
    meter.advance(100, 1);
    meter.phase("settling");
    expect(progress.snapshot().phase).toBe("settling");
  });
});

describe("progress of a repair", () => {
  it("a repair counts all documents to be inserted, replaced and removed", () => {
    const progress = new ProgressLog(() => 0);
    progress.expect(expectedChanges(changePlan()));
    progress.meter("orders", 1_203).advance(3, 1);
    expect(progress.snapshot()).toMatchObject({ phase: "repairing", done: 3, total: 1_203, collections: 1 });
  });
});

describe("progress of a synchronization", () => {
  it("a synchronization compares the keys that the KV store holds", () => {
    const progress = new ProgressLog(() => 0);
    progress.expect(expectedSync(syncPlan()));
    progress.meter("kv_records", 5_000).advance(500, 0);
    expect(progress.snapshot()).toMatchObject({
      phase: "comparing",
      done: 500,
      total: 5_000,
      collections: 1,
    });
  });
});
