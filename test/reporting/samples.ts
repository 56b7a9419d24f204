import type { CollectionReport, Plan, PlannedCollection, RunReport } from "../../src/model/reporter.ts";
import { Redactor } from "../../src/redact/redact.ts";
import { createReporter, type ReporterOptions, type StreamReporter } from "../../src/reporting/index.ts";
import { FakeStream, type FakeStreamOptions } from "./fake-stream.ts";

export function planned(source: string, more: Partial<PlannedCollection> = {}): PlannedCollection {
  return {
    source,
    target: source,
    kind: "collection",
    type: "collection",
    documents: 1_200,
    bytes: 1_100_000,
    action: "create",
    targetDocuments: 0,
    ...more,
  };
}

export function plan(more: Partial<Plan> = {}): Plan {
  return {
    command: "duplicate",
    source: "localhost:27017/ordersDB",
    target: "localhost:27017/ordersDB_backup",
    collections: [planned("customers"), planned("orders", { documents: 50_000, bytes: 12_400_000 })],
    notCopied: [],
    documents: 51_200,
    bytes: 13_500_000,
    estimatedTargetBytes: 9_000_000,
    notes: [],
    dryRun: false,
    ...more,
  };
}

export function copied(collection: string, more: Partial<CollectionReport> = {}): CollectionReport {
  return {
    collection,
    target: collection,
    kind: "collection",
    type: "collection",
    read: 1_200,
    written: 1_200,
    unchanged: 0,
    equivalent: 0,
    kept: 0,
    rejected: 0,
    deleted: 0,
    extra: 0,
    changed: 0,
    sourceCount: 1_200,
    targetCount: 1_200,
    verdict: "verified",
    ...more,
  };
}

export function report(more: Partial<RunReport> = {}): RunReport {
  return {
    command: "duplicate",
    source: "localhost:27017/ordersDB",
    target: "localhost:27017/ordersDB_backup",
    started: new Date("2026-11-21T03:17:00.000Z"),
    ended: new Date("2026-11-21T03:17:04.000Z"),
    collections: [copied("customers")],
    items: [],
    itemCount: 0,
    bytes: 1_100_000,
    exitCode: 0,
    verdict: "Done: 1,200 documents written, 0 documents unchanged; read back and equal byte for byte.",
    ...more,
  };
}

export interface Opened {
  readonly reporter: StreamReporter;
  readonly stdout: FakeStream;
  readonly stderr: FakeStream;
  readonly redactor: Redactor;
}

/** A reporter on streams that keep what they get. Without `terminal`, both are pipes. */
export function open(options: Partial<ReporterOptions> & { terminal?: FakeStreamOptions } = {}): Opened {
  const { terminal, ...rest } = options;
  const make = () =>
    new FakeStream(terminal === undefined ? {} : { isTTY: true, columns: 80, rows: 24, ...terminal });
  const stdout = make();
  const stderr = make();
  const redactor = new Redactor();
  const reporter = createReporter({
    mode: "auto",
    verbose: false,
    progress: true,
    env: {},
    stdout,
    stderr,
    redactor,
    runId: "run-1",
    command: "duplicate",
    ...rest,
  });
  return { reporter, stdout, stderr, redactor };
}
