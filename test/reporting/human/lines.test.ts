import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { open, plan, report } from "../samples.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("progress lines", () => {
  it("progress lines say once that the run started, then every ten seconds how far it is", () => {
    const { reporter, stderr } = open();
    reporter.plan(plan());
    const customers = reporter.meter("customers", 1_200);
    const orders = reporter.meter("orders", 50_000);
    expect(stderr.lines).toEqual(["started: about 51,200 documents in 2 collections"]);
    for (let second = 0; second < 25; second += 1) {
      orders.advance(1_000, 1);
      vi.advanceTimersByTime(1_000);
    }
    customers.end();
    expect(stderr.lines.slice(1)).toEqual([
      "copying: 10,000 of 51,200 documents (19%), 1,000/s, about 45 s left",
      "copying: 20,000 of 51,200 documents (39%), 1,000/s, about 35 s left",
    ]);
    reporter.close();
  });

  it("progress lines stop when the reporter is closed or the run ends", () => {
    for (const end of ["close", "finish"] as const) {
      const { reporter, stderr } = open();
      reporter.meter("orders", 10);
      end === "close" ? reporter.close() : reporter.finish(report());
      const after = stderr.text;
      vi.advanceTimersByTime(60_000);
      reporter.meter("late", 1);
      expect(stderr.text).toBe(after);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it("progress lines do not start after the reporter was closed", () => {
    const { reporter, stderr } = open();
    reporter.close();
    reporter.meter("orders", 10);
    vi.advanceTimersByTime(60_000);
    expect(stderr.text).toBe("");
  });

  it("the result is printed on stdout and messages on stderr, details only with --verbose", () => {
    for (const verbose of [false, true]) {
      const { reporter, stdout, stderr } = open({ verbose });
      reporter.note("connecting");
      reporter.detail("server 8.0.4");
      reporter.warn("attention");
      reporter.plan(plan());
      reporter.finish(report());
      expect(stderr.lines).toEqual([
        "connecting",
        ...(verbose ? ["server 8.0.4"] : []),
        "warning: attention",
      ]);
      expect(stdout.lines[0]).toBe("duplicate");
      expect(stdout.lines.at(-1)).toBe(report().verdict);
    }
  });

  it("output in a pipe contains no escape sequences", () => {
    const { reporter, stdout, stderr } = open({ verbose: true });
    reporter.note("a");
    reporter.detail("b");
    reporter.warn("c");
    reporter.plan(plan());
    reporter.meter("orders", 10).advance(5, 1);
    vi.advanceTimersByTime(30_000);
    reporter.finish(
      report({ exitCode: 3, items: [{ key: "k", reason: "r", accepted: true }], itemCount: 1 }),
    );
    expect(stdout.text + stderr.text).not.toContain("\u001b");
  });
});
