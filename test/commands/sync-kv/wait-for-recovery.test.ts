import { describe, expect, it } from "vitest";
import { waitForRecovery } from "../../../src/commands/sync-kv/wait-for-recovery.ts";
import { DualsyncError } from "../../../src/model/errors.ts";
import { failureOf } from "../../support/stores/scripted-project.ts";

/** Looks at a store that is down, without the waits between them. */
const down = () => new DualsyncError("source", "Connection refused.", { retryable: true });
const quota = () => new DualsyncError("source", "The quota is used up.", { reason: "quota" });
const busy = (retryAfter: number) =>
  new DualsyncError("source", "Too many requests.", { reason: "throttled", retryable: true, retryAfter });

const MINUTE = 60_000;

/** `looks`: what each look ends with; undefined: the store serves. @returns milliseconds before each */
async function waits(
  first: DualsyncError,
  looks: readonly (DualsyncError | undefined)[],
  stopAfter = Number.POSITIVE_INFINITY,
): Promise<{ readonly pauses: number[]; readonly notes: string[] }> {
  const stopper = new AbortController();
  const pauses: number[] = [];
  const notes: string[] = [];
  const left = [...looks];
  let time = 0;
  await waitForRecovery(first, {
    role: "source",
    signal: stopper.signal,
    note: (message) => notes.push(message),
    clock: {
      now: () => time,
      async wait(milliseconds, signal) {
        pauses.push(milliseconds);
        time += milliseconds;
        if (time > stopAfter) stopper.abort(new DualsyncError("inconclusive", "Time is up."));
        signal.throwIfAborted();
      },
    },
    async probe() {
      if (left.length === 0) throw new Error("one look too many");
      const failure = left.shift();
      if (failure !== undefined) throw failure;
    },
  });
  expect(left).toEqual([]);
  return { pauses, notes };
}

function between(
  pauses: readonly number[],
  bounds: readonly (readonly [least: number, most: number])[],
): void {
  expect(pauses).toHaveLength(bounds.length);
  for (const [at, [least, most]] of bounds.entries()) {
    expect(pauses[at]).toBeGreaterThanOrEqual(least);
    expect(pauses[at]).toBeLessThanOrEqual(most);
  }
}

describe("a store that is waited for", () => {
  it("is believed to serve again after two good looks in a row", async () => {
    const { pauses } = await waits(down(), [undefined, undefined]);
    between(pauses, [
      [500, 1_000],
      [1_000, 1_000],
    ]);
    const again = await waits(down(), [undefined, down(), undefined, undefined]);
    expect(again.pauses).toHaveLength(4);
  });

  it("is looked at soon where it broke, and ever later up to a quarter of an hour", async () => {
    const { pauses } = await waits(down(), [...Array.from({ length: 12 }, down), undefined, undefined]);
    between(pauses.slice(0, 4), [
      [500, 1_000],
      [1_000, 2_000],
      [2_000, 4_000],
      [4_000, 8_000],
    ]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(15 * MINUTE);
    expect(pauses[12]).toBeGreaterThanOrEqual(7.5 * MINUTE);
  });

  it("is looked at after a minute at the earliest where its quota is used up", async () => {
    const { pauses, notes } = await waits(quota(), [quota(), quota(), undefined, undefined]);
    between(pauses.slice(0, 3), [
      [MINUTE, 2 * MINUTE],
      [2 * MINUTE, 4 * MINUTE],
      [4 * MINUTE, 8 * MINUTE],
    ]);
    expect(notes[0]).toBe("The quota is used up. Waiting until KV serves again.");
    expect(notes[1]).toMatch(/^The next look at KV is in about \d+/);
  });

  it("is not looked at while it asks to wait, however long that is", async () => {
    const { pauses } = await waits(busy(5_000), [busy(40 * MINUTE), undefined, undefined]);
    expect(pauses[0]).toBeGreaterThanOrEqual(5_000);
    expect(pauses[0]).toBeLessThan(7_000);
    expect(pauses[1]).toBeGreaterThanOrEqual(40 * MINUTE);
  });

  it("is waited for whatever it answers, as long as it does not refuse the token", async () => {
    const page = new DualsyncError("source", "It does not answer as the REST API of Upstash.");
    await waits(quota(), [page, undefined, undefined]);
    const denied = new DualsyncError("denied", "It refuses the token.");
    expect(await failureOf(waits(down(), [down(), denied]))).toBe(denied);
    const other = new DualsyncError("target", "MongoDB is down.");
    expect(await failureOf(waits(down(), [other]))).toBe(other);
  });

  it("is waited for as long as there is time", async () => {
    const looks = Array.from({ length: 50 }, quota);
    expect(await failureOf(waits(quota(), looks, 30 * MINUTE))).toMatchObject({ exit: "inconclusive" });
  });
});
