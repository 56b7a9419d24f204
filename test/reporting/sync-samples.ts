import type { ServiceReport, SyncCounts, SyncPlan, SyncReport } from "../../src/model/reporter.ts";

const PAIR = { primary: "shop.upstash.io", copy: "localhost:27017/skinvault" };
const DIRECTION = { direction: "to-mongodb", layout: "records" };

export function syncPlan(more: Partial<SyncPlan> = {}): SyncPlan {
  return {
    command: "sync-kv",
    ...PAIR,
    ...DIRECTION,
    primaryDocuments: 5_000,
    copyDocuments: 4_980,
    agreed: 4_975,
    commands: { least: 5_018, most: 5_430 },
    requests: { least: 12, most: 130 },
    bytes: { least: 1_300_000, most: 10_400_000 },
    commandsAMonth: { least: 150_540, most: 162_900 },
    notes: ["KV is only read.", "What was changed on both sides is named and left."],
    dryRun: false,
    ...more,
  };
}

export function syncCounts(more: Partial<SyncCounts> = {}): SyncCounts {
  return {
    equal: 4_970,
    agreed: 0,
    copyWritten: 30,
    primaryWritten: 0,
    copyRemoved: 0,
    primaryRemoved: 0,
    marked: 0,
    missing: 0,
    left: 0,
    conflicts: 0,
    expired: 0,
    rejected: 0,
    unsettled: 0,
    ...more,
  };
}

/** Each count is another number, from 1. */
export function distinctCounts(): SyncCounts {
  const counts: { -readonly [Each in keyof SyncCounts]: number } = { ...syncCounts() };
  for (const [at, name] of (Object.keys(counts) as (keyof SyncCounts)[]).entries()) counts[name] = at + 1;
  return counts;
}

export function syncReport(more: Partial<SyncReport> = {}): SyncReport {
  return {
    command: "sync-kv",
    ...PAIR,
    ...DIRECTION,
    started: new Date("2026-11-21T03:17:00.000Z"),
    ended: new Date("2026-11-21T03:17:04.000Z"),
    counts: syncCounts(),
    spent: { commands: 5_021, requests: 24, bytes: 3_100_000 },
    items: [],
    itemCount: 0,
    exitCode: 0,
    verdict: "In step: 4,970 keys equal; 30 keys written to MongoDB, and read back.",
    ...more,
  };
}

export function serviceReport(more: Partial<ServiceReport> = {}): ServiceReport {
  return {
    status: "mongodb",
    kv: {
      configured: true,
      label: PAIR.primary,
      available: false,
      problem: "The source shop.upstash.io is not available.",
    },
    mongodb: { configured: true, label: PAIR.copy, available: true },
    exitCode: 4,
    verdict: "The source shop.upstash.io is not available. MongoDB serves.",
    ...more,
  };
}
