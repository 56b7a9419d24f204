import { expect, it } from "vitest";
import { slowestClock } from "../../../src/core/plan/same-store.ts";

it("slowestClock follows the clock that is furthest behind", () => {
  let here = 100_000;
  const clock = () => here;
  const ahead = slowestClock([{ time: new Date(160_000) }, {}], clock);
  const behind = slowestClock([{ time: new Date(160_000) }, { time: new Date(70_000) }], clock);
  expect([ahead().getTime(), behind().getTime()]).toEqual([100_000, 70_000]);
  here += 5_000;
  expect([ahead().getTime(), behind().getTime()]).toEqual([105_000, 75_000]);
});
