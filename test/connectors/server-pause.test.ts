import { expect, it, vi } from "vitest";
import type { Clock } from "../../src/connectors/wrappers/clock.ts";
import { ServerPause } from "../../src/connectors/wrappers/server-pause.ts";
import { refusalOf, rowsOf, startScriptedHttp } from "../services/http/scripted-http.ts";
import { never } from "../support/signal.ts";
import { ALL, BATCH, openScripted } from "../support/stores/scripted-project.ts";

/** Moves on as far as it is waited for, and a millisecond less, as timers do. */
class EarlyClock implements Clock {
  time = 0;
  readonly waits: number[] = [];
  onWait: () => void = () => undefined;

  now(): number {
    return this.time;
  }

  async wait(milliseconds: number): Promise<void> {
    this.waits.push(milliseconds);
    this.time += Math.max(1, milliseconds - 1);
    this.onWait();
  }
}

it("a pause ends when the last time that was asked for has come, and not before", async () => {
  const clock = new EarlyClock();
  const pause = new ServerPause(clock);
  await pause.over(never);
  expect(clock.waits).toEqual([]);
  pause.ask(1_000);
  pause.ask(10);
  let further = 1;
  clock.onWait = () => {
    if (further-- > 0) pause.ask(500);
  };
  await pause.over(never);
  expect(clock.time).toBeGreaterThanOrEqual(999 + 500);
  expect(clock.waits).toEqual([1_000, 500, 1]);
});

it("a pause ends at once when the signal aborts", async () => {
  const pause = new ServerPause();
  pause.ask(3_600_000);
  const stop = new AbortController();
  const reason = new Error("stopped");
  const waiting = pause.over(stop.signal);
  stop.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

it.each([
  [429, undefined],
  [503, "PGRST002"],
] as const)(
  "no request of any kind is sent to a project before the time it asked for with status %i",
  async (status, code) => {
    const server = await startScriptedHttp();
    try {
      const pause = new ServerPause();
      const asked = new Promise<number>((resolve) => {
        vi.spyOn(pause, "ask").mockImplementation((milliseconds) => {
          ServerPause.prototype.ask.call(pause, milliseconds);
          resolve(performance.now());
        });
      });
      const times: number[] = [];
      server.script = ({ method, path }, number) => {
        times.push(performance.now());
        if (number === 0)
          return {
            ...(code === undefined ? { status } : refusalOf(status, code)),
            headers: { "retry-after": "1" },
          };
        if (method !== "GET" && !path.includes("/rpc/"))
          return { status: method === "POST" ? 201 : 204, headers: { "content-range": "*/1" } };
        return rowsOf(path.endsWith("/v1/") || path.includes("/rpc/") ? "{}" : "[]", {
          "content-range": "*/0",
        });
      };
      const policy = { retries: 4, patience: 0, firstWait: 1, longestWait: 60_000 };
      const project = await openScripted(server, { policy, pause });
      const first = project.rows("t", ALL, never);
      const since = await asked;
      await Promise.all([
        first,
        project.rows("other", ALL, never),
        project.count("t", "id", [], never),
        project.openapi(never),
        project.rpc("f", "{}", never),
        project.upsert("t", BATCH, never),
        project.remove("t", [{ column: "id", in: ["1"] }], 1, never),
      ]);
      expect(times).toHaveLength(8);
      expect(times.slice(1).filter((time) => time < since + 1_000)).toEqual([]);
    } finally {
      await server.stop();
    }
  },
);
