import type { Meter } from "../../model/reporter.ts";

export type Phase = Parameters<Meter["phase"]>[0];

/** What a run is about. Its documents are counted in it, once each. */
export type MainPhase = Extract<Phase, "copying" | "comparing" | "repairing">;

/** In the order in which they follow each other. */
export const PHASES: readonly Phase[] = [
  "copying",
  "comparing",
  "repairing",
  "verifying",
  "building indexes",
  "settling",
];

export function isMain(phase: Phase): phase is MainPhase {
  return phase === "copying" || phase === "comparing" || phase === "repairing";
}

/** Whether documents are counted in this phase: of the others nobody knows beforehand how long they will take. */
export function isCounted(phase: Phase): boolean {
  return isMain(phase) || phase === "verifying";
}
