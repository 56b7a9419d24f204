import { expect, it } from "vitest";
import { checkCounts } from "../../../src/core/copy/check-counts.ts";
import type { Job } from "../../../src/core/copy/job.ts";
import { Losses } from "../../../src/core/progress/losses.ts";
import { doc } from "../../support/data/documents.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";
import { never } from "../../support/signal.ts";

interface Numbers {
  /** What each side held when the run began, and holds now. */
  readonly source: readonly [before: number, now: number];
  readonly target: readonly [before: number, now: number];
  /** Documents of the target when the last run ended. */
  readonly last: number;
  /** Documents that changed in the source while it was read. */
  readonly moving?: number;
}

/** Why an incremental copy is incomplete; undefined if it is complete. */
async function lacking({ source, target, last, moving = 0 }: Numbers): Promise<string | undefined> {
  const held = (count: number) => new MemoryStore(Array.from({ length: count }, (_, _id) => doc({ _id })));
  const losses = new Losses([]);
  const job = {
    source: Object.assign(held(source[1]), { changes: { count: async () => moving } }),
    target: held(target[1]),
    ...{ from: { name: "orders" }, to: { name: "orders" } },
    ...{ heldBefore: last, since: new Date(0), losses, signal: never },
  } as unknown as Job;
  const complete = await checkCounts(job, { at: new Date(), source: source[0], target: target[0] });
  expect(losses.total).toBe(complete ? 0 : 1);
  return losses.items[0]?.reason;
}

it("an incremental copy whose counts agree is complete, even while documents come and go", async () => {
  expect(await lacking({ source: [9, 9], target: [9, 9], last: 9 })).toBeUndefined();
  expect(await lacking({ source: [9, 12], target: [9, 9], last: 9 })).toBeUndefined();
  expect(await lacking({ source: [12, 9], target: [9, 9], last: 9 })).toBeUndefined();
  expect(await lacking({ source: [12, 12], target: [9, 10], last: 9, moving: 2 })).toBeUndefined();
});

it("an incremental copy that misses more documents than are changing, or has lost some, is reported as a loss", async () => {
  const misses = /holds 9 of 10 documents/;
  expect(await lacking({ source: [10, 10], target: [9, 9], last: 9 })).toMatch(misses);
  expect(await lacking({ source: [12, 12], target: [9, 9], last: 9, moving: 2 })).toMatch(/holds 9 of 12/);
  const lost = /has lost 2 documents since the last run/;
  expect(await lacking({ source: [7, 7], target: [7, 7], last: 9 })).toMatch(lost);
});
