import type { ComparedCollection } from "./reporter.ts";

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

/** Sums over all collections; of a view only the metadata counts, and all else of it is 0. */
export function comparedTotals(collections: readonly ComparedCollection[]): ComparedTotals {
  const sums = FIELDS.map((field) => [field, collections.reduce((sum, of) => sum + of[field], 0)]);
  return Object.fromEntries(sums) as ComparedTotals;
}
