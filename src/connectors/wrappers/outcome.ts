/** Sums of what came of writes. */
import type { WriteOutcome } from "../contract.ts";

export const NOTHING: WriteOutcome = { written: 0, unchanged: 0, rejected: [] };

export function add(a: WriteOutcome, b: WriteOutcome): WriteOutcome {
  const lost = [...(a.notReproduced ?? []), ...(b.notReproduced ?? [])];
  return {
    written: a.written + b.written,
    unchanged: a.unchanged + b.unchanged,
    rejected: [...a.rejected, ...b.rejected],
    ...(lost.length === 0 ? {} : { notReproduced: lost }),
  };
}
