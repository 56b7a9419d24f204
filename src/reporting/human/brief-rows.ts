/** Which rows of a long table are worth a line on a terminal. */
import type { ChalkInstance } from "chalk";
import { grouped } from "../text/format.ts";

/** Rows of a table that is shown whole. */
const MOST_ROWS = 40;

export interface BriefRows<T> {
  readonly shown: readonly T[];
  /** Those that have one row together. */
  readonly others: readonly T[];
}

/** A file or a pipe gets every row, and so does whoever asked for more. */
export function briefRows<T>(
  all: readonly T[],
  needsAttention: (one: T) => boolean,
  { width, verbose }: { readonly width: number; readonly verbose?: boolean },
): BriefRows<T> {
  if (all.length <= MOST_ROWS || verbose === true || !Number.isFinite(width))
    return { shown: all, others: [] };
  return { shown: all.filter(needsAttention), others: all.filter((one) => !needsAttention(one)) };
}

/** The name of their row. */
export function othersName({ length }: readonly unknown[], shown: readonly unknown[]): string {
  return shown.length === 0 ? `all ${grouped(length)}` : `${grouped(length)} others`;
}

/** What their row says of something that each of them has: every value once, the usual one first. */
export function commonText(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a).map(([value]) => value);
  return sorted.join(", ");
}

/** Stands below a table with such a row; empty otherwise. */
export function moreRows({ others }: BriefRows<unknown>, paint: ChalkInstance): string {
  return others.length === 0 ? "" : `${paint.dim("--verbose lists every one.")}\n`;
}
