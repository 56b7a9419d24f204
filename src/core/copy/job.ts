import type { CollectionInfo, Filter, IdRange, ReadOptions } from "../../connectors/collection.ts";
import type { Reader, WriteSession } from "../../connectors/contract.ts";
import type { Rejected, WriteOutcome } from "../../connectors/write-outcome.ts";
import type { Doc, DocumentId } from "../../model/document.ts";
import type { Meter } from "../../model/reporter.ts";
import type { AlteredFields } from "../change/altered-fields.ts";
import type { Journal, Journaling } from "../change/journal.ts";
import type { ChecksumBuilder } from "../checksums/checksum-builder.ts";
import type { LastVerified } from "../checksums/last-verified.ts";
import type { Budget } from "../concurrency/byte-budget.ts";
import type { ComparedDocuments } from "../plan/plan.ts";
import type { SizeLimit } from "../plan/size-limit.ts";
import type { VerifyMode } from "../plan/verify-mode.ts";
import type { Blocked } from "../progress/blocked.ts";
import type { Checkpoint } from "../progress/checkpoint.ts";
import type { Losses } from "../progress/losses.ts";
import type { Part, Progress } from "../progress/progress.ts";
import type { Tally } from "../progress/tally.ts";
import { classified, type Equivalence } from "../walk/equivalence.ts";
import { lookUpIds, mergeOrLookUp, type WalkOptions } from "../walk/merge-or-look-up.ts";
import type { Step } from "../walk/walk.ts";
import type { Keeping } from "./keeping.ts";
import type { NewerBy } from "./newer.ts";

/** What all collections of a run share. */
export interface Transfer {
  readonly source: Reader;
  readonly target: Reader;
  /** What may be done to the target. */
  readonly session: WriteSession;
  readonly verify: VerifyMode;
  /** Remove documents that the source no longer has. */
  readonly delete: boolean;
  /** Of what only the target has: whether it stays all the same. */
  readonly staysAsExtra?: ((document: Doc) => boolean) | undefined;
  /** Remove them even where that is more than half of what the target holds. */
  readonly allowShrink: boolean;
  readonly indexes: boolean;
  /** Tells which version of a document was changed later. */
  readonly newerBy: NewerBy;
  /** What of the target is not replaced. */
  readonly keeping: Keeping;
  /** Everything that is written is journaled, and not only what replaces what others wrote. */
  readonly savesAll?: boolean | undefined;
  readonly batchSize?: number | undefined;
  /** Ranges of collections that are read and written at the same time. */
  readonly concurrency: number;
  readonly losses: Losses;
  readonly budget: Budget;
  readonly checkpoint: Checkpoint;
  /** Saves what is overwritten or removed and was not dualsync's own; absent where nobody asks for that. */
  readonly journal?: Journal | undefined;
  /** Learns which fields the target's own rules alter; absent where they count like all others. */
  readonly altered?: AlteredFields | undefined;
  /** Keeps the target below a size; absent without a limit. */
  readonly sizeLimit?: SizeLimit | undefined;
  /** Ends every wait: the person, the lease or a failure elsewhere in the run stops it. */
  readonly signal: AbortSignal;
  /** Tells the person something that is not part of the result. */
  readonly note: (message: string) => void;
  /** Stops the whole run: called with the first failure. */
  readonly stop: (error: unknown) => void;
}

/** One collection on its way. */
export interface Job extends Transfer {
  readonly from: CollectionInfo;
  /** The same collection under its name on the target. */
  readonly to: CollectionInfo;
  readonly filter?: Filter | undefined;
  /** Only these documents are looked at, on both sides. */
  readonly ids?: readonly DocumentId[] | undefined;
  /** What comparing has shown, where nothing is to be changed. */
  readonly compared?: ComparedDocuments | undefined;
  /** Only what was changed since then is read from the source: each document is looked up in the target. */
  readonly since?: Date | undefined;
  /** With `since`: how many documents the target held when the last run ended. */
  readonly heldBefore?: number | undefined;
  readonly meter: Meter;
  readonly progress: Progress;
  /** Keys of documents that were rejected or kept, so that verification does not miss them again. */
  readonly rejected: Set<string>;
  readonly journaling?: Journaling | undefined;
  /** Tells equivalent documents from different ones; absent where only equal bytes say the same. */
  readonly equivalence?: Equivalence | undefined;
  /** Tells what of the copy is as it was last verified; absent where nothing does. */
  readonly lastVerified?: LastVerified | undefined;
  /** Gathers what is proved of the copy; absent where nothing should be left with it. */
  readonly checksumBuilder?: ChecksumBuilder | undefined;
}

/** A part of a collection on its way: `tally`, `losses` and `blocked` are the part's own until it is done. */
export interface PartJob extends Job {
  readonly tally: Tally;
  readonly blocked: Blocked;
}

export function partJob(job: Job, { tally, losses, blocked }: Part): PartJob {
  return { ...job, tally, losses, blocked };
}

/** Why the second of two documents under one `_id` is rejected. */
export const DUPLICATE_ID =
  "the source holds two documents with this _id (on two shards?); a copy can hold only one";

/** Accounts for each document of a write. */
export function account(job: PartJob, documents: number, bytes: number, outcome: WriteOutcome): void {
  job.tally.count(documents, bytes, outcome);
  takeRejected(job, outcome.rejected);
  for (const { key, reason } of outcome.notReproduced ?? []) job.losses.add(key, reason);
  job.meter.advance(documents, bytes);
}

/** Accounts for documents whose counterparts in the target stay as they are. */
export function accountKept(job: PartJob, documents: readonly Doc[]): void {
  if (documents.length === 0) return;
  const bytes = documents.reduce((sum, document) => sum + document.bytes.length, 0);
  job.tally.keep(documents.length, bytes);
  // Reading back what was written must not take them for documents that are missing.
  for (const { id } of documents) job.rejected.add(id.key);
  job.checksumBuilder?.except(documents.map(({ id }) => id));
  job.meter.advance(documents.length, bytes);
}

/** Names what was rejected, or has it tried again later. */
export function takeRejected(job: PartJob, rejected: readonly Rejected[]): void {
  for (const { id } of rejected) job.rejected.add(id.key);
  const isRetried = (one: Rejected): boolean => one.blocked === true || one.waits === true;
  const lost = rejected.filter((one) => !isRetried(one) || !job.blocked.add(one));
  job.losses.addDocuments(job.from.name, lost);
}

/** What should be copied, held against what the target holds. */
export function walkOf(
  job: Job,
  range: IdRange,
  listeners: Pick<WalkOptions, "onSource" | "onTarget"> = {},
): AsyncGenerator<Step> {
  const walk =
    job.ids === undefined
      ? mergeOrLookUp(job, readOptions(job, range), { ...listeners, changedSince: job.since })
      : lookUpIds(job, job.ids, job.signal);
  return classified(walk, job.equivalence);
}

/** How both stores read this job's documents within a range. */
export function readOptions(job: Job, range: IdRange): ReadOptions {
  const { filter, batchSize, signal } = job;
  return { range, filter, batchSize, signal };
}
