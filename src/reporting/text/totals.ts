import type { CollectionReport } from "../../model/reporter.ts";

export type Totals = Pick<
  CollectionReport,
  | "read"
  | "written"
  | "unchanged"
  | "equivalent"
  | "kept"
  | "rejected"
  | "deleted"
  | "extra"
  | "changed"
  | "sourceCount"
  | "targetCount"
>;

/** Sums over all collections. Where one collection was not counted, there is no sum: a part must not look like all. */
export function totals(collections: readonly CollectionReport[]): Totals {
  const stored = collections.filter((collection) => collection.kind !== "definition");
  const sum = (field: Exclude<keyof Totals, "sourceCount" | "targetCount">) =>
    stored.reduce((total, collection) => total + collection[field], 0);
  const sumCounted = (field: "sourceCount" | "targetCount") =>
    stored.reduce<number | undefined>((total, collection) => {
      const counted = collection[field];
      return total === undefined || counted === undefined ? undefined : total + counted;
    }, 0);
  return {
    read: sum("read"),
    written: sum("written"),
    unchanged: sum("unchanged"),
    equivalent: sum("equivalent"),
    kept: sum("kept"),
    rejected: sum("rejected"),
    deleted: sum("deleted"),
    extra: sum("extra"),
    changed: sum("changed"),
    sourceCount: sumCounted("sourceCount"),
    targetCount: sumCounted("targetCount"),
  };
}
