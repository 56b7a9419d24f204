import type { Document } from "mongodb";
import type { Selection } from "../../collection.ts";
import { idValue } from "./id-value.ts";

/**
 * The stage of a pipeline that lets through what a selection selects; none where that is everything. Bounds are
 * expressions: those see ids of every type, where a query's `$gte` sees one type only.
 */
export function matchStage({ filter, range }: Selection): Document[] {
  const bounds: Document[] = [];
  if (range?.from !== undefined) bounds.push({ $gte: ["$_id", { $literal: idValue(range.from) }] });
  if (range?.to !== undefined) bounds.push({ $lt: ["$_id", { $literal: idValue(range.to) }] });
  const match = [
    ...(filter === undefined ? [] : [filter]),
    ...(bounds.length === 0 ? [] : [{ $expr: { $and: bounds } }]),
  ];
  return match.length === 0 ? [] : [{ $match: { $and: match } }];
}
