/** Sums of what came of writes. */
import type { WriteOutcome } from "./connector.ts";

export const NOTHING: WriteOutcome = { written: 0, unchanged: 0, setAside: [] };

export function add(a: WriteOutcome, b: WriteOutcome): WriteOutcome {
  const lost = [...(a.notReproduced ?? []), ...(b.notReproduced ?? [])];
  return {
    written: a.written + b.written,
    unchanged: a.unchanged + b.unchanged,
    setAside: [...a.setAside, ...b.setAside],
    ...(lost.length === 0 ? {} : { notReproduced: lost }),
  };
}
