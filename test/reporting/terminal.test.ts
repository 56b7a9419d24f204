import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DualsyncError } from "../../src/model/errors.ts";
import { textWidth } from "../../src/reporting/text/text-width.ts";
import { screenState, withoutSequences } from "./fake-stream.ts";
import { type Opened, open, plan, planned, report } from "./samples.ts";

const TIDY = { cursorShown: true, wraps: true };
const BARS_UP = { cursorShown: false, wraps: false };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What is drawn from now on during `milliseconds`, without escape sequences, line by line. */
function drawn({ stderr }: Opened, milliseconds: number): string[] {
  const before = stderr.text.length;
  vi.advanceTimersByTime(milliseconds);
  return withoutSequences(stderr.text.slice(before)).split("\n");
}

function atTerminal(columns = 80, rows = 24): Opened {
  const opened = open({ terminal: { columns, rows } });
  opened.reporter.plan(plan());
  return opened;
}

describe("progress bars", () => {
  it("progress bars show the run and each collection in flight", () => {
    const opened = atTerminal(120);
    opened.reporter.meter("customers", 1_200).advance(300, 1);
    const orders = opened.reporter.meter("orders", 50_000);
    orders.advance(25_000, 1);
    orders.phase("verifying");
    orders.advance(5_000, 1);
    const lines = drawn(opened, 100);
    expect(lines[0]).toMatch(/^total {6}█+░* {3}96% {2}25,300 of 26,200$/);
    expect(lines[1]).toMatch(/^customers {2}█{7}░{21} {3}25% {2}300 of 1,200$/);
    expect(lines[2]).toMatch(/^orders {5}█+░+ {3}20% {2}verifying {2}5,000 of 25,000$/);
    opened.reporter.close();
  });

  it("progress bars show the rate and the remaining time when these are known", () => {
    const opened = atTerminal(120);
    const meter = opened.reporter.meter("orders", 51_200);
    for (let second = 0; second < 10; second += 1) {
      meter.advance(1_000, 1);
      vi.advanceTimersByTime(1_000);
    }
    expect(drawn(opened, 100)[0]).toMatch(/ 19% {2}10,000 of 51,200 {2}990\/s {2}about 45 s left$/);
    opened.reporter.close();
  });

  it("progress bars show no percentage while indexes are built", () => {
    const opened = atTerminal();
    const meter = opened.reporter.meter("orders", 51_200);
    meter.advance(51_200, 1);
    meter.phase("building indexes");
    expect(drawn(opened, 100).map((line) => line.replace(/ +/g, " "))).toEqual([
      "total building indexes",
      "orders building indexes",
    ]);
    opened.reporter.close();
  });

  it("progress bars show at most six collections, and the next one when one of them ends", () => {
    const opened = atTerminal();
    const meters = Array.from({ length: 9 }, (_, index) => opened.reporter.meter(`c${index}`, 10));
    const names = () => drawn(opened, 100).map((line) => line.split(" ")[0]);
    expect(names()).toEqual(["total", "c0", "c1", "c2", "c3", "c4", "c5"]);
    meters[1]?.end();
    expect(names()).toEqual(["total", "c0", "c2", "c3", "c4", "c5", "c6"]);
    for (const meter of meters.slice(0, 8)) {
      meter.end();
    }
    expect(names()).toEqual(["total", "c8", "", "", "", "", ""]);
    opened.reporter.close();
  });

  it("progress bars are fewer on a terminal with few lines, which must not scroll", () => {
    const opened = atTerminal(80, 5);
    for (let index = 0; index < 9; index += 1) {
      opened.reporter.meter(`c${index}`, 10);
    }
    expect(drawn(opened, 100)).toHaveLength(3);
    opened.reporter.close();
  });

  it.each([20, 40, 80, 200])("progress bars fit a terminal of %d columns", (columns) => {
    const opened = atTerminal(columns);
    const meter = opened.reporter.meter("注文の履歴".repeat(17), 12_345_678);
    for (let second = 0; second < 5; second += 1) {
      meter.advance(1_000_000, 1);
      vi.advanceTimersByTime(1_000);
    }
    const widths = drawn(opened, 100).map(textWidth);
    expect(Math.max(...widths)).toBeLessThan(Math.max(columns, 40));
    opened.reporter.close();
  });

  it("a warning is printed whole above the progress bars, which are then redrawn", () => {
    const opened = atTerminal();
    opened.reporter.meter("orders", 10);
    vi.advanceTimersByTime(100);
    const before = opened.stderr.text.length;
    opened.reporter.warn(`${"long ".repeat(40)}end`);
    const text = opened.stderr.text;
    expect(screenState(text.slice(0, text.indexOf("warning:")))).toEqual(TIDY);
    expect(withoutSequences(text.slice(before))).toMatch(/warning: (?:long ){40}end\ntotal .*\norders /);
    expect(screenState(opened.stderr.text)).toEqual(BARS_UP);
    opened.reporter.close();
  });
});

describe("terminal state", () => {
  it("the terminal is restored for good when the reporter is closed in the middle of a run", () => {
    const opened = atTerminal();
    const meter = opened.reporter.meter("orders", 10);
    vi.advanceTimersByTime(500);
    expect(screenState(opened.stderr.text)).toEqual(BARS_UP);
    opened.reporter.close();
    expect(screenState(opened.stderr.text)).toEqual(TIDY);
    const after = opened.stderr.text;
    meter.advance(5, 1);
    meter.end();
    opened.reporter.meter("late", 1);
    vi.advanceTimersByTime(5_000);
    opened.reporter.close();
    expect(opened.stderr.text).toBe(after);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("the terminal is in its normal state when bars were never drawn", () => {
    const opened = atTerminal();
    opened.reporter.meter("orders", 10);
    opened.reporter.close();
    expect(screenState(opened.stderr.text)).toEqual(TIDY);
  });

  it("the terminal is restored before the result is written", () => {
    const opened = atTerminal();
    opened.reporter.meter("orders", 10).end();
    vi.advanceTimersByTime(300);
    let stateAtResult: unknown;
    const write = opened.stdout._write.bind(opened.stdout);
    opened.stdout._write = (chunk, encoding, done) => {
      stateAtResult = screenState(opened.stderr.text);
      write(chunk, encoding, done);
    };
    opened.reporter.finish(report());
    expect(stateAtResult).toEqual(TIDY);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a blank line separates earlier messages from the result", () => {
    const silent = atTerminal();
    silent.reporter.finish(report());
    expect(silent.stderr.text).toBe("");
    const talking = atTerminal();
    talking.reporter.note("hello");
    talking.reporter.finish(report());
    expect(talking.stderr.text).toBe("hello\n\n");
  });

  it("the terminal is restored before a failure is printed", () => {
    const opened = atTerminal();
    opened.reporter.meter("orders", 10);
    vi.advanceTimersByTime(300);
    opened.reporter.fail(new DualsyncError("target", "It broke.", { hint: "Run it again." }), 5);
    const text = opened.stderr.text;
    expect(screenState(text.slice(0, text.indexOf("error:")))).toEqual(TIDY);
    expect(withoutSequences(text)).toMatch(/error: It broke\.\nRun it again\.\n$/);
  });

  it("progress bars install no handler for Ctrl-C", () => {
    const before = process.listenerCount("SIGINT");
    const opened = atTerminal();
    opened.reporter.meter("orders", 10);
    vi.advanceTimersByTime(300);
    expect(process.listenerCount("SIGINT")).toBe(before);
    opened.reporter.close();
  });
});

describe("failures at the terminal", () => {
  it("a bug is printed with its stack trace, its cause and a request to report it", () => {
    const opened = open();
    const cause = new TypeError("x is not a function");
    opened.reporter.fail(new DualsyncError("bug", "Something is wrong.", { cause }), 70);
    const lines = opened.stderr.lines;
    expect(lines[0]).toBe("error: Something is wrong.");
    expect(lines.some((line) => line.includes("terminal.test.ts"))).toBe(true);
    expect(lines).toContain("caused by TypeError: x is not a function");
    expect(lines.at(-1)).toMatch(
      /^This is a bug in dualsync\..* https:\/\/github\.com\/dualsync\/dualsync\/issues$/,
    );
    expect(opened.stdout.text).toBe("");
  });

  it("a failure that is not a bug is printed without a stack trace", () => {
    const opened = open();
    opened.reporter.fail(
      new DualsyncError("source", "No server answered.", { hint: "Is it running?\n  npm start" }),
      4,
    );
    expect(opened.stderr.text).toBe("error: No server answered.\nIs it running?\n  npm start\n");
  });
});

describe("choice between bars and lines", () => {
  it.each([
    ["a terminal", {}, true],
    ["CI", { env: { CI: "true" } }, false],
    ["CI=false", { env: { CI: "false" } }, true],
    ["a dumb terminal", { env: { TERM: "dumb" } }, false],
    ["--no-progress", { progress: false }, false],
    ["a pipe", { terminal: { isTTY: false } }, false],
  ])("chooses correctly between progress bars and progress lines for %s", (_name, options, bars) => {
    const opened = open({ terminal: {}, ...options });
    opened.reporter.plan(plan({ collections: [planned("orders")] }));
    opened.reporter.meter("orders", 10);
    vi.advanceTimersByTime(1_000);
    expect(opened.stderr.text.includes("\u001b[?25l")).toBe(bars);
    expect(opened.stderr.text.startsWith("started: ")).toBe(!bars);
    opened.reporter.close();
  });
});
