import { outcome } from "../text/outcome.ts";

/** What a run came to, for eyes that see colours and for those that do not. */
export interface PageOutcome {
  /** The class that gives the colour. */
  readonly tone: "good" | "note" | "bad";
  readonly sign: string;
  readonly word: string;
}

export function pageOutcome(exitCode: number): PageOutcome {
  switch (exitCode) {
    case 0:
      return { tone: "good", sign: "✓", word: "Identical" };
    case 1:
      return { tone: "note", sign: "Δ", word: "Different" };
    case 12:
      return { tone: "bad", sign: "?", word: "Inconclusive" };
    default:
      return { tone: "bad", sign: "!", word: `Ended with ${exitCode} (${outcome(exitCode)})` };
  }
}
