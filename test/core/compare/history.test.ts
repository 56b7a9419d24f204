import { expect, it } from "vitest";
import { memoryFromJson, memoryToJson, NOTHING } from "../../../src/core/compare/progress/diff-history.ts";

it("the history of comparisons keeps the last thirty, newest first", () => {
  const past = Array.from({ length: 40 }, (_, n) => ({
    ...{ started: new Date(1e12 - n), ended: new Date(1e12 - n), verdict: "Identical." },
    ...{ exitCode: 0, documents: n, differences: 0 },
  }));
  const written: unknown = JSON.parse(JSON.stringify(memoryToJson({ ...NOTHING, past })));
  expect(memoryFromJson(written, "state").past).toEqual(past.slice(0, 30));
});
