/** The results of comparing, repairing and undoing as records. A record of a type always has the same fields. */

import type {
  ChangePlan,
  ChangeReport,
  Comparison,
  Difference,
  DiffReport,
  FieldDifference,
} from "../../model/reporter.ts";
import { expectedChanges, expectedComparison } from "../progress/expected.ts";
import { comparedTotals } from "../text/compared-totals.ts";
import { outcome } from "../text/outcome.ts";
import { tiers } from "../text/tier-words.ts";
import { timesOf } from "../text/time-window.ts";
import { type Emit, withExact, withType } from "./json-record.ts";

export function comparisonRecord(comparison: Comparison): object {
  const { documents } = expectedComparison(comparison);
  const bytes = comparison.collections.reduce((sum, collection) => sum + (collection.bytes ?? 0), 0);
  const collections = comparison.collections.map(withType);
  return { ...comparison, collections, documents, bytes, resumedSince: comparison.resumedSince };
}

/** `source` and `target` are the two documents; `collection` and `targetCollection` are names. */
export function diffRecord(difference: Difference): object {
  const { id, detail, source, target, drift, fields, ...rest } = difference;
  return { ...rest, id, detail, source, target, drift, fields: fields.map(fieldRecord) };
}

function fieldRecord({ path, source, target, sourceValue, targetValue, note }: FieldDifference): object {
  return { path, sourceType: source, targetType: target, sourceValue, targetValue, note };
}

export function emitDiffReport(emit: Emit, report: DiffReport): void {
  // The samples were written as they came, and the past is in its own summaries.
  const { collections, samples: _samples, past: _past, started, ended, ...rest } = report;
  for (const collection of collections) {
    emit("collection", withExact(withType(collection)));
  }
  const sums = comparedTotals(collections);
  emit("summary", {
    ...rest,
    ...timesOf(started, ended),
    tiers: tiers(collections),
    consistency: "window",
    window: [started, ended],
    collections: collections.length,
    scanned: sums.sourceDocuments + sums.targetDocuments,
    ...sums,
    plan: report.plan,
    outcome: outcome(report.exitCode),
  });
}

export function changePlanRecord(plan: ChangePlan): object {
  return { ...plan, source: plan.source, documents: expectedChanges(plan).documents };
}

export function emitChangeReport(emit: Emit, report: ChangeReport): void {
  const { collections, items, itemCount, started, ended, ...rest } = report;
  for (const collection of collections) {
    emit("collection", collection);
  }
  for (const item of items) {
    emit("item", item);
  }
  const sum = (field: "changed" | "unchanged" | "conflicts" | "skipped") =>
    collections.reduce((total, collection) => total + collection[field], 0);
  emit("summary", {
    ...rest,
    source: report.source,
    ...timesOf(started, ended),
    collections: collections.length,
    changed: sum("changed"),
    unchanged: sum("unchanged"),
    conflicts: sum("conflicts"),
    skipped: sum("skipped"),
    items: itemCount,
    outcome: outcome(report.exitCode),
  });
}
