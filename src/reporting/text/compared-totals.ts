import type { ComparedCollection } from "../../model/reporter.ts";
import { NO_NUMBER } from "../human/text-style.ts";
import { grouped } from "./format.ts";
import { TIER_WORDS } from "./tier-words.ts";

export type ComparedNumber = Exclude<
  {
    [Field in keyof ComparedCollection]: ComparedCollection[Field] extends number ? Field : never;
  }[keyof ComparedCollection],
  undefined
>;

export type ComparedTotals = { readonly [Field in ComparedNumber]: number };

const FIELDS: readonly ComparedNumber[] = [
  "sourceDocuments",
  "targetDocuments",
  "equal",
  "equivalent",
  "missing",
  "extra",
  "changed",
  "metadata",
  "moving",
  "settled",
  "expired",
  "accepted",
  "behind",
  "diverged",
];

/** Sums over all collections; of a definition only the metadata counts, and all else of it is 0. */
export function comparedTotals(collections: readonly ComparedCollection[]): ComparedTotals {
  const sums = FIELDS.map((field) => [field, collections.reduce((sum, of) => sum + of[field], 0)]);
  return Object.fromEntries(sums) as ComparedTotals;
}

/** Numbers that a table of collections always shows. */
export const ALWAYS_SHOWN: readonly ComparedNumber[] = [
  "sourceDocuments",
  "targetDocuments",
  "equal",
  "missing",
  "extra",
  "changed",
  "metadata",
];

/** Numbers that it shows where any is not 0. */
const SHOWN_WHEN_ANY: readonly ComparedNumber[] = [
  "moving",
  "settled",
  "expired",
  "accepted",
  "behind",
  "diverged",
];

/** What a table of collections shows, wherever it is printed. */
export interface ComparedTable {
  readonly numbers: readonly ComparedNumber[];
  /** Whether a column says how each was compared. Where all were compared in one way, a line elsewhere says so. */
  readonly hasWays: boolean;
  /** How one of the collections was compared, in a word. */
  wayOf(collection: ComparedCollection): string;
  /** The cells of the last row. */
  readonly total: readonly string[];
}

export function comparedTable(collections: readonly ComparedCollection[]): ComparedTable {
  const sums = comparedTotals(collections);
  const numbers = [...ALWAYS_SHOWN, ...SHOWN_WHEN_ANY.filter((field) => sums[field] !== 0)];
  const hasWays = collections.some(({ tier }) => tier !== collections[0]?.tier);
  return {
    numbers,
    hasWays,
    wayOf: ({ verdict, tier }) => (verdict === "not compared" ? NO_NUMBER : TIER_WORDS[tier].word),
    total: ["total", ...numbers.map((field) => grouped(sums[field])), ...(hasWays ? [""] : []), ""],
  };
}
