import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { open, plan } from "../samples.ts";
import { syncPlan } from "../sync-samples.ts";

/** What somebody hears of a run before it has anything to say. */
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([undefined, {}])(
  "a run that has said nothing for two seconds says what it is doing (terminal: %j)",
  (terminal) => {
    const { stderr, stdout, reporter } = open(terminal === undefined ? {} : { terminal });
    vi.advanceTimersByTime(2_000);
    expect(stderr.text).toMatch(/looking at both sides: what they hold, and how much of it\n/);
    vi.advanceTimersByTime(60_000);
    expect(stderr.text.match(/looking at/g)).toHaveLength(1);
    expect(stdout.text).toBe("");
    reporter.close();
  },
);

it.each([
  ["has shown its plan", "auto", (reporter: ReturnType<typeof open>["reporter"]) => reporter.plan(plan())],
  [
    "has shown how it synchronizes",
    "auto",
    (reporter: ReturnType<typeof open>["reporter"]) => reporter.syncPlan(syncPlan()),
  ],
  ["has ended", "auto", (reporter: ReturnType<typeof open>["reporter"]) => reporter.close()],
  ["is to be quiet", "quiet", () => undefined],
  ["writes JSON", "json", () => undefined],
] as const)("a run that %s does not say that it is looking", (_, mode, act) => {
  const { stderr, reporter } = open({ mode });
  act(reporter);
  vi.advanceTimersByTime(60_000);
  expect(stderr.text).not.toMatch(/looking at/);
  reporter.close();
});
