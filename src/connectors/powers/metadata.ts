import type { Sigil } from "../../model/comparison.ts";
import type { CollectionInfo, Metadata } from "../collection.ts";

/** A collection under the names that collections have in the copy. */
export interface Renamed {
  readonly info: CollectionInfo;
  /**
   * Names of options that, as they are in `info`, may not mean in the copy what they mean in the source, each with the
   * cause. Everything of which it is certain follows the names nevertheless.
   */
  readonly uncertain: ReadonlyMap<string, string>;
}

export interface MetadataDifference {
  /** As the losses of a copy are named, after the target's collection. */
  readonly key: string;
  /** `+`: only in the source. `-`: only in the target. `!`: it is unknown whether it means the same. */
  readonly sigil: Sigil & ("+" | "-" | "*" | "!");
  /** In words. Holds names, and parts of definitions, which are hostile data. */
  readonly detail: string;
}

/** A collection and its copy. */
export interface DescribedPair {
  readonly source: CollectionInfo;
  readonly target: CollectionInfo;
  readonly sourceIndexes: readonly Metadata[];
  readonly targetIndexes: readonly Metadata[];
  /** Old name → new name, of all collections. */
  readonly renames: ReadonlyMap<string, string>;
}

/** For stores whose collections have options, indexes and so on, which a copy should have too. */
export interface MetadataPower {
  /** Index definitions as the store lists them, the one on `_id` left out. */
  indexes(collection: string, signal: AbortSignal): Promise<readonly Metadata[]>;
  /** Gives a collection its new name, and follows the new names of others that its definition reads from. */
  renamed(collection: CollectionInfo, renames: ReadonlyMap<string, string>): Renamed;
  /** Why this store has no room for a collection of this name and type, in words that follow the name; undefined: it has. */
  nameProblem?(collection: CollectionInfo): string | undefined;
  /** In what two collections of such stores differ besides their documents. Empty for a collection and its complete copy. */
  differences(pair: DescribedPair): readonly MetadataDifference[];
}
