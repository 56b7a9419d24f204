/** What came of writes, and sums of it. */
import type { DocumentId } from "../model/document.ts";

/** written + unchanged + rejected.length = the batch's length, always. */
export interface WriteOutcome {
  /** Documents that this write put there. */
  readonly written: number;
  /** Documents that were found there already, byte for byte. */
  readonly unchanged: number;
  readonly rejected: readonly Rejected[];
  /** Parts of documents of this batch that the store has no place for: what is written lacks them. */
  readonly notReproduced?: readonly NotReproduced[];
}

/** One document that was not written, and why. The reason is for people and holds no value of the document. */
export interface Rejected {
  readonly id: DocumentId;
  readonly reason: string;
  /** Another document has this `_id` and was left as it is. Only `create` says so. */
  readonly occupied?: true | undefined;
  /** Another document holds a value that must be unique: it may be written once that one is changed or gone. */
  readonly blocked?: true | undefined;
  /** It refers to a document that the store lacks, and may be written once that is there. See `RelatedWrites`. */
  readonly waits?: true | undefined;
}

/** A part of a collection's definition, or of the database, that the target could not be given. `key` is stable. */
export interface NotReproduced {
  readonly key: string;
  readonly reason: string;
}

export const NOTHING: WriteOutcome = { written: 0, unchanged: 0, rejected: [] };

export function add(a: WriteOutcome, b: WriteOutcome): WriteOutcome {
  const lost = [...(a.notReproduced ?? []), ...(b.notReproduced ?? [])];
  return {
    written: a.written + b.written,
    unchanged: a.unchanged + b.unchanged,
    rejected: [...a.rejected, ...b.rejected],
    ...(lost.length === 0 ? {} : { notReproduced: lost }),
  };
}
