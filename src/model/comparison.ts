/** The results of comparing two stores, and of repairing and undoing. All names, ids and values are hostile data. */
import type { CollectionKind } from "./collection.ts";
import type { Item } from "./item.ts";

/**
 * `missing`: only in the source. `extra`: only in the target. `changed`: other bytes. `idtype`: equal to the server by
 * `_id`, which is of another type or text. `metadata`: an option, an index, a validator, a definition, or a whole collection.
 * `content`: a collection without ids to distinguish documents by. `unreadable`: could not be
 * compared.
 */
export type DifferenceKind =
  | "missing"
  | "extra"
  | "changed"
  | "idtype"
  | "metadata"
  | "content"
  | "unreadable";

/** The line's first character, as rclone's `--combined` has it. */
export type Sigil = "=" | "+" | "-" | "*" | "!";

/** A document on one side. */
export interface Side {
  /** SHA-256 of the stored bytes, in hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** A field in which two documents differ. A type is a name as `$type` has it; undefined where the field is absent. */
export interface FieldDifference {
  /** JSON pointer (RFC 6901): "/items/0/price"; "" is the whole document (for example its order of fields). */
  readonly path: string;
  readonly source: string | undefined;
  readonly target: string | undefined;
  /** Present with --values only: canonical Extended JSON, cut. */
  readonly sourceValue?: string | undefined;
  readonly targetValue?: string | undefined;
  /** What differs, where types and values do not say it: "order of fields". */
  readonly note?: string | undefined;
}

export interface Difference {
  /** Stable, for --accept: "document orders/17", "index orders/geo_2d", "option orders/validator", "collection orders". */
  readonly key: string;
  readonly kind: DifferenceKind;
  readonly sigil: Sigil;
  /** Names in the source and in the target. */
  readonly collection: string;
  readonly targetCollection: string;
  /** The `_id` on one line; undefined for what is not about one document. */
  readonly id?: string | undefined;
  /** Present where it is less than `different`: the same except for what the copy cannot hold. */
  readonly classification?: "lossy-equal" | undefined;
  /** In words, for people: what a metadata difference is about, why something could not be compared. */
  readonly detail?: string | undefined;
  readonly source?: Side | undefined;
  readonly target?: Side | undefined;
  /** At most 20. */
  readonly fields: readonly FieldDifference[];
  /** How many fields more differ. */
  readonly moreFields: number;
  /**
   * `stable`: seen twice, both sides unchanged in between. `moving`: changed each time it was looked at. What is `unreadable` is
   * not looked at again, and counts as stable.
   */
  readonly state: "stable" | "moving";
  /** Which side changed since the copy was last verified: `behind`, the source alone; `diverged`, the copy (too). */
  readonly drift?: "behind" | "diverged" | undefined;
  readonly rounds: number;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  /** Only in the copy, and listed without being counted (--one-way); or named with --accept. */
  readonly counted: boolean;
}

/**
 * How a collection was compared. `bytes`: every byte was read. `hashes`: both servers hashed, equal segments were not read.
 * `source-hashes`, `target-hashes`: the server of that side did, and all of the other was read. `records`: a store hashed the
 * records that its documents stand for, and all of the other was read.
 */
export type Tier =
  | "bytes"
  | "hashes"
  | "source-hashes"
  | "target-hashes"
  | "records"
  | "lookup"
  | "whole"
  | "definition";

/** `accepted`: nothing differs but what was accepted by name, or is only in the copy under --one-way. */
export type ComparedVerdict = "identical" | "accepted" | "different" | "moving" | "not compared";

export interface ComparedCollection {
  readonly collection: string;
  readonly target: string;
  readonly kind: CollectionKind;
  /** What the store calls it. */
  readonly type: string;
  readonly tier: Tier;
  /** Documents seen on each side; 0 for a definition. */
  readonly sourceDocuments: number;
  readonly targetDocuments: number;
  readonly equal: number;
  /** Of those that are equal: the same to the store that made them, and not equal byte for byte. */
  readonly equivalent: number;
  /** Stable differences. */
  readonly missing: number;
  readonly extra: number;
  readonly changed: number;
  /** Of options, indexes and so on. */
  readonly metadata: number;
  readonly moving: number;
  /** Could not be compared. */
  readonly unreadable: number;
  /** Differed when they were first seen, and no longer do. */
  readonly settled: number;
  /** They expired: deleted on one side, and due to be on the other. */
  readonly expired: number;
  /** Differences of all kinds that were accepted by name, or are extras under --one-way. */
  readonly accepted: number;
  /** Of the stable differences, those where the target's history shows which side changed. */
  readonly behind: number;
  readonly diverged: number;
  /** Whether all of it was looked at, so that a 0 is a number. What is named as `unreadable` may still be missing from it. */
  readonly complete: boolean;
  /** Documents that differ in the order of their fields count as equal: the store keeps none, or --ignore-field-order. */
  readonly anyFieldOrder?: true | undefined;
  readonly verdict: ComparedVerdict;
}

/** What is going to be compared: shown first. */
export interface Comparison {
  readonly command: string;
  readonly source: string;
  readonly target: string;
  readonly collections: readonly {
    readonly source: string;
    readonly target: string;
    readonly kind: CollectionKind;
    readonly type: string;
    /** By the source's own bookkeeping; undefined for a definition. */
    readonly documents: number | undefined;
    readonly bytes: number | undefined;
  }[];
  /** Left out, with the reason. */
  readonly notCompared: readonly { readonly name: string; readonly reason: string }[];
  /** When the interrupted comparison began that is resumed. */
  readonly resumedSince?: Date | undefined;
  readonly notes: readonly string[];
}

/** One of the last comparisons of this pair. */
export interface PastComparison {
  readonly started: Date;
  readonly ended: Date;
  readonly exitCode: number;
  readonly documents: number;
  readonly differences: number;
  readonly verdict: string;
}

export interface DiffReport {
  readonly command: string;
  readonly source: string;
  readonly target: string;
  /** Each document was equal, or not, at some instant between these two. */
  readonly started: Date;
  readonly ended: Date;
  readonly collections: readonly ComparedCollection[];
  /** Whether everything that was to be compared was. */
  readonly complete: boolean;
  /** Whether equal means equal byte for byte in every collection; false where the order of fields did not count. */
  readonly exact: boolean;
  /** What was not compared, with the reason, and whether that was the person's choice or is so by nature. */
  readonly notCompared: readonly {
    readonly name: string;
    readonly reason: string;
    readonly chosen: boolean;
  }[];
  /** Bytes received from both servers. */
  readonly bytesRead: number;
  /** Bytes of the documents compared, on both sides, by the stores' own bookkeeping where they were not read. */
  readonly bytesCompared: number;
  readonly ranges: { readonly done: number; readonly total: number };
  /** Newest first, without this one. */
  readonly past: readonly PastComparison[];
  /** The first of the differences, for a page that shows samples. */
  readonly samples: readonly Difference[];
  readonly differences: number;
  /** The plan that was written with --plan. */
  readonly plan?: string | undefined;
  readonly exitCode: number;
  /** One sentence: what was compared, when, how, and what to run next. */
  readonly verdict: string;
}

/** What `repair` and `undo` are about to do. */
export interface ChangePlan {
  readonly command: string;
  readonly source?: string | undefined;
  readonly target: string;
  readonly collections: readonly {
    readonly collection: string;
    readonly insert: number;
    readonly replace: number;
    readonly remove: number;
  }[];
  readonly notes: readonly string[];
  readonly dryRun: boolean;
}

/** What `repair` and `undo` have done. */
export interface ChangeReport {
  readonly command: string;
  readonly source?: string | undefined;
  readonly target: string;
  readonly started: Date;
  readonly ended: Date;
  readonly collections: readonly {
    readonly collection: string;
    /** Written or removed, and seen to be so. */
    readonly changed: number;
    /** Found as they should be already. */
    readonly unchanged: number;
    /** Not what they were when the plan was made, or the run was: left as they are. */
    readonly conflicts: number;
    /** Not to be done: removals without --delete. */
    readonly skipped: number;
  }[];
  /** Conflicts and what was refused, by name. */
  readonly items: readonly Item[];
  readonly itemCount: number;
  readonly exitCode: number;
  readonly verdict: string;
}
