import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Clocks, type HeldLease, keepLease } from "../../src/connectors/lease/lease-renewal.ts";

/** For how long a lease is believed, by nothing but the clock. */
beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "setTimeout", "performance", "Date"] }));
afterEach(() => void vi.useRealTimers());

interface Renewal {
  readonly after: number;
  readonly isOurs: boolean;
}

/**
 * Answers each renewal after so many seconds; later renewals fail. `released` collects whether the lease was certain when it
 * was released.
 */
function kept(released: boolean[], ...answers: readonly Renewal[]): HeldLease {
  const left = [...answers];
  const place = {
    ...{ label: "test", nonce: "n" },
    async renew(): Promise<boolean> {
      const answer = left.shift();
      if (answer === undefined) throw new Error("out of reach");
      await new Promise((resolve) => setTimeout(resolve, answer.after * 1e3));
      return answer.isOurs;
    },
    async record() {},
    async release(certain: boolean) {
      released.push(certain);
    },
  };
  return keepLease(place, new Clocks());
}

async function pass(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1e3);
}

it("a lease is believed from the moment when its renewal was asked for, not from when it was answered", async () => {
  const lease = kept([], { after: 25, isOurs: true });
  await pass(79);
  await lease.hold();
  await pass(2);
  await expect(lease.hold()).rejects.toMatchObject({ exit: "locked" });
  expect(lease.lost.aborted).toBe(true);
});

it("a lease is released as certain only within half its time after the last renewal", async () => {
  const released: boolean[] = [];
  for (const seconds of [29, 31]) {
    const lease = kept(released);
    await pass(seconds);
    await lease.release();
  }
  expect(released).toEqual([true, false]);
});

it("no run record is written under a lease that could not be renewed for longer than it lasts", async () => {
  const lease = kept([]);
  await pass(61);
  const record = {
    ...{ command: "duplicate", from: "shop", run: "r", token: "n" },
    ...{ complete: false, verified: false, since: new Date(), documents: new Map<string, number>() },
  };
  await expect(lease.record(record)).rejects.toMatchObject({ exit: "locked" });
});

it("nothing is written under a lease that was released", async () => {
  const lease = kept([]);
  await lease.hold();
  await lease.release();
  await expect(lease.hold()).rejects.toMatchObject({ exit: "bug" });
});
