import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import type { WritableStore, WriteSession } from "../../../src/connectors/contract.ts";
import type { Journal } from "../../../src/core/change/journal.ts";
import { Budget } from "../../../src/core/concurrency/byte-budget.ts";
import { keepNewer } from "../../../src/core/copy/keeping.ts";
import { NewerBy } from "../../../src/core/copy/newer.ts";
import { transferAll } from "../../../src/core/copy/transfer.ts";
import type { VerifyMode } from "../../../src/core/plan/verify-mode.ts";
import { Checkpoint } from "../../../src/core/progress/checkpoint.ts";
import { Losses } from "../../../src/core/progress/losses.ts";
import { fromJson, type SavedRun } from "../../../src/core/progress/saved-run.ts";
import type { CollectionReport, Reporter } from "../../../src/model/reporter.ts";
import { silentMeter } from "../../../src/reporting/context.ts";
import { testRun } from "../stores/claimed.ts";
import type { MemoryStore } from "./memory-store.ts";

export interface MemoryPair {
  readonly source: MemoryStore;
  readonly target: MemoryStore;
}

export interface MemoryRunOptions {
  readonly concurrency?: number;
  readonly verify?: VerifyMode;
  readonly kind?: CollectionInfo["kind"];
  /** As with --delete. */
  readonly remove?: boolean;
  /** As with --allow-shrink, which is on. */
  readonly allowShrink?: boolean;
  /** What a former run wrote down. */
  readonly saved?: SavedRun;
  readonly journal?: Journal;
  /** As in a restore: everything that is written is journaled. */
  readonly savesAll?: boolean;
  /** As with --newer-by. */
  readonly newerBy?: readonly string[];
  /** Indexes are built, too; absent: they are not. */
  readonly indexes?: boolean;
  /** Whether the documents of either side come in the order of their ids; they do where nothing is said. */
  readonly ordered?: { readonly source: boolean; readonly target: boolean };
}

export interface MemoryRun {
  readonly report: CollectionReport | undefined;
  readonly error: unknown;
  /** What this run wrote down last, read again from its JSON. */
  readonly saved: SavedRun | undefined;
  readonly losses: Losses;
}

/** Copies the collection `orders` of a store in memory to another store, most often one in memory too, up to the end or to the first error. */
export async function memoryRun(
  stores: { readonly source: MemoryStore; readonly target: WritableStore; readonly session?: WriteSession },
  options: MemoryRunOptions = {},
): Promise<MemoryRun> {
  const { concurrency = 1, verify = "content", kind = "collection", remove = false, saved } = options;
  const { allowShrink = true, indexes = false, ordered = { source: true, target: true } } = options;
  const stopper = new AbortController();
  const stop = (error: unknown): void => stopper.abort(error);
  let written: unknown;
  const store = {
    async write(content: unknown) {
      written = JSON.parse(JSON.stringify(content));
    },
  };
  const reported = { token: "t", since: new Date(0), verify, onFailure: stop };
  const checkpoint = new Checkpoint({ ...reported, store, ...(saved === undefined ? {} : { saved }) });
  const losses = new Losses([]);
  const session = stores.session ?? (await stores.target.claim(testRun("memory"), stopper.signal));
  const newerBy = new NewerBy(options.newerBy);
  const transfer = {
    ...{ ...stores, session, verify, delete: remove, allowShrink, indexes, concurrency },
    newerBy,
    keeping: keepNewer(newerBy),
    ...{ losses, checkpoint, budget: new Budget(200), signal: stopper.signal, stop, note() {} },
    ...(options.journal === undefined ? {} : { journal: options.journal, savesAll: options.savesAll }),
  };
  const size = { documents: stores.source.documents.length, bytes: 1_000 };
  const type = kind === "collection" ? "collection" : "capped";
  const info = { name: "orders", kind, type, uid: "the source's", options: new Map(), ...size };
  const from = { ...info, ordered: ordered.source };
  const job = { from, to: { ...info, ordered: ordered.target }, doubts: [] };
  const reporter = { meter: () => silentMeter } as Partial<Reporter> as Reporter;
  let report: CollectionReport | undefined;
  let error: unknown;
  try {
    report = (await transferAll(transfer, [job], reporter)).collections[0];
  } catch (thrown) {
    error = thrown;
  }
  await checkpoint.flush();
  return { report, error, losses, saved: written === undefined ? undefined : fromJson(written, "state") };
}
