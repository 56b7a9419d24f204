import { once } from "node:events";
import { Writable } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { colorLevel, textStream } from "../../src/reporting/streams.ts";
import { BrokenPipe, FakeStream } from "./fake-stream.ts";
import { open, plan, report } from "./samples.ts";

const TTY = new FakeStream({ isTTY: true });
const PIPE = new FakeStream();

describe("colour", () => {
  it.each([
    ["a terminal", TTY, undefined, {}, 1],
    ["a pipe", PIPE, undefined, {}, 0],
    ["--no-color on a terminal", TTY, false, {}, 0],
    ["--no-color against FORCE_COLOR", TTY, false, { FORCE_COLOR: "1" }, 0],
    ["color: true in a pipe, which is the parser's default without a flag", PIPE, true, {}, 0],
    ["NO_COLOR on a terminal", TTY, undefined, { NO_COLOR: "1" }, 0],
    ["an empty NO_COLOR", TTY, undefined, { NO_COLOR: "" }, 1],
    ["NO_COLOR against FORCE_COLOR", TTY, undefined, { NO_COLOR: "1", FORCE_COLOR: "1" }, 0],
    ["FORCE_COLOR in a pipe", PIPE, undefined, { FORCE_COLOR: "1" }, 1],
    ["an empty FORCE_COLOR in a pipe", PIPE, undefined, { FORCE_COLOR: "" }, 1],
    ["FORCE_COLOR=0 on a terminal", TTY, undefined, { FORCE_COLOR: "0" }, 0],
    ["FORCE_COLOR=false on a terminal", TTY, undefined, { FORCE_COLOR: "false" }, 0],
    ["FORCE_COLOR on a dumb terminal", TTY, undefined, { FORCE_COLOR: "1", TERM: "dumb" }, 1],
    ["a dumb terminal", TTY, undefined, { TERM: "dumb" }, 0],
  ])("chooses the right colour level for %s", (_name, stream, color, env, level) => {
    expect(colorLevel(stream, { color, env })).toBe(level);
  });

  it("chooses the colour of stdout and stderr separately", () => {
    const stdout = new FakeStream();
    const stderr = new FakeStream({ isTTY: true, columns: 80 });
    const { reporter } = open({ stdout, stderr });
    reporter.warn("attention");
    reporter.plan(plan());
    reporter.finish(report());
    expect(stderr.text).toContain("\u001b[33mwarning:");
    expect(stdout.text).not.toContain("\u001b");
  });
});

describe("textStream", () => {
  it("uses the terminal's width, 80 columns when it is unknown, and no limit in a pipe", () => {
    const width = (stream: FakeStream) => textStream(stream, { env: {} }).width;
    expect(width(new FakeStream({ isTTY: true, columns: 120 }))).toBe(120);
    expect(width(new FakeStream({ isTTY: true }))).toBe(80);
    expect(width(new FakeStream({ columns: 120 }))).toBe(Number.POSITIVE_INFINITY);
  });

  it("drops what is written after its reader has gone, and remembers the error", async () => {
    const stream = new BrokenPipe();
    const output = textStream(stream, { env: {} });
    expect(output.lost).toBeUndefined();
    output.write("one\n");
    await once(stream, "error").catch(() => undefined);
    const write = vi.spyOn(stream, "write");
    output.write("two\n");
    output.write("three\n");
    expect(write).not.toHaveBeenCalled();
    expect(output.lost?.code).toBe("EPIPE");
    expect(stream.attempts).toBe(1);
  });
});

describe("slow readers", () => {
  it("ready() waits for a slow reader, but no longer once it has gone", async () => {
    const taken: (() => void)[] = [];
    const slow = new Writable({
      highWaterMark: 10,
      write: (_chunk, _encoding, done) => void taken.push(done),
    });
    const output = textStream(slow, { env: {} });
    await output.ready();
    output.write("more than ten characters");
    let ready = false;
    const waiting = output.ready().then(() => {
      ready = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(ready).toBe(false);
    taken.shift()?.();
    await waiting;
    output.write("again more than ten");
    const gone = output.ready();
    slow.destroy(new Error("gone"));
    await gone;
    await output.ready();
  });
});

describe.each(["auto", "json", "quiet"] as const)("closed streams in mode %s", (mode) => {
  it("a reader that goes away does not fail the run, and the reporter remembers it", async () => {
    const stdout = new BrokenPipe();
    const stderr = new BrokenPipe();
    const { reporter } = open({ mode, stdout, stderr });
    for (let round = 0; round < 3; round += 1) {
      reporter.warn("attention");
      reporter.plan(plan());
      await new Promise((resolve) => setImmediate(resolve));
    }
    reporter.finish(report({ exitCode: 3 }));
    reporter.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(stdout.attempts + stderr.attempts).toBeLessThanOrEqual(4);
    expect(reporter.lost()?.code).toBe(mode === "quiet" ? undefined : "EPIPE");
  });
});
