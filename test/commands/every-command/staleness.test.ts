import { expect, it } from "vitest";
import { stalenessReason } from "../../../src/commands/run/staleness.ts";

const HOUR = 60 * 60 * 1000;

/** Why a run that began, and was last saved, this many hours ago is not resumed. */
function reason(began: number, saved: number): string | undefined {
  const ago = (hours: number): Date => new Date(Date.now() - hours * HOUR);
  return stalenessReason({ since: ago(began), saved: ago(saved) });
}

it("an interrupted run can be resumed for a day after it was last saved, and for a week after it began", () => {
  expect(reason(23, 23)).toBeUndefined();
  expect(reason(25, 25)).toMatch(/more than a day old/);
  expect(reason(167, 1)).toBeUndefined();
  expect(reason(169, 1)).toMatch(/began more than a week ago/);
});

it("an interrupted run that was saved by a clock slightly ahead can be resumed, by one far ahead it cannot", () => {
  expect(reason(-0.9, -0.9)).toBeUndefined();
  expect(reason(-1.1, -1.1)).toMatch(/more than a day old/);
});
