/**
 * The contract between the program and a store. `core/` knows only these types. Between two stores a document is
 * its BSON bytes; a connector whose store is not MongoDB translates at its own edge and nowhere else.
 *
 * Rules for every method: a rejected promise is a DualsyncError; "could not read" is never an empty answer; the
 * signal, where there is one, ends every wait; retries happen inside the connector.
 */
import type { Batch, Doc, DocumentId } from "../model/document.ts";

/** What a collection is to a copier. `collection` has a unique `_id`, which makes a repeated write harmless; capped
 * and time-series collections have not: they are copied whole and in order. A view is only its definition. */
export type CollectionKind = "collection" | "capped" | "timeseries" | "view";

/** A value tree whose documents are Maps in stored order and whose leaves are BSON values: nothing is promoted. */
export type Metadata = ReadonlyMap<string, unknown>;

export interface CollectionInfo {
  readonly name: string;
  readonly kind: CollectionKind;
  /** Tells this collection from a later one of the same name; undefined where the store cannot. */
  readonly uid?: string | undefined;
  /** The options that the collection was created with. */
  readonly options: Metadata;
  /** Do reads by `_id` come in BSON order? False under a default collation: such collections are compared by lookup. */
  readonly ordered: boolean;
  /** The store answers with nothing, too, where it hides what it has: that it holds no document is no proof of it. */
  readonly mayBeHidden?: true;
  /** The store guarantees that no two of its documents have the same `_id`, so that reading by `_id` passes over none. */
  readonly idsAreUnique?: true;
  /**
   * Names of collections whose documents those of this one refer to, where the store insists on that: in a target they are
   * to be written before this one's. Collections may refer to each other in a circle. Itself is never among them.
   */
  readonly after?: readonly string[];
  /** The field that says when a document was changed last, where the store can select by it. */
  readonly changedBy?: string | undefined;
  /** Number of documents by the store's own bookkeeping: for plans and progress, never for a verdict. */
  readonly documents: number;
  /** Bytes of those documents, uncompressed, by the same bookkeeping. */
  readonly bytes: number;
}

/** Something that exists in the store and is not a collection that can be copied. */
export interface NotCopied {
  readonly name: string;
  readonly reason: string;
  /** It holds what a person would expect to be copied: leaving it out is a loss that must be named. */
  readonly isLoss?: true;
}

export interface Listing {
  readonly collections: readonly CollectionInfo[];
  readonly notCopied: readonly NotCopied[];
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

/** A condition on documents, as the store's own query document; validated before it comes here. */
export type Filter = Metadata;

export interface Selection {
  readonly range?: IdRange | undefined;
  readonly filter?: Filter | undefined;
}

export interface ReadOptions extends Selection {
  /** Start after this id (not included). Used to go on after an interruption. */
  readonly after?: DocumentId | undefined;
  /** Only what was changed at this time or later, by `CollectionInfo.changedBy`. Not for collections without that. */
  readonly changedSince?: Date | undefined;
  /** Largest number of documents in a batch. The connector bounds the bytes by itself. */
  readonly batchSize?: number | undefined;
  readonly signal: AbortSignal;
}

/** One document that was not written, and why. The reason is for people and holds no value of the document. */
export interface Rejected {
  readonly id: DocumentId;
  readonly reason: string;
  /** Another document has this `_id` and was left as it is. Only `create` says so. */
  readonly occupied?: true;
  /** It refers to a document that the store has not, and may be written once that is there. See `Target.writeTogether`. */
  readonly waits?: true;
}

/** written + unchanged + setAside.length = the batch's length, always. */
export interface WriteOutcome {
  /** Documents that this write put there. */
  readonly written: number;
  /** Documents that were found there already, byte for byte. */
  readonly unchanged: number;
  readonly rejected: readonly Rejected[];
  /** Parts of documents of this batch that the store has no place for: what is written lacks them. */
  readonly notReproduced?: readonly NotReproduced[];
}

/**
 * How to write. `insert`: the documents are believed to be absent; one that is there already is compared and
 * replaced when it differs. `create`: the same, but one that is there and differs is left as it is and rejected, for
 * the caller to decide. `replace`: they are believed to be there. `append`: in order, for collections without a unique
 * `_id`; not repeatable.
 */
export type WriteMode = "insert" | "create" | "replace" | "append";

/** A part of a collection's metadata, or of the database, that the target could not be given. `key` is stable. */
export interface NotReproduced {
  readonly key: string;
  readonly reason: string;
}

export interface PreparedCollection {
  /** True when the collection holds no document: plain inserts will do. */
  readonly empty: boolean;
  /** True when dualsync created it, or found it empty when it first came to it: then it holds what dualsync put there. */
  readonly fromEmpty: boolean;
  /** The target's collection; undefined where the store cannot tell, and for a view. */
  readonly uid?: string | undefined;
  readonly notReproduced: readonly NotReproduced[];
}

/** A process that holds a lease, as far as another one can know it. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
  /** Tells machines, and containers on one machine, apart; undefined where that cannot be told. */
  readonly machine?: string;
  /** Tells a process from a later one with the same number. */
  readonly started?: string;
}

/** Who is writing: goes into the target's lease and history. */
export interface Run {
  readonly id: string;
  readonly command: string;
  readonly holder: Holder;
  /** The other store's label, without credentials. */
  readonly from: string;
  /** Whether that process is certain to have ended: then its lease need not run out first. Unknown is false. */
  isGone(holder: Holder): boolean;
}

/** The right to write, held in the target itself, renewed until released; every write makes sure of it first. */
export interface Lease {
  /** Aborts when the lease could not be renewed: whoever holds it must stop writing at once. */
  readonly lost: AbortSignal;
  /** A value that only this run wrote into this target. */
  readonly nonce: string;
  /** Leaves in the target who fills it, from where, and what was proved of it. */
  record(filled: RunRecord): Promise<void>;
  /** Gives the right back; a store in which nothing was recorded looks as it did before the claim. */
  release(): Promise<void>;
}

/** The target's memory of the run that filled it last, or is at it. */
export interface RunRecord {
  readonly command: string;
  /** The source's label. */
  readonly from: string;
  readonly run: string;
  /** Ties what a machine remembers of an interrupted run to this record. */
  readonly token: string;
  /** False from the first write until everything was copied. */
  readonly complete: boolean;
  readonly verified: boolean;
  /** When the first of the runs began that belong together. */
  readonly since: Date;
  /** Documents that each collection held in the end, by its name in the target; without those that lack something. */
  readonly documents: ReadonlyMap<string, number>;
}

/** Where the content of a collection comes from. True of that very collection, not of a later one of the same name. */
export interface Provenance {
  readonly uid: string;
  /** True when dualsync created it, or found it empty when it first came to it: then it holds what dualsync put there. */
  readonly fromEmpty: boolean;
  /** The source's label. */
  readonly from: string;
  /** The uid of the collection in the source. */
  readonly source?: string;
}

/** What a store remembers of the runs that wrote to it. Empty where none has. */
export interface History {
  readonly filled?: RunRecord;
  /** By the name of the collection. */
  readonly collections: ReadonlyMap<string, Provenance>;
}

export interface StoreIdentity {
  /** The store's own clock, when it was asked; undefined where it does not say. */
  readonly time?: Date | undefined;
  /** Tells this server process from every other one, whatever addresses lead to it; undefined where it does not say. */
  readonly instance?: string | undefined;
  /** Product and version as the server says, for example "MongoDB 8.0.4". */
  readonly product: string;
  /** Where, without credentials: host and database. */
  readonly label: string;
}

export interface Source {
  /** For people: host and database, without credentials. */
  readonly label: string;
  /** Present where documents are made from something else: then there are no options, validators or indexes to copy. */
  readonly mapping?: Mapping | undefined;
  identity(signal: AbortSignal): Promise<StoreIdentity>;
  list(signal: AbortSignal): Promise<Listing>;
  /**
   * Why a collection that is not listed may be there all the same, as the store says when it is asked for by its name;
   * undefined: there is none, or it is listed. For stores that do not list what may not be read: nothing unlisted is held to be gone before.
   */
  hiddenReason?(collection: string, signal: AbortSignal): Promise<string | undefined>;
  /** Exact number of documents, counted by the server now; never an estimate. */
  count(collection: string, selection: Selection, signal: AbortSignal): Promise<number>;
  /** Cuts the collection, or a range of it, into about `pieces` half-open ranges that tile every possible id of it. */
  ranges(
    collection: CollectionInfo,
    pieces: number,
    signal: AbortSignal,
    within?: IdRange,
  ): Promise<readonly IdRange[]>;
  /**
   * A way to let the store hash the collection by itself; undefined unless it has proved, on documents that it holds,
   * that it computes exactly what `digestOf` defines. Asked of the server each time, never of its version.
   */
  digester?(collection: CollectionInfo, signal: AbortSignal): Promise<Digester | undefined>;
  /** Batches bounded in bytes; in `_id` order where the collection is ordered, else in the store's own order. */
  read(collection: CollectionInfo, options: ReadOptions): AsyncIterable<Batch>;
  /** As `read`, but documents with nothing but their `_id`: for stores that can tell ids for much less than documents. */
  ids?(collection: CollectionInfo, options: ReadOptions): AsyncIterable<Batch>;
  /**
   * What of a collection reading does not give exactly, as far as reading has shown until now: `column orders.total`, with
   * the cause and what to do about it. A collection with any is neither verified nor identical. For stores whose documents
   * are made from something else.
   */
  inexact?(collection: string): readonly NotReproduced[];
  /** How many were changed since then: of collections that say when, by stores that can be read for it. */
  countChanged?(collection: CollectionInfo, since: Date, signal: AbortSignal): Promise<number>;
  /** The documents with these ids, by `DocumentId.key`; an id that is absent is absent from the map. */
  find(
    collection: string,
    ids: readonly DocumentId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Doc>>;
  /** Whether the collection that was listed is still there, not dropped and not replaced by one of the same name. */
  stillExists(collection: CollectionInfo, signal: AbortSignal): Promise<boolean>;
  /** Whether `find` can be asked for this id at all; one that it cannot be asked for is never in its answer. */
  canQuery(id: DocumentId): boolean;
  /** Index definitions as the store lists them, the one on `_id` left out; empty for a store without indexes. */
  indexes(collection: string, signal: AbortSignal): Promise<readonly Metadata[]>;
  /** What this store remembers of runs that wrote to it. */
  history(signal: AbortSignal): Promise<History>;
  /** What was left with a collection by `Target.leaveChecksums`; undefined when there is nothing, or nothing any more. */
  checksums?(collection: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Bytes that the database takes up now, data and indexes, as the quotas of hosted clusters count them. */
  size(signal: AbortSignal): Promise<number>;
  /** Whether a nonce written by `Target.claim` is visible through this connection under this store's own name. */
  seesNonce(nonce: string, signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

export interface Target extends Source {
  /** Why this store can have no collection of that name; undefined: it can. */
  nameProblem(name: string): string | undefined;
  /** Takes the lease, or fails with `locked`. Proves at the same time that writes arrive byte for byte. */
  claim(run: Run, signal: AbortSignal): Promise<Lease>;
  /**
   * Creates the collection as the source has it, under `info.name`, or checks the one that is there, and remembers
   * where its content comes from. `info.uid` is the source's. Fails with `set-aside` when this store cannot
   * have such a collection. Needs the lease, as all that follows.
   */
  prepare(info: CollectionInfo, signal: AbortSignal): Promise<PreparedCollection>;
  /**
   * Drops and creates again a capped or time-series collection that a run of this program created or found empty, so
   * that it can be copied again; false, with nothing done, when the collection is somebody else's.
   */
  reset(info: CollectionInfo, signal: AbortSignal): Promise<boolean>;
  /** Resolves when the store has acknowledged the batch durably; repeating it is harmless but for `append`. */
  write(collection: string, batch: Batch, mode: WriteMode, signal: AbortSignal): Promise<WriteOutcome>;
  /**
   * Writes documents that `write` rejected because they wait for each other, by collection: what refers to nothing that is
   * missing first, and so on; of a circle the first ones without the reference that closes it, which is added at once. What
   * still waits afterwards is rejected as before. Present where documents can refer to each other.
   */
  writeTogether?(
    documents: ReadonlyMap<string, Batch>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, WriteOutcome>>;
  /** Removes documents by id; resolves with the number removed. */
  remove(collection: string, ids: readonly DocumentId[], signal: AbortSignal): Promise<number>;
  /** Builds the indexes that the source has and this collection lacks: plain ones first, then unique, then TTL. */
  finish(
    info: CollectionInfo,
    indexes: readonly Metadata[],
    signal: AbortSignal,
  ): Promise<readonly NotReproduced[]>;
  /**
   * Leaves these bytes, a few hundred kilobytes, with the collection. They are gone before anything is written to it or
   * removed from it again through this interface. A store that cannot promise that has not this method.
   */
  leaveChecksums?(collection: string, checksums: Uint8Array, signal: AbortSignal): Promise<void>;
}

/**
 * A segment of a collection, hashed: by one definition equal for the same documents and for no others. Two definitions
 * are never compared.
 */
export interface RangeDigest {
  readonly documents: number;
  /** Bytes of what was hashed. */
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
  /**
   * Of documents that were hashed as the records that they stand for: how many are other bytes than the store of those
   * records makes of them. No part of what is compared.
   */
  readonly equivalent?: number;
}

/** A store that hashes its own documents, as they are stored: the digest that `digestOf` in range-digest.ts defines. */
export interface Digester {
  digest(selection: Selection, signal: AbortSignal): Promise<RangeDigest>;
}

/** Hashes documents, which are added in the order of their `_id`. */
export interface DocumentsHash {
  add(batch: Batch): void;
  digest(): RangeDigest;
}

/** A range and what it holds. */
export interface HashedRange {
  readonly range: IdRange;
  readonly digest: RangeDigest;
}

/**
 * A store that hashes its own records, by a definition of its own: two documents hash the same when they stand for the same
 * record, in every text, whatever their bytes. What is not a record hashes as nothing that this store holds.
 */
export interface RecordDigester extends Digester {
  /** Computes the same of documents, of this store or another one. */
  hash(): DocumentsHash;
  /** Cuts a range into about so many pieces with as many records, and hashes them in one go. They tile the range. */
  digestPieces(range: IdRange, pieces: number, signal: AbortSignal): Promise<readonly HashedRange[]>;
}

/**
 * What two documents under one `_id` that are not equal byte for byte are to a store whose documents are made from
 * something else, rows for example. `equivalent`: what the store can hold of both is the same; numbers of another type, or
 * fields that nothing in the store stands for. `lossy-equal`: the same but for what the other one cannot hold, the
 * microseconds of a time. `different`: all else.
 */
export type Classification = "equivalent" | "lossy-equal" | "different";

/** How the documents that a store makes of its own records stand to documents that others wrote. */
export interface Mapping {
  /** `own` was made by this store. Asked only of documents that are not equal byte for byte. */
  classify(collection: string, own: Doc, other: Doc): Classification;
  /** Names of the fields that make them different; undefined where `other` cannot be read as one of this store's at all. */
  differing(collection: string, own: Doc, other: Doc): readonly string[] | undefined;
  /** What is to take the place of `other`: `own`, followed by the fields of `other` that nothing in this store stands for. */
  merged(collection: string, own: Doc, other: Doc): Doc;
  /** As `Source.digester`, of what the documents are made from. */
  digester?(collection: CollectionInfo, signal: AbortSignal): Promise<RecordDigester | undefined>;
}
