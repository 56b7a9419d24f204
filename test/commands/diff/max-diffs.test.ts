import { expect, it } from "vitest";
import { Findings } from "../../../src/commands/diff/findings.ts";
import type { RawDifference } from "../../../src/core/compare/diff-job.ts";
import type { Reporter } from "../../../src/model/reporter.ts";
import { id } from "../../support/data/documents.ts";

function missing(n: number): RawDifference {
  return {
    key: `document orders/${n}`,
    ...{ kind: "missing", sigil: "+", state: "stable", collection: "orders", targetCollection: "orders" },
    ...{ id: String(n), fields: [], moreFields: 0, rounds: 2 },
  };
}

it("ends at --max-diffs even if two collections find differences while the plan is written", async () => {
  let ended = 0;
  let write = (): void => undefined;
  const written = new Promise<void>((resolve) => {
    write = resolve;
  });
  const findings = new Findings({
    reporter: { ready: async () => undefined, difference: () => undefined } as unknown as Reporter,
    ...{ accept: [], oneWay: false, seen: new Map(), maxDiffs: 1 },
    plan: { row: () => written },
    onLimit: () => ended++,
  });
  const taken = [1, 2].map((n) => findings.take(missing(n), id(n)));
  write();
  await Promise.all(taken);
  expect([findings.counted, ended > 0]).toEqual([2, true]);
});
