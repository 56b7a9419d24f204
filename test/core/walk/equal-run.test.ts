import fc from "fast-check";
import { expect, it } from "vitest";
import { equalRun } from "../../../src/core/walk/equal-run.ts";
import { Batch } from "../../../src/model/document.ts";
import { doc } from "../../support/data/documents.ts";
import { runs } from "../../support/runs.ts";

/** Documents of two lengths. */
const contents = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 });

it("equalRun counts the equal documents from a position on, wherever the batches begin", () => {
  const document = (v: number) => doc({ _id: v, ...(v === 3 ? { longer: 1 } : {}) });
  const sides = fc.tuple(
    contents,
    contents,
    fc.array(fc.constantFrom(0, 3), { maxLength: 100 }),
    contents,
    contents,
  );
  fc.assert(
    fc.property(sides, ([before, other, shared, left, right]) => {
      const [ours, theirs] = [
        [...before, ...shared, ...left],
        [...other, ...shared, ...right],
      ];
      const [a, b] = [before.length, other.length];
      let expected = 0;
      while (a + expected < ours.length && ours[a + expected] === theirs[b + expected]) expected++;
      const batches = [ours, theirs].map((side) => Batch.of(side.map(document)));
      expect(equalRun(batches[0] as Batch, a, batches[1] as Batch, b)).toBe(expected);
    }),
    { numRuns: runs(500), seed: 3 },
  );
});
