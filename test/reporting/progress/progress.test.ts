import { describe, expect, it } from "vitest";
import { expectedCopy } from "../../../src/reporting/progress/expected.ts";
import { ProgressLog } from "../../../src/reporting/progress/progress.ts";
import { plan, planned } from "../samples.ts";

function clock() {
  let now = 1_000;
  return { now: () => now, pass: (milliseconds: number) => (now += milliseconds) };
}

function expecting(...documents: number[]) {
  const time = clock();
  const progress = new ProgressLog(time.now);
  const collections = documents.map((each, index) => planned(`c${index}`, { documents: each }));
  progress.expect(
    expectedCopy(plan({ collections, documents: documents.reduce((sum, each) => sum + each, 0) })),
  );
  return { time, progress };
}

describe("progress", () => {
  it("includes collections that are still to come in the total from the start", () => {
    const { progress } = expecting(100, 300);
    progress.meter("c0", 100).advance(50, 5_000);
    expect(progress.snapshot()).toMatchObject({
      phase: "copying",
      done: 50,
      total: 400,
      bytes: 5_000,
      collections: 2,
      collectionsDone: 0,
      inFlight: [{ collection: "c0", phase: "copying", done: 50, total: 100 }],
    });
  });

  it('stays in the phase "copying" while a collection is still to come, even if another is being verified', () => {
    const { progress } = expecting(100, 300);
    const first = progress.meter("c0", 100);
    first.advance(100, 1);
    first.phase("verifying");
    first.advance(40, 1);
    const now = progress.snapshot();
    expect(now).toMatchObject({ phase: "copying", done: 100, total: 400 });
    expect(now.inFlight).toEqual([{ collection: "c0", phase: "verifying", done: 40, total: 100 }]);
  });

  it("changes to verifying, then to building indexes, when nothing else is left", () => {
    const { progress } = expecting(100);
    const meter = progress.meter("c0", 100);
    meter.advance(100, 1);
    meter.phase("verifying");
    meter.advance(30, 1);
    expect(progress.snapshot()).toMatchObject({ phase: "verifying", done: 30, total: 100 });
    meter.phase("building indexes");
    expect(progress.snapshot().phase).toBe("building indexes");
  });

  it("expects to verify as many documents as were copied, not as many as were estimated", () => {
    const { progress } = expecting(100);
    const meter = progress.meter("c0", 100);
    meter.advance(60, 1);
    meter.phase("verifying");
    expect(progress.snapshot()).toMatchObject({ phase: "verifying", total: 60, inFlight: [{ total: 60 }] });
  });

  it("counts a comparison, which copies nothing, from its first document", () => {
    const { progress } = expecting(100, 300);
    const meter = progress.meter("c0", 100);
    meter.phase("verifying");
    meter.advance(50, 1);
    expect(progress.snapshot()).toMatchObject({ phase: "verifying", done: 50, total: 400 });
  });

  it("replaces estimates with counts, whether they were too low or too high", () => {
    const { progress } = expecting(100, 100);
    const low = progress.meter("c0", 100);
    low.advance(150, 1);
    expect(progress.snapshot()).toMatchObject({ done: 150, total: 250 });
    const high = progress.meter("c1", 100);
    high.advance(60, 1);
    low.end();
    high.end();
    expect(progress.snapshot()).toMatchObject({ done: 210, total: 210, collectionsDone: 2, inFlight: [] });
  });

  it("counts a collection as done only once, however often end() is called", () => {
    const { progress } = expecting(100);
    const meter = progress.meter("c0", 100);
    meter.advance(100, 1);
    meter.end();
    meter.end();
    expect(progress.snapshot()).toMatchObject({ done: 100, collectionsDone: 1 });
  });

  it("takes the rate from the last seconds and the remaining time from the average", () => {
    const { time, progress } = expecting(10_000);
    time.pass(60_000); // connecting is not copying
    const meter = progress.meter("c0", 10_000);
    for (let second = 0; second < 20; second += 1) {
      time.pass(1_000);
      meter.advance(second < 10 ? 100 : 300, 1);
      progress.snapshot();
    }
    const { rate, remaining } = progress.snapshot();
    expect(rate).toBeGreaterThan(290);
    expect(rate).toBeLessThanOrEqual(300);
    expect(remaining).toBe((6_000 / 4_000) * 20_000);
  });

  it("gives no rate and no remaining time at the very start or while nothing moves", () => {
    const { time, progress } = expecting(10_000);
    const meter = progress.meter("c0", 10_000);
    meter.advance(100, 1);
    time.pass(500);
    expect(progress.snapshot()).toMatchObject({ rate: undefined, remaining: undefined });
    for (let second = 0; second < 30; second += 1) {
      time.pass(1_000);
      progress.snapshot();
    }
    expect(progress.snapshot().rate).toBeUndefined();
  });
});
