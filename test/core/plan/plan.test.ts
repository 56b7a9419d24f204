import { expect, it } from "vitest";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import { makePlan } from "../../../src/core/plan/plan.ts";

function held(name: string, bytes: number): CollectionInfo {
  return {
    ...{ name, bytes, kind: "collection", type: "collection" },
    ...{ options: new Map(), ordered: true, documents: bytes / 10 },
  };
}

it("the estimated target size adds what each collection has grown by, and subtracts nothing for shrunken ones", () => {
  const jobs = [held("new", 500), held("grown", 300), held("shrunk", 100)].map((from) => ({
    ...{ from, to: from, doubts: [] },
  }));
  const target = { collections: [held("grown", 200), held("shrunk", 900)], notCopied: [] };
  const options = {
    ...{ command: "duplicate", source: "shop", target: "copy", notes: [] },
    ...{ delete: false, allowShrink: false, dryRun: false },
  };
  const plan = makePlan({ jobs, notCopied: [], copies: new Set() }, target, new Map(), options);
  expect(plan).toMatchObject({ bytes: 900, documents: 90, estimatedTargetBytes: 600 });
  expect(plan.collections.map(({ source, action }) => [source, action])).toEqual([
    ["new", "create"],
    ["grown", "update"],
    ["shrunk", "update"],
  ]);
});
