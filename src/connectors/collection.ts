/** Collections as stores list them, and what can be read of one. */
import type { CollectionKind, NotCopied } from "../model/collection.ts";
import type { DocumentId } from "../model/document.ts";
import type { NotReproduced } from "./write-outcome.ts";

/** A value tree whose documents are Maps in stored order and whose leaves are BSON values: nothing is promoted. */
export type Metadata = ReadonlyMap<string, unknown>;

/** A condition on documents, as the store's own query document; validated before it comes here. */
export type Filter = Metadata;

/** A collection as a store lists it. */
export interface CollectionInfo {
  readonly name: string;
  /** What it is to a copier. */
  readonly kind: CollectionKind;
  /** What the store itself calls it, for people and for reports. */
  readonly type: string;
  /** Tells this collection from a later one of the same name; undefined where the store cannot. */
  readonly uid?: string | undefined;
  /** What the collection was created with: only connectors look into it. */
  readonly options: Metadata;
  /** Of a collection: reads by `_id` come in BSON order. Of a sequence: each read gives the documents in the same order. */
  readonly ordered: boolean;
  /** The store answers with nothing, too, where it hides what it has: that it holds no document is no proof of it. */
  readonly mayBeHidden?: true | undefined;
  /** The store guarantees that no two of its documents have the same `_id`, so that reading by `_id` passes over none. */
  readonly idsAreUnique?: true | undefined;
  /**
   * Names of collections whose documents those of this one refer to, where the store insists on that: in a target they are
   * to be written before this one's. Collections may refer to each other in a circle. Itself is never among them.
   */
  readonly after?: readonly string[] | undefined;
  /** The field that says when a document was changed last, where the store can select by it. See `Changes`. */
  readonly changedBy?: string | undefined;
  /** Why it is not all of what it was made of, as a clause: that it lacks a document says nothing. */
  readonly partial?: string | undefined;
  /** What of it is not as it was written down or read, or will not be built, each with a key and the cause: named as losses. */
  readonly doubts?: readonly NotReproduced[] | undefined;
  /** Number of documents by the store's own bookkeeping: for plans and progress, never for a verdict. */
  readonly documents: number;
  /** Bytes of those documents, uncompressed, by the same bookkeeping. */
  readonly bytes: number;
}

export interface Listing {
  readonly collections: readonly CollectionInfo[];
  readonly notCopied: readonly NotCopied[];
  /** What was not selected, where the store did not look at it for that reason. */
  readonly unselected?: readonly Pick<CollectionInfo, "name" | "uid">[] | undefined;
}

/**
 * A half-open range of `_id`s in the store's own order: `from` is inside, `to` is not. Without `from` it begins
 * before every id, without `to` it ends after every id, whatever their types. `from` comes before `to`: servers refuse
 * a range that holds no id.
 */
export interface IdRange {
  readonly from?: DocumentId | undefined;
  readonly to?: DocumentId | undefined;
}

export interface Selection {
  /** Only of stores that have `Ranges`. */
  readonly range?: IdRange | undefined;
  /** Only of stores that have `Filters`. */
  readonly filter?: Filter | undefined;
}

export interface ReadOptions extends Selection {
  /** Start after this id (not included), in an ordered collection. Used to resume after an interruption. */
  readonly after?: DocumentId | undefined;
  /** Only what was changed at this time or later, by `CollectionInfo.changedBy`. Not for collections without that. */
  readonly changedSince?: Date | undefined;
  /** Largest number of documents in a batch. The connector bounds the bytes by itself. */
  readonly batchSize?: number | undefined;
  readonly signal: AbortSignal;
}
