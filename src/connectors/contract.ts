/**
 * The contract between the program and a store. `core/` knows only these types and those of `powers/`. Between two stores a
 * document is its BSON bytes; a connector whose store is not MongoDB translates at its own edge and nowhere else.
 *
 * Rules for every method: a rejected promise is a DualsyncError; "could not read" is never an empty answer; the
 * signal, where there is one, ends every wait; retries happen inside the connector.
 */
import type { NotCopied } from "../model/collection.ts";
import type { Batch, DocumentId } from "../model/document.ts";
import type { CollectionInfo, Listing, Metadata, ReadOptions, Selection } from "./collection.ts";
import type { AgreementReader, AgreementWriter } from "./powers/agreements.ts";
import type { BlueprintReader, Blueprints, BlueprintWriter } from "./powers/blueprints.ts";
import type { Cautions } from "./powers/cautions.ts";
import type { Changes } from "./powers/changes.ts";
import type { ChecksumReader, ChecksumWriter } from "./powers/checksums.ts";
import type { Contents } from "./powers/contents.ts";
import type { Costs } from "./powers/costs.ts";
import type { Digests } from "./powers/digests.ts";
import type { Exactness } from "./powers/exactness.ts";
import type { Expiry } from "./powers/expiry.ts";
import type { Filters } from "./powers/filters.ts";
import type { GuardedWrites } from "./powers/guarded-writes.ts";
import type { Hiding } from "./powers/hiding.ts";
import type { Integrity } from "./powers/integrity.ts";
import type { KeptCopies } from "./powers/kept-copies.ts";
import type { Keys } from "./powers/keys.ts";
import type { Lookup } from "./powers/lookup.ts";
import type { Mapping } from "./powers/mapping.ts";
import type { MetadataPower } from "./powers/metadata.ts";
import type { Presence } from "./powers/presence.ts";
import type { Probe } from "./powers/probe.ts";
import type { Ranges } from "./powers/ranges.ts";
import type { References } from "./powers/references.ts";
import type { RelatedWrites } from "./powers/related-writes.ts";
import type { RunHistory, RunRecord } from "./powers/run-history.ts";
import type { SelectiveReads } from "./powers/selective-reads.ts";
import type { Sequences } from "./powers/sequences.ts";
import type { Size } from "./powers/size.ts";
import type { UniqueValues } from "./powers/unique-values.ts";
import type { StoreWords } from "./words.ts";
import type { NotReproduced, WriteOutcome } from "./write-outcome.ts";

export interface StoreIdentity {
  /** The store's own clock, when it was asked; undefined where it does not say. */
  readonly time?: Date;
  /** Tells this server process from every other one, whatever addresses lead to it; undefined where it does not say. */
  readonly instance?: string;
  /** Product and version as the server says, for example "MongoDB 8.0.4". */
  readonly product: string;
  /** Where, without credentials: host and database. */
  readonly label: string;
}

/** What every store can do. Everything else is a power, asked for before it is used: see `Powers`. */
export interface Reader extends Powers {
  /** For people: host and database, without credentials. */
  readonly label: string;
  readonly words: StoreWords;
  /** Whether `count` is exact. Where it is not, a collection was read whole when its cursor ended without a fault. */
  readonly countsExactly: boolean;
  /** Requests that it answers at a time as fast as one; absent where that is not known, and small collections get no more than others. */
  readonly parallel?: number | undefined;
  /** A collection that was renamed counts as another one: its `uid` stands for its name, too. */
  readonly uidsHoldNames?: true | undefined;
  identity(signal: AbortSignal): Promise<StoreIdentity>;
  /** Without `selects` all names are selected. What is not need not be looked at: see `Listing.unselected`. */
  list(signal: AbortSignal, selects?: (name: string) => boolean): Promise<Listing>;
  /** Number of documents, counted by the server now; never an estimate, but where the store says so. */
  count(collection: string, selection: Selection, signal: AbortSignal): Promise<number>;
  /**
   * Batches bounded in bytes, none of them empty; in `_id` order where the collection is ordered, else in the store's own order, in which a
   * document may come twice where ids are not guaranteed to be unique.
   */
  read(collection: CollectionInfo, options: ReadOptions): AsyncIterable<Batch>;
  close(): Promise<void>;
}

/** What a store may be able to do besides. Without a power the general way is used, or the user is informed; never a guess. */
export interface Powers {
  readonly ranges?: Ranges | undefined;
  readonly lookup?: Lookup | undefined;
  readonly keys?: Keys | undefined;
  readonly selectiveReads?: SelectiveReads | undefined;
  readonly digests?: Digests | undefined;
  readonly filters?: Filters | undefined;
  readonly changes?: Changes | undefined;
  readonly metadata?: MetadataPower | undefined;
  readonly mapping?: Mapping | undefined;
  readonly exactness?: Exactness | undefined;
  readonly hiding?: Hiding | undefined;
  readonly presence?: Presence | undefined;
  readonly expiry?: Expiry | undefined;
  readonly uniqueValues?: UniqueValues | undefined;
  readonly references?: References | undefined;
  readonly cautions?: Cautions | undefined;
  readonly blueprints?: Blueprints | undefined;
  readonly keptBlueprints?: BlueprintReader | undefined;
  readonly history?: RunHistory | undefined;
  readonly checksums?: ChecksumReader | undefined;
  readonly size?: Size | undefined;
  readonly contents?: Contents | undefined;
  readonly agreements?: AgreementReader | undefined;
  readonly costs?: Costs | undefined;
  readonly probe?: Probe | undefined;
  readonly integrity?: Integrity | undefined;
  readonly keptCopies?: KeptCopies | undefined;
}

/** A store that has these powers. */
export type With<P extends keyof Powers> = { readonly [K in P]-?: NonNullable<Powers[K]> };

/** A store that may be writable: only whoever holds its lease gets the methods that write. */
export interface Store extends Reader {
  /** Takes the lease, or fails with `locked`. Proves at the same time that writes arrive byte for byte. */
  claim?(run: Run, signal: AbortSignal): Promise<WriteSession>;
  /** Of a place that is written once: begins anew beside what was published before. */
  begin?(run: Run, copied: CopiedStore, signal: AbortSignal): Promise<Sink>;
}

/** The store that is written down as a whole somewhere else. */
export interface CopiedStore {
  readonly kind: string;
  readonly label: string;
  readonly product: string;
  /** Its database's name, where it has one. */
  readonly database: string;
}

/** A store that can be claimed. */
export type WritableStore = Store & Required<Pick<Store, "claim">>;

/** A process that holds a lease, as far as another one can know it. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
  /** Distinguishes machines, and containers on one machine; undefined where that is impossible. */
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
  /** It held this store before, and may not have been able to release it: a lease with its id is its own. */
  readonly beginsAgain?: boolean | undefined;
  /** Whether that process is certain to have ended: then its lease need not run out first. Unknown is false. */
  isGone(holder: Holder): boolean;
}

/** The right to write, held in the target itself and renewed until it is released. */
export interface Lease {
  /** Aborts when the lease could not be renewed: whoever holds it must stop writing at once. */
  readonly lost: AbortSignal;
  /** A value that only this run wrote into this target. */
  readonly nonce: string;
  /** Leaves in the target who fills it, from where, and what was proved of it. */
  record(record: RunRecord): Promise<void>;
  /** Gives the right back; a store in which nothing was recorded looks as it did before the claim. */
  release(): Promise<void>;
}

/** What may be done to a target by the one run that holds its lease; each method makes sure of the lease first. */
export interface WriteSession extends Lease {
  /**
   * Creates the collection as the source has it, under `info.name`, or checks the one that is there, and remembers
   * where its content comes from. `info.uid` is the source's. Fails with `incomplete` when this store cannot have such a
   * collection.
   */
  prepare(info: CollectionInfo, signal: AbortSignal): Promise<PreparedCollection>;
  /** Resolves when the store has acknowledged the batch durably; repeating it is harmless. */
  write(collection: string, batch: Batch, mode: WriteMode, signal: AbortSignal): Promise<WriteOutcome>;
  /**
   * Removes documents by id; resolves with the number removed. Where others refer to some of them it removes the rest, and fails
   * with the reason `referred`.
   */
  remove(collection: string, ids: readonly DocumentId[], signal: AbortSignal): Promise<number>;
  /** What can only be done when the documents are there: `indexes` are those of the source that this collection may lack. */
  finish(
    info: CollectionInfo,
    indexes: readonly Metadata[],
    signal: AbortSignal,
  ): Promise<readonly NotReproduced[]>;
  /**
   * Rules of its own, a trigger for example, may make another document of one that the store is given, and not the same each time.
   * That is the application's doing: the document stays.
   */
  readonly alters?: true | undefined;
  /** Whether rules of this collection may give a field of every document that is written another value; in doubt true. */
  readonly rewritesFields?: ((collection: string) => boolean) | undefined;
  readonly sequences?: Sequences | undefined;
  readonly checksums?: ChecksumWriter | undefined;
  readonly blueprints?: BlueprintWriter | undefined;
  readonly relatedWrites?: RelatedWrites | undefined;
  readonly guarded?: GuardedWrites | undefined;
  readonly agreements?: AgreementWriter | undefined;
}

export interface PreparedCollection {
  /** True when the collection holds no document: plain inserts will do. */
  readonly empty: boolean;
  /** True when dualsync created it, or found it empty when it first came to it: then it holds what dualsync put there. */
  readonly fromEmpty: boolean;
  /** The target's collection; undefined where the store does not know, and for a definition. */
  readonly uid?: string | undefined;
  readonly notReproduced: readonly NotReproduced[];
}

/**
 * How to write. `insert`: the documents are believed to be absent; one that is there already is compared and
 * replaced when it differs. `create`: the same, but one that is there and differs is left as it is and rejected, for
 * the caller to decide. `replace`: they are believed to be there.
 */
export type WriteMode = "insert" | "create" | "replace";

/**
 * What is written once and as a whole, and read from then on: an archive. Nobody sees anything of it before `publish`. Each
 * method resolves when what it did is durable.
 */
export interface Sink {
  /** Begins a collection. One that is begun and not ended is not part of what is written. */
  begin(info: CollectionInfo, indexes: readonly Metadata[], signal: AbortSignal): Promise<SinkCollection>;
  /** Opens what was written, to be verified; nothing is written any more. */
  reopen(signal: AbortSignal): Promise<Reader>;
  readonly blueprints?: BlueprintWriter | undefined;
  /** Makes it what readers of this place find. */
  publish(done: Published, signal: AbortSignal): Promise<void>;
  /** Removes what was not published. Harmless after that, and more than once. */
  discard(): Promise<void>;
}

export interface Published {
  /** It was read back, and was what had been written. */
  readonly verified: boolean;
  /** What the source has, and this has not. */
  readonly lacks: readonly NotCopied[];
}

/** What became known of a collection when it was read. */
export interface AsRead extends Pick<CollectionInfo, "partial"> {
  readonly doubts: readonly NotReproduced[];
}

/**
 * A collection on its way into a sink, whose reader gives its documents byte for byte: in the same order, or in that of their ids where
 * the source has no order.
 */
export interface SinkCollection {
  write(batch: Batch, signal: AbortSignal): Promise<void>;
  end(read: AsRead, signal: AbortSignal): Promise<void>;
}
