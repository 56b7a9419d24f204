/** What comparing, repairing and undoing put on the two streams, for people. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DualsyncError } from "../../src/model/errors.ts";
import {
  changePlan,
  changeReport,
  compared,
  comparison,
  difference,
  diffReport,
  field,
  toCompare,
} from "./comparison-samples.ts";
import { FakeStream, screenState, withoutSequences } from "./fake-stream.ts";
import { type Opened, open } from "./samples.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const fail = new DualsyncError("source", "No answer.");

/** Reports `many` differences of a collection. */
function reportDifferences({ reporter }: Opened, many: number, collection = "orders"): void {
  for (let index = 0; index < many; index += 1) {
    reporter.difference(difference({ key: `document ${collection}/${index}`, collection }));
  }
}

describe("streams of a comparison", () => {
  it("prints the pair, each difference as it is found, and the result on stdout", () => {
    const opened = open({ command: "diff" });
    opened.reporter.comparison(comparison());
    expect(opened.stdout.lines).toHaveLength(4);
    reportDifferences(opened, 2);
    expect(opened.stdout.lines.slice(4)).toEqual([
      "* orders/0  /total int → long",
      "* orders/1  /total int → long",
    ]);
    opened.reporter.compared(diffReport());
    expect(opened.stdout.text).toMatch(/ long\n\n +only in/);
    expect(opened.stdout.lines.at(-1)).toBe(diffReport().verdict);
    expect(opened.stderr.text).toBe("");
  });

  it("prints one blank line before the result of a comparison that found nothing", () => {
    const { reporter, stdout } = open();
    reporter.comparison(comparison());
    reporter.compared(diffReport());
    expect(stdout.text).toContain("(13.5 MB).\n\n   ");
  });

  it("prints no blank line on stderr after a note that was followed by a difference", () => {
    const opened = open({ terminal: {} });
    opened.reporter.note("hello");
    reportDifferences(opened, 1);
    opened.reporter.compared(diffReport());
    expect(opened.stderr.text).toBe("hello\n");
  });

  it("lists at most 1,000 differences per collection and says once how many more there are", () => {
    const opened = open();
    reportDifferences(opened, 10_000);
    reportDifferences(opened, 1_001, "log");
    reportDifferences(opened, 1_000, "users");
    opened.reporter.compared(diffReport());
    const { lines } = opened.stdout;
    expect(lines.filter((line) => line.startsWith("* "))).toHaveLength(3_000);
    expect(lines.filter((line) => line.startsWith("…"))).toEqual([
      "… and 9,000 more of orders; --json and --plan hold all",
      "… and 1 more of log; --json and --plan hold all",
    ]);
  });

  it("says how many differences it did not list when the comparison fails, too", () => {
    const opened = open();
    reportDifferences(opened, 1_002);
    opened.reporter.fail(fail, 4);
    expect(opened.stdout.lines.at(-1)).toBe("… and 2 more of orders; --json and --plan hold all");
    expect(opened.stderr.text).toBe("error: No answer.\n");
  });

  it("lists all differences, all fields and all identical collections with --verbose", () => {
    const opened = open({ verbose: true });
    reportDifferences(opened, 1_500);
    const fields = ["/a", "/b", "/c", "/d"].map((path) => field(path));
    opened.reporter.difference(difference({ fields }));
    const collections = [
      compared("orders", { verdict: "different" }),
      compared("customers", { equal: 52 }),
      compared("paid", { kind: "definition", type: "view" }),
      compared("shop", { target: "shops", equal: 1 }),
    ];
    opened.reporter.compared(diffReport({ collections }));
    const { lines } = opened.stdout;
    expect(lines.filter((line) => line.startsWith("* "))).toHaveLength(1_501);
    expect(lines[1_500]).toMatch(/, \/d int → long$/);
    expect(lines.slice(1_501, 1_504)).toEqual([
      "= customers  (52 documents)",
      "= paid  (view)",
      "= shop → shops  (1 document)",
    ]);
    expect(lines.some((line) => line.startsWith("…"))).toBe(false);
  });

  it("does not list identical collections without --verbose", () => {
    const { reporter, stdout } = open();
    reporter.compared(diffReport());
    expect(stdout.text).not.toMatch(/^=/m);
  });
});

describe("progress bars of a comparison", () => {
  function comparing(): Opened {
    const opened = open({ terminal: { columns: 100 } });
    opened.reporter.comparison(comparison());
    const meter = opened.reporter.meter("orders", 50_000);
    meter.phase("comparing");
    meter.advance(25_000, 1);
    vi.advanceTimersByTime(200);
    return opened;
  }

  it("progress bars show how much of everything to be compared has been compared", () => {
    const { reporter, stderr } = comparing();
    const lines = withoutSequences(stderr.text).split("\n");
    expect(lines.some((line) => /^total .* 48% {2}25,000 of 51,200/.test(line))).toBe(true);
    expect(lines.some((line) => /^orders .* 50% {2}25,000 of 50,000/.test(line))).toBe(true);
    reporter.close();
  });

  it("progress bars show no percentage while a collection settles", () => {
    const opened = open({ terminal: { columns: 100 } });
    opened.reporter.comparison(comparison());
    const meter = opened.reporter.meter("orders", 51_200);
    meter.advance(51_200, 1);
    meter.phase("settling");
    vi.advanceTimersByTime(200);
    expect(withoutSequences(opened.stderr.text)).toMatch(/orders +settling/);
    opened.reporter.close();
  });

  it("progress bars are cleared while a difference is printed and redrawn after it", () => {
    const opened = comparing();
    const states: unknown[] = [];
    const write = opened.stdout._write.bind(opened.stdout);
    opened.stdout._write = (chunk, encoding, done) => {
      states.push(screenState(opened.stderr.text));
      write(chunk, encoding, done);
    };
    reportDifferences(opened, 3);
    expect(states).toEqual(Array.from({ length: 3 }, () => ({ cursorShown: true, wraps: true })));
    expect(screenState(opened.stderr.text)).toEqual({ cursorShown: false, wraps: false });
    opened.reporter.compared(diffReport());
    expect(screenState(opened.stderr.text)).toEqual({ cursorShown: true, wraps: true });
  });

  it("progress bars are not redrawn when the differences go to a file", () => {
    const file = new FakeStream();
    const opened = open({ terminal: {}, stdout: file });
    opened.reporter.meter("orders", 10);
    vi.advanceTimersByTime(200);
    const before = opened.stderr.text;
    reportDifferences(opened, 3);
    expect(opened.stderr.text).toBe(before);
    expect(file.lines).toHaveLength(3);
    opened.reporter.close();
  });
});

describe("progress lines of a comparison", () => {
  it("progress lines name the phase and give no percentage while settling", () => {
    const { reporter, stderr } = open();
    reporter.comparison(comparison({ collections: [toCompare("orders", { documents: 50_000 })] }));
    const meter = reporter.meter("orders", 50_000);
    meter.advance(25_000, 1);
    vi.advanceTimersByTime(10_000);
    meter.advance(25_000, 1);
    meter.phase("settling");
    vi.advanceTimersByTime(10_000);
    expect(stderr.lines).toEqual([
      "started: about 50,000 documents in 1 collection",
      expect.stringMatching(/^comparing: 25,000 of 50,000 documents \(50%\)/),
      "settling",
    ]);
    reporter.close();
  });
});

describe("streams of a repair", () => {
  it("a repair shows its plan, its progress and its result", () => {
    const { reporter, stdout, stderr } = open({ command: "repair" });
    reporter.changePlan(changePlan());
    expect(stdout.lines[0]).toBe("repair");
    const meter = reporter.meter("orders", 1_203);
    meter.advance(600, 1);
    vi.advanceTimersByTime(10_000);
    expect(stderr.lines).toEqual([
      "started: about 1,203 documents in 1 collection",
      expect.stringMatching(/^repairing: 600 of 1,203 documents \(49%\)/),
    ]);
    meter.end();
    reporter.changed(changeReport());
    expect(stdout.lines.at(-1)).toBe(changeReport().verdict);
    expect(vi.getTimerCount()).toBe(0);
  });
});
