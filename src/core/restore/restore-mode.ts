import { areNull } from "../../bson/null-fields.ts";
import { KEEP_ALL, KEEP_NONE, type Keeping, mergeBy } from "../copy/keeping.ts";
import type { NewerBy } from "../copy/newer.ts";

/**
 * What a restore does with what the target holds. `missing`: it stays, and only what it lacks is added. `merge`: what was changed in
 * the copy alone, or later than in the target, replaces it. `overwrite`: the copy's documents replace it. `exact`: the same, and
 * what only the target has is removed.
 */
export const RESTORE_MODES = ["missing", "merge", "overwrite", "exact"] as const;
export type RestoreMode = (typeof RESTORE_MODES)[number];

/** `isInterrupted`: an earlier restore left the target half-way. */
export function keepingOf(mode: RestoreMode, newerBy: NewerBy, isInterrupted: boolean): Keeping {
  if (mode !== "missing" && mode !== "merge") return KEEP_NONE;
  const keeping = mode === "missing" ? KEEP_ALL : mergeBy(newerBy);
  return isInterrupted ? withoutStubs(keeping) : keeping;
}

const STUB =
  "it differs only in fields that are null in the target, and a restore that was interrupted may have left it so: --mode overwrite with --id takes the copy's";

/**
 * Documents that refer to each other are written without their references first. Where that was interrupted, it is not known whose
 * they are: they stay, and are named.
 */
function withoutStubs(keeping: Keeping): Keeping {
  return {
    ...keeping,
    compared(pair, changed, equivalence) {
      const kept = keeping.compared(pair, changed, equivalence);
      if (kept === undefined || kept.loss !== undefined) return kept;
      const names = equivalence?.differing(pair) ?? [];
      return names.length > 0 && areNull(pair.found.bytes, names) ? { loss: STUB } : kept;
    },
  };
}
