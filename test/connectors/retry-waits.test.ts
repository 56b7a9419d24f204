import { expect, it, vi } from "vitest";
import type { Clock } from "../../src/connectors/wrappers/clock.ts";
import { Tries } from "../../src/connectors/wrappers/retry.ts";
import { never } from "../support/signal.ts";

it("the longest wait before a retry starts at the first bound, doubles with each failure up to the limit, and follows what the server asks for", async () => {
  const waited: number[] = [];
  const clock: Clock = { now: () => 0, wait: async (milliseconds) => void waited.push(milliseconds) };
  const random = vi.spyOn(Math, "random").mockReturnValue(1);
  const tries = new Tries({ retries: 9, patience: 0, firstWait: 200, longestWait: 1_000 }, clock);
  for (const least of [0, 0, 50, 0]) {
    tries.again();
    await tries.wait(never, least);
  }
  random.mockRestore();
  expect(waited).toEqual([200, 400, 850, 1_000]);
});
