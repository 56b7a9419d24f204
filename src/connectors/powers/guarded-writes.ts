/** Writes that take effect only where a document is still what was read: nobody else's write is lost. */
import type { Doc, DocumentId } from "../../model/document.ts";
import type { CollectionInfo } from "../collection.ts";

/** One document that is to become another one, or to be created or removed. */
export interface GuardedWrite {
  readonly id: DocumentId;
  /** As it was read; undefined: there was none. */
  readonly expected: Doc | undefined;
  /** What is to take its place; undefined: it is to be removed. */
  readonly wanted: Doc | undefined;
}

/** What a write changes in the store itself, where documents are made from something else, too: this is what an undo takes back. */
export interface StoredChange {
  readonly collection: Pick<CollectionInfo, "name" | "uid">;
  readonly id: DocumentId;
  readonly before: Doc | undefined;
  readonly after: Doc | undefined;
}

/** A write that was looked at and not made yet. Only the session that prepared it can make it. */
export interface PreparedWrite {
  readonly write: GuardedWrite;
  readonly stored: StoredChange;
  /** What it changes besides, where the document moves to another place in the store. */
  readonly beside?: readonly StoredChange[] | undefined;
}

/**
 * What became of a write. `byOther`: it was there already as it is wanted, and it is certain that this write did not put it there.
 * `conflict`: what is there is somebody else's, neither what was expected nor what is wanted; it was left as it is.
 * `rejected`: the store does not take it; the reason is for people and holds no value of the document.
 */
export type GuardedOutcome =
  | { readonly result: "written"; readonly byOther?: true }
  | { readonly result: "conflict" }
  | { readonly result: "rejected"; readonly reason: string };

/** Of a session. Without this power a document is looked at before it is written, and what is written in between is lost. */
export interface GuardedWrites {
  /** Changes nothing. One answer for each write, in their order: how it is to be made, or why it will not be. */
  prepare(
    collection: string,
    writes: readonly GuardedWrite[],
    signal: AbortSignal,
  ): Promise<readonly (PreparedWrite | Exclude<GuardedOutcome, { result: "written" }>)[]>;
  /**
   * Makes them, each wholly or not at all. One outcome for each, in their order. Repeating it is harmless: what is there already as it
   * is wanted counts as written.
   */
  apply(
    collection: string,
    writes: readonly PreparedWrite[],
    signal: AbortSignal,
  ): Promise<readonly GuardedOutcome[]>;
}
