/** What a run reports. `core/` and `commands/` know only these types; how it looks is the reporter's business. */
import type { CollectionKind, NotCopied } from "./collection.ts";
import type { ChangePlan, ChangeReport, Comparison, Difference, DiffReport } from "./comparison.ts";
import type { DualsyncError } from "./errors.ts";
import type { Item } from "./item.ts";
import type { ServiceReport, SyncPlan, SyncReport } from "./sync.ts";

export type * from "./comparison.ts";
export type * from "./sync.ts";

export interface PlannedCollection {
  readonly source: string;
  readonly target: string;
  readonly kind: CollectionKind;
  /** What the store calls it. */
  readonly type: string;
  /** By the source's own bookkeeping; undefined for a definition. */
  readonly documents: number | undefined;
  readonly bytes: number | undefined;
  /** What will be done: "create", "fill" (it is there and empty), "update" (it holds documents), "define" (a definition). */
  readonly action: "create" | "fill" | "update" | "define";
  /** Documents the target holds now, by its own bookkeeping. */
  readonly targetDocuments: number;
  /** What a comparison found, where the target holds documents that dualsync did not put there. */
  readonly found?: AdoptionPreview | undefined;
  /** Of a restore. */
  readonly restore?: RestorePreview | undefined;
}

/** Documents of a collection and its copy, compared byte for byte. */
export interface AdoptionPreview {
  readonly equal: number;
  /** Not equal byte for byte, and yet the same to the store that the documents were made from. */
  readonly equivalent: number;
  readonly different: number;
  readonly missing: number;
  readonly extra: number;
  /** A few ids of documents that differ. */
  readonly examples: readonly string[];
}

/** What a restore finds of a collection, and would do with it. */
export interface RestorePreview extends AdoptionPreview {
  /** Of those that differ: newer in the target, by a date. */
  readonly newer: number;
  /** Of those that differ: replaced by the copy's. */
  readonly overwritten: number;
  /** Of those that differ: left as they are, as it is not known which is to stay. */
  readonly conflicts: number;
  /** Of those that only the target has: removed. */
  readonly removed: number;
  /** Of those that only the target has: newer than the last verified run of the copy, or without a date that tells. */
  readonly newerExtra: number;
  /** Of those that are missing: those that refer to something that the target does not show. */
  readonly outside: number;
  /** Bytes of the documents that are written, and of those that are saved before they are replaced or removed. */
  readonly writtenBytes: number;
  readonly savedBytes: number;
}

/** The interrupted run that this one resumes. */
export interface Resumed extends Done {
  /** When the first of the runs that belong together began. */
  readonly since: Date;
}

/** Shown before the first write. Every name in it is hostile data: escape it. */
export interface Plan {
  readonly command: string;
  readonly source: string;
  readonly target: string;
  readonly collections: readonly PlannedCollection[];
  readonly notCopied: readonly NotCopied[];
  readonly documents: number;
  readonly bytes: number;
  /** Rough size of the copy on the target's disk, in bytes: what the target does not hold yet. */
  readonly estimatedTargetBytes: number;
  /** Sentences: what may be changed on the target, and what a reader must know ("not a point in time"). */
  readonly notes: readonly string[];
  /** Lines that people run in the target first, so that it can hold what it lacks; shown as they are. */
  readonly statements?: readonly string[] | undefined;
  readonly dryRun: boolean;
  /** What an interrupted run has copied and proved, and is not read again. */
  readonly resumed?: Resumed | undefined;
}

/** What is copied and proved already. */
export interface Done {
  readonly documents: number;
  readonly bytes: number;
}

/** Progress of one collection. Calls are cheap: a reporter draws at its own pace. */
export interface Meter {
  advance(documents: number, bytes: number): void;
  phase(name: "copying" | "verifying" | "building indexes" | "comparing" | "settling" | "repairing"): void;
  end(): void;
}

export type Verdict =
  | "verified" // read back, and equal
  | "counts match"
  | "not verified" // --verify none, or a dry run
  | "defined" // a definition
  | "incomplete" // everything else verified, but named things are missing
  | "failed"; // verification failed

export interface CollectionReport {
  readonly collection: string;
  readonly target: string;
  readonly kind: CollectionKind;
  /** What the store calls it. */
  readonly type: string;
  /** read = written + unchanged + kept + rejected. */
  readonly read: number;
  readonly written: number;
  readonly unchanged: number;
  /** Of those that are unchanged: equivalent to what the source has, and not equal byte for byte. */
  readonly equivalent: number;
  /** Documents of the target that differ, and stay as the run was told. */
  readonly kept: number;
  readonly rejected: number;
  /** Documents removed with --delete. */
  readonly deleted: number;
  /** Documents that only the target has, and that stay there. */
  readonly extra: number;
  /** Documents that changed in the source during the run and were copied again. */
  readonly changed: number;
  /** Counted by the servers at the end; undefined when it was not counted. */
  readonly sourceCount: number | undefined;
  readonly targetCount: number | undefined;
  /** The store keeps no order of the fields of a document: equal means equal in everything else. */
  readonly anyFieldOrder?: true | undefined;
  readonly verdict: Verdict;
}

export interface RunReport {
  readonly command: string;
  readonly source: string;
  readonly target: string;
  readonly started: Date;
  readonly ended: Date;
  readonly collections: readonly CollectionReport[];
  /** At most a few thousand; `itemCount` is the whole number. */
  readonly items: readonly Item[];
  readonly itemCount: number;
  /** Bytes of the documents read. */
  readonly bytes: number;
  /** What of it an interrupted run had copied and proved, and was not read again. */
  readonly resumed?: Resumed | undefined;
  readonly exitCode: number;
  /** One sentence, for people: what was done, how it was proved, what to run next. */
  readonly verdict: string;
}

export interface Reporter {
  /** Information during the run; not part of the result. */
  note(message: string): void;
  /** Something that needs attention; shown with --quiet too. */
  warn(message: string): void;
  /** More than most people want to see: only with --verbose. */
  detail(message: string): void;
  plan(plan: Plan): void;
  /** What is going to be compared. */
  comparison(comparison: Comparison): void;
  /** One confirmed difference, as soon as it is confirmed; collections may come interleaved. */
  difference(difference: Difference): void;
  /** Resolves when the reader of the output has taken everything so far: for callers that report much. */
  ready(): Promise<void>;
  /** What is going to be changed, or taken back. */
  changePlan(plan: ChangePlan): void;
  /** Starts the progress of a collection; `documents` is an estimate, `done` of them were copied by a former run. */
  meter(collection: string, documents: number, done?: Done): Meter;
  /** The result. Called at most once, last, unless `fail` is. */
  finish(report: RunReport): void;
  /** The result of comparing; in place of `finish`. */
  compared(report: DiffReport): void;
  /** The result of repairing or undoing; in place of `finish`. */
  changed(report: ChangeReport): void;
  /** What is going to be brought together. */
  syncPlan(plan: SyncPlan): void;
  /** The result of that; in place of `finish`. */
  synced(report: SyncReport): void;
  /** Which stores serve; in place of `finish`. */
  checked(report: ServiceReport): void;
  /** The run failed. Called at most once, last, instead of `finish`. */
  fail(error: DualsyncError, exitCode: number): void;
  /** Leaves the terminal tidy. May be called at any time, more than once. */
  close(): void;
}
