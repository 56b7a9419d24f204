import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BatchPace, LARGEST_BATCH } from "../../../../src/connectors/mongodb/connection/pace.ts";

/** Round trips one after the other on a line of so many bytes a second; ends when nothing changes any more. */
function onLine(rate: number, deadline: number): { pace: BatchPace; trips: number[] } {
  const pace = new BatchPace();
  const trips: number[] = [];
  for (let i = 0; i < 40; i++) {
    const asked = pace.bytes;
    const milliseconds = (asked / rate) * 1e3;
    trips.push(Math.min(milliseconds, deadline));
    if (milliseconds > deadline) pace.failed(asked);
    else pace.arrived({ asked, bytes: asked, milliseconds });
  }
  return { pace, trips };
}

describe("pace of reads", () => {
  it("starts with batches of 4 MB and keeps that size on a fast line", () => {
    expect(new BatchPace().bytes).toBe(4_000_000);
    expect(onLine(100_000_000, 120_000).pace.bytes).toBe(LARGEST_BATCH);
  });

  it("reaches round trips of at most two seconds on any line that can carry the smallest batch in that time", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10_000, max: 50_000_000 }),
        fc.integer({ min: 3_000, max: 120_000 }),
        (rate, deadline) => {
          const { pace, trips } = onLine(rate, deadline);
          const last = trips.slice(-5);
          expect(Math.max(...last)).toBeLessThanOrEqual(2_000);
          if (pace.bytes < LARGEST_BATCH && pace.bytes > 16_384)
            expect(Math.min(...last)).toBeGreaterThanOrEqual(250);
        },
      ),
    );
  });

  it("keeps batches between 16 KB and 4 MB, whatever happens", () => {
    const trip = fc.record({ bytes: fc.nat(50_000_000), milliseconds: fc.nat(200_000), fails: fc.boolean() });
    fc.assert(
      fc.property(fc.array(trip, { maxLength: 60 }), (trips) => {
        const pace = new BatchPace();
        for (const { bytes, milliseconds, fails } of trips) {
          if (fails) pace.failed(pace.bytes);
          else pace.arrived({ asked: pace.bytes, bytes, milliseconds });
          expect(pace.bytes).toBeGreaterThanOrEqual(16_384);
          expect(pace.bytes).toBeLessThanOrEqual(LARGEST_BATCH);
          expect(pace.cautiousBytes).toBeLessThanOrEqual(pace.bytes);
        }
      }),
    );
  });

  it("lowers the batch size once when several ranges are slow or fail together", () => {
    const pace = new BatchPace();
    const asked = pace.bytes;
    for (let range = 0; range < 4; range++) pace.arrived({ asked, bytes: asked, milliseconds: 3_000 });
    expect(pace.bytes).toBe(asked / 2);
    for (let range = 0; range < 4; range++) pace.failed(asked);
    expect(pace.bytes).toBe(asked / 8);
  });

  it("does not raise the batch size after small batches", () => {
    const pace = new BatchPace();
    pace.failed(pace.bytes);
    const lowered = pace.bytes;
    pace.arrived({ asked: lowered, bytes: 300, milliseconds: 1 });
    expect(pace.bytes).toBe(lowered);
    pace.arrived({ asked: lowered, bytes: lowered, milliseconds: 1 });
    expect(pace.bytes).toBe(2 * lowered);
  });

  it("raises the cautious batch size only in steps from what has arrived before", () => {
    const pace = new BatchPace();
    expect(pace.cautiousBytes).toBe(262_144);
    pace.arrived({ asked: pace.bytes, bytes: 262_144, milliseconds: 50 });
    expect(pace.cautiousBytes).toBe(524_288);
    pace.failed(pace.bytes);
    expect(pace.cautiousBytes).toBe(262_144);
  });
});
