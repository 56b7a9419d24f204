import type { CollectionInfo, Filter, ReadOptions, Selection } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { IsDue } from "../../connectors/powers/expiry.ts";
import type { DocumentId } from "../../model/document.ts";
import type { Difference, Meter } from "../../model/reporter.ts";
import type { Equivalence } from "../walk/equivalence.ts";
import type { DiffProgress } from "./progress/diff-progress.ts";

/** What all collections of a comparison share. */
export interface DiffRun {
  readonly source: Reader;
  readonly target: Reader;
  /** Ranges of collections that are read at the same time. */
  readonly concurrency: number;
  /** The time by the slowest of the clocks: nothing has expired that has not by all of them. */
  readonly now: () => Date;
  /** Milliseconds to wait before each further look at what differs. */
  readonly delays: readonly number[];
  readonly ignoreFieldOrder: boolean;
  /** Documents that only the target has are reported, and not counted. */
  readonly oneWay: boolean;
  /** Report values of fields too, not their types only. */
  readonly values: boolean;
  /** Names in the source → names in the target, of all collections: a definition over a renamed one follows it. */
  readonly renames: ReadonlyMap<string, string>;
  /** Compare indexes too. */
  readonly indexes: boolean;
  readonly signal: AbortSignal;
  /** Stops the whole run: called with the first failure. */
  readonly stop: (error: unknown) => void;
  /** Takes a difference that is certain; `id` where it is about one document. @returns whether it counts */
  readonly report: (difference: RawDifference, id?: DocumentId) => Promise<Difference>;
}

/** A difference as core sees it; whoever takes it adds when it was seen first and last, and whether it counts. */
export type RawDifference = Omit<Difference, "firstSeen" | "lastSeen" | "counted">;

/** Two collections to be compared. */
export interface DiffPair {
  readonly from: CollectionInfo;
  /** The target's own. */
  readonly to: CollectionInfo;
  readonly filter?: Filter | undefined;
}

/** Two collections that are being compared. */
export interface DiffJob extends DiffRun, DiffPair {
  readonly meter: Meter;
  readonly progress: DiffProgress;
  /** Tells equivalent documents from different ones; absent where only equal bytes say the same. */
  readonly equivalence?: Equivalence | undefined;
  /** Of each side: whether it deletes a document by itself. */
  readonly isDue: { readonly source: IsDue; readonly target: IsDue };
}

/** How both stores read this job's documents. */
export function readOptions(
  { filter, signal }: Pick<DiffJob, "filter" | "signal">,
  range: Selection["range"],
): ReadOptions {
  return { signal, range, filter };
}
