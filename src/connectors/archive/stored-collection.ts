/** What an archive holds, whatever made it: each kind of archive gives its collections in this form. */
import type { NotCopied } from "../../model/collection.ts";
import type { Batch, Doc, DocumentId } from "../../model/document.ts";
import type { CollectionInfo, IdRange, Metadata, ReadOptions } from "../collection.ts";
import type { NotReproduced } from "../write-outcome.ts";

/** A collection as an archive holds it. */
export interface StoredCollection {
  /** `ordered`: its documents lie in BSON order of `_id`, which was seen or is vouched for. */
  readonly info: CollectionInfo;
  /** Without the one on `_id`. */
  readonly indexes: readonly Metadata[];
  /** What of it is not as it was written down or read, or will not be built, with the cause. */
  readonly altered: readonly NotReproduced[];
  /** How the collection can be created again in a store of the source's kind: see `Blueprints`. */
  readonly blueprint?: string | undefined;
  /** As `Reader.read`. */
  read(options: ReadOptions): AsyncIterable<Batch>;
  /** By `DocumentId.key`. */
  find(ids: readonly DocumentId[], signal: AbortSignal): Promise<ReadonlyMap<string, Doc>>;
  /** See `Ranges.cut`; absent where parts cannot be read without the rest. */
  cut?(pieces: number, within: IdRange | undefined): readonly IdRange[];
  /** Number of documents, all or those of a range. */
  count(range: IdRange | undefined, signal: AbortSignal): Promise<number>;
  /**
   * Reads all that is stored of it to see that it is undamaged, as far as that can be known.
   * @throws DualsyncError `local` where it is damaged
   */
  check(signal: AbortSignal): Promise<void>;
}

/** An archive that is open. */
export interface OpenedArchive {
  /** What made it, for people: "dualsync 0.1.0", "mongodump 100.9.0". */
  readonly product: string;
  /** Whose copy it is, as far as it says so: the source's label, when it was read, and whether it was verified. */
  readonly origin?: ArchiveOrigin | undefined;
  readonly collections: readonly StoredCollection[];
  /** What lies there and is no collection that could be read, with the reason. */
  readonly notCopied: readonly NotCopied[];
  /** What `check` proves of such an archive, as a sentence for a plan. */
  readonly proof: string;
  close(): Promise<void>;
}

export interface ArchiveOrigin {
  readonly run: string;
  readonly command: string;
  readonly source: string;
  readonly from: Date;
  readonly to: Date;
  readonly verified: boolean;
}
