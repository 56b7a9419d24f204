import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Clocks, type HeldLease, keepLease } from "../../src/connectors/lease/lease-renewal.ts";

/** For how long a lease is believed, by nothing but the clock. */
beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "setTimeout", "performance", "Date"] }));
afterEach(() => void vi.useRealTimers());

/** Answers each question whether the lease is still this run's after so many seconds; the later ones fail. */
function kept(...answers: readonly { readonly after: number; readonly isOurs: boolean }[]): HeldLease {
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
    async giveBack() {},
  };
  return keepLease(place, new Clocks());
}

async function pass(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1e3);
}

it("a lease is believed from the moment when its renewal was asked for, not from when it was answered", async () => {
  const lease = kept({ after: 25, isOurs: true });
  await pass(79);
  await lease.hold();
  await pass(2);
  await expect(lease.hold()).rejects.toMatchObject({ exit: "locked" });
  expect(lease.lost.aborted).toBe(true);
});
