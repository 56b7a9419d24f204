import { safeText } from "../../redact/redact.ts";
import type { PlanRow } from "./repair-plan.ts";

/** More are counted. */
const MOST_ITEMS = 1_000;

export interface RepairedCollection {
  changed: number;
  unchanged: number;
  conflicts: number;
  skipped: number;
}

/** What a repair has come to. */
export class RepairResult {
  /** By the names in the target. */
  readonly collections = new Map<string, RepairedCollection>();
  /** What was left as it is, by key, with the reason; the first few. */
  readonly items: { readonly key: string; readonly reason: string }[] = [];
  itemCount = 0;

  conflict(row: PlanRow, reason: string): void {
    this.of(row).conflicts++;
    this.name(`document ${row.targetCollection}/${row.printed}`, reason);
  }

  /** What could not be repaired. */
  name(key: string, reason: string): void {
    this.itemCount++;
    if (this.items.length < MOST_ITEMS) this.items.push({ key: safeText(key), reason });
  }

  /** The counts of the row's collection. */
  of({ targetCollection }: PlanRow): RepairedCollection {
    const known = this.collections.get(targetCollection);
    if (known !== undefined) return known;
    const fresh = { changed: 0, unchanged: 0, conflicts: 0, skipped: 0 };
    this.collections.set(targetCollection, fresh);
    return fresh;
  }
}
