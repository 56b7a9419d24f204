import type {
  ChangePlan,
  ChangeReport,
  ComparedCollection,
  Comparison,
  Difference,
  DiffReport,
  FieldDifference,
  PastComparison,
} from "../../src/model/reporter.ts";

const PAIR = { source: "localhost:27017/ordersDB", target: "localhost:27017/ordersDB_backup" };
const TIMES = {
  started: new Date("2026-11-21T03:17:00.000Z"),
  ended: new Date("2026-11-21T03:17:04.000Z"),
};

export function toCompare(
  source: string,
  more: Partial<Comparison["collections"][number]> = {},
): Comparison["collections"][number] {
  return {
    source,
    target: source,
    kind: "collection",
    type: "collection",
    documents: 1_200,
    bytes: 1_100_000,
    ...more,
  };
}

export function comparison(more: Partial<Comparison> = {}): Comparison {
  return {
    command: "diff",
    ...PAIR,
    collections: [toCompare("customers"), toCompare("orders", { documents: 50_000, bytes: 12_400_000 })],
    notCompared: [],
    notes: [],
    ...more,
  };
}

export function field(path: string, more: Partial<FieldDifference> = {}): FieldDifference {
  return { path, source: "int", target: "long", ...more };
}

export function difference(more: Partial<Difference> = {}): Difference {
  return {
    key: "document orders/17",
    kind: "changed",
    sigil: "*",
    collection: "orders",
    targetCollection: "orders",
    id: "17",
    source: { sha256: "0a".repeat(32), bytes: 312 },
    target: { sha256: "0b".repeat(32), bytes: 316 },
    fields: [field("/total")],
    moreFields: 0,
    state: "stable",
    rounds: 2,
    firstSeen: new Date("2026-11-21T03:17:01.000Z"),
    lastSeen: new Date("2026-11-21T03:17:02.000Z"),
    counted: true,
    ...more,
  };
}

export function compared(collection: string, more: Partial<ComparedCollection> = {}): ComparedCollection {
  return {
    collection,
    target: collection,
    kind: "collection",
    type: "collection",
    tier: "bytes",
    sourceDocuments: 1_200,
    targetDocuments: 1_200,
    equal: 1_200,
    equivalent: 0,
    missing: 0,
    extra: 0,
    changed: 0,
    metadata: 0,
    unreadable: 0,
    moving: 0,
    settled: 0,
    expired: 0,
    accepted: 0,
    behind: 0,
    diverged: 0,
    complete: true,
    verdict: "identical",
    ...more,
  };
}

export function past(more: Partial<PastComparison> = {}): PastComparison {
  return {
    started: new Date("2026-11-20T03:17:00.000Z"),
    ended: new Date("2026-11-20T03:17:05.000Z"),
    exitCode: 0,
    documents: 1_198,
    differences: 0,
    verdict: "Identical.",
    ...more,
  };
}

export function diffReport(more: Partial<DiffReport> = {}): DiffReport {
  return {
    command: "diff",
    ...PAIR,
    ...TIMES,
    collections: [compared("customers")],
    complete: true,
    exact: true,
    notCompared: [],
    bytesRead: 2_200_000,
    bytesCompared: 2_200_000,
    ranges: { done: 3, total: 3 },
    past: [],
    samples: [],
    differences: 0,
    exitCode: 0,
    verdict:
      "Identical. Compared: 1,200 documents in 1 collection with their options and indexes, byte for byte, from 2026-11-21 03:17:00 to 03:17:04 UTC.",
    ...more,
  };
}

export function changePlan(more: Partial<ChangePlan> = {}): ChangePlan {
  return {
    command: "repair",
    ...PAIR,
    collections: [{ collection: "orders", insert: 1_200, replace: 3, remove: 0 }],
    notes: [],
    dryRun: false,
    ...more,
  };
}

export function changeReport(more: Partial<ChangeReport> = {}): ChangeReport {
  return {
    command: "repair",
    ...PAIR,
    ...TIMES,
    collections: [{ collection: "orders", changed: 1_200, unchanged: 1, conflicts: 2, skipped: 0 }],
    items: [],
    itemCount: 0,
    exitCode: 0,
    verdict:
      "Repaired: 1,200 documents, read back and equal to the source's. 2 documents changed since the plan was made, or could not be written, and were left alone: compare again.",
    ...more,
  };
}

/** `of` without these fields, as it is where they do not apply. */
export function without<T extends object, Field extends keyof T>(of: T, ...fields: Field[]): Omit<T, Field> {
  return Object.fromEntries(
    Object.entries(of).filter(([name]) => !(fields as PropertyKey[]).includes(name)),
  ) as Omit<T, Field>;
}
