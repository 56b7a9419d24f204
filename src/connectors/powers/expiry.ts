import type { Doc } from "../../model/document.ts";
import type { CollectionInfo } from "../collection.ts";

/** Says of a document whether the store is due to delete it by itself, or has done so already. In doubt false. */
export type IsDue = (document: Doc, now: Date) => boolean;

/** For stores that delete documents by themselves when their time has come. Without this power none does. */
export interface Expiry {
  of(collection: CollectionInfo, signal: AbortSignal): Promise<IsDue>;
  /** How many documents of the collection are due by now, counted by the store; absent where it cannot count them. */
  count?(collection: CollectionInfo, now: Date, signal: AbortSignal): Promise<number>;
  /** What is due cannot be written: the store has it no longer as soon as it is there. */
  readonly removesAtOnce?: true | undefined;
}
