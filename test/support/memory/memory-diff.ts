import { Findings } from "../../../src/commands/diff/findings.ts";
import type { CollectionInfo, Filter } from "../../../src/connectors/collection.ts";
import { Comparing } from "../../../src/core/compare/compare.ts";
import { DiffCheckpoint } from "../../../src/core/compare/progress/diff-checkpoint.ts";
import { memoryFromJson, memoryToJson, NOTHING } from "../../../src/core/compare/progress/diff-history.ts";
import type { SavedDiffProgress } from "../../../src/core/compare/progress/diff-progress.ts";
import type { ComparedCollection, Difference, Reporter } from "../../../src/model/reporter.ts";
import { silentMeter } from "../../../src/reporting/context.ts";
import type { MemoryPair } from "./memory-run.ts";

export interface MemoryDiffOptions {
  readonly concurrency?: number;
  /** Milliseconds before each further look. */
  readonly delays?: readonly number[];
  readonly kind?: CollectionInfo["kind"];
  /** Of both sides, or of each. */
  readonly ordered?: boolean | { readonly source: boolean; readonly target: boolean };
  readonly filter?: Filter;
  readonly ignoreFieldOrder?: boolean;
  readonly accept?: readonly string[];
  /** What a former run wrote down. */
  readonly saved?: readonly SavedDiffProgress[];
  /** Whether the stores can distinguish a collection from a later one of its name; they can by default. */
  readonly uids?: boolean;
  /** How many documents each side says that it holds, where that is not what it holds. */
  readonly held?: { readonly source: number; readonly target: number };
}

export interface MemoryDiff {
  readonly report: ComparedCollection | undefined;
  readonly differences: readonly Difference[];
  readonly error: unknown;
  /** What this run, or the one before it, wrote down last, read again from its JSON. */
  readonly saved: readonly SavedDiffProgress[];
}

/** Compares the collection of one store in memory with that of another, up to the end or to the first error. */
export async function memoryDiff(stores: MemoryPair, options: MemoryDiffOptions = {}): Promise<MemoryDiff> {
  const { concurrency = 1, delays = [0, 0], kind = "collection", ordered = true, filter } = options;
  const stopper = new AbortController();
  const stop = (error: unknown): void => stopper.abort(error);
  const differences: Difference[] = [];
  const reporter: Partial<Reporter> = {
    meter: () => silentMeter,
    ready: async () => undefined,
    difference: (difference) => void differences.push(difference),
  };
  const findings = new Findings({
    ...{ reporter: reporter as Reporter, accept: options.accept ?? [], oneWay: false },
    ...{ seen: new Map(), onLimit() {} },
  });
  let written: unknown;
  const at = { since: new Date(0), saved: new Date(0), exact: true };
  const checkpoint = new DiffCheckpoint(
    {
      async write(content) {
        written = JSON.parse(JSON.stringify(content));
      },
    },
    options.saved ?? [],
    (collections) => memoryToJson({ ...NOTHING, interrupted: { ...at, collections } }),
    stop,
  );
  const info = (side: "source" | "target"): CollectionInfo => ({
    ...{ name: "orders", kind, type: kind === "collection" ? "collection" : "capped" },
    ...{ options: new Map(), bytes: 1_000 },
    ordered: typeof ordered === "boolean" ? ordered : ordered[side],
    ...(options.uids === false ? {} : { uid: `the ${side}'s` }),
    documents: options.held?.[side] ?? stores[side].documents.length,
  });
  const run = {
    ...{
      ...stores,
      now: () => new Date(),
      concurrency,
      delays,
      ignoreFieldOrder: options.ignoreFieldOrder ?? false,
    },
    ...{ oneWay: false, values: false, indexes: true, renames: new Map(), signal: stopper.signal, stop },
    report: findings.take.bind(findings),
  };
  const pair = { from: info("source"), to: info("target"), ...(filter === undefined ? {} : { filter }) };
  const comparing = new Comparing(run, [pair], checkpoint);
  let error: unknown;
  try {
    await comparing.all(reporter as Reporter);
  } catch (thrown) {
    error = thrown;
  }
  await checkpoint.flush();
  const saved = written === undefined ? undefined : memoryFromJson(written, "state").interrupted;
  return {
    report: comparing.collections[0],
    differences,
    error,
    saved: (written === undefined ? options.saved : saved?.collections) ?? [],
  };
}
