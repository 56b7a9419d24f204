import { describe, expect, it, vi } from "vitest";
import { DEFAULT_RETRIES, retry, retryPolicy, Tries } from "../../src/connectors/wrappers/retry.ts";
import { never } from "../support/signal.ts";

const quick = { firstWait: 1, longestWait: 2 };

describe("retries", () => {
  it("retries continue beyond their number until the patience is over", async () => {
    expect(DEFAULT_RETRIES.patience).toBeGreaterThanOrEqual(30_000);
    const policy = { ...quick, retries: 2, patience: 60 };
    const begun = performance.now();
    let tries = 0;
    const work = retry(
      policy,
      never,
      () => true,
      () => {
        tries++;
        return Promise.reject(new Error("not yet"));
      },
    );
    await expect(work).rejects.toThrow("not yet");
    expect(performance.now() - begun).toBeGreaterThanOrEqual(60);
    expect(tries).toBeGreaterThan(3);
  });

  it("all retries are made even when each failure takes longer than the patience", () => {
    const now = vi.spyOn(performance, "now");
    const tries = new Tries({ ...quick, retries: 2, patience: 10 });
    const answers = [0, 1_000, 2_000, 3_000].map((time) => {
      now.mockReturnValue(time);
      return tries.again();
    });
    now.mockRestore();
    expect(answers).toEqual([true, true, false, false]);
  });

  it("makes as many retries as the user asked for, however quickly they fail", async () => {
    let tries = 0;
    const policy = { ...retryPolicy(3), ...quick };
    const work = retry(
      policy,
      never,
      () => true,
      () => {
        tries++;
        return Promise.reject(new Error("no"));
      },
    );
    await expect(work).rejects.toThrow("no");
    expect(tries).toBe(4);
  });

  it("retries end when the signal aborts, even during a wait", async () => {
    const controller = new AbortController();
    const policy = { retries: 9, patience: 0, firstWait: 3_600_000, longestWait: 3_600_000 };
    const work = retry(
      policy,
      controller.signal,
      () => true,
      () => {
        setImmediate(() => controller.abort());
        return Promise.reject(new Error("no"));
      },
    );
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
  });
});
