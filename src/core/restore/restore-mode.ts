import { KEEP_ALL, KEEP_NONE, type Keeping, mergeBy } from "../copy/keeping.ts";
import type { NewerBy } from "../copy/newer.ts";

/**
 * What a restore does with what the target holds. `missing`: it stays, and only what it lacks is added. `merge`: what was changed in
 * the copy alone, or later than in the target, replaces it. `overwrite`: the copy's documents replace it. `exact`: the same, and
 * what only the target has is removed.
 */
export const RESTORE_MODES = ["missing", "merge", "overwrite", "exact"] as const;
export type RestoreMode = (typeof RESTORE_MODES)[number];

export function keepingOf(mode: RestoreMode, newerBy: NewerBy): Keeping {
  if (mode === "missing") return KEEP_ALL;
  return mode === "merge" ? mergeBy(newerBy) : KEEP_NONE;
}
