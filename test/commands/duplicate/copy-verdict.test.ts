import { expect, it } from "vitest";
import { verdictOf } from "../../../src/commands/copy/copy-verdict.ts";
import type { VerifyMode } from "../../../src/core/plan/verify-mode.ts";
import { Losses } from "../../../src/core/progress/losses.ts";
import { copied } from "../../reporting/samples.ts";

interface Run {
  readonly lost?: readonly string[];
  readonly accepted?: readonly string[];
  readonly verify?: VerifyMode;
  readonly failed?: boolean;
}

/** The verdict of a copy of two collections with these losses. */
function verdict({ lost = [], accepted = [], verify = "content", failed = false }: Run = {}): string {
  const losses = new Losses(accepted);
  for (const key of lost) losses.add(key, "why");
  const done = { collections: [copied("a"), copied("b", { written: 0, unchanged: 7 })], bytes: 1 };
  return verdictOf(done, losses, { verify, failed, resumed: undefined });
}

it("a copy is called done when all of its losses are accepted, and the verdict says how it was verified", () => {
  const moved = "1,200 documents written, 7 documents unchanged";
  expect(verdict()).toBe(`Done: ${moved}; read back and equal byte for byte.`);
  expect(verdict({ lost: ["index a/n"], accepted: ["index a/n"] })).toBe(verdict());
  expect(verdict({ verify: "counts" })).toMatch(/the counts agree; contents were not read back\.$/);
  expect(verdict({ verify: "none" })).toMatch(/not verified\.$/);
});

it("a copy with losses that are not accepted, or that failed its verification, is not called done", () => {
  expect(verdict({ lost: ["index a/n"] })).toMatch(/^Finished, but 1 thing could not be copied/);
  const some = { lost: ["index a/n", "index a/m", "index a/o"], accepted: ["index a/n"] };
  expect(verdict(some)).toMatch(/^Finished, but 2 things could not be copied/);
  expect(verdict({ ...some, failed: true })).toMatch(/^Verification failed/);
});
