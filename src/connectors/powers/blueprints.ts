/**
 * What is needed to create a collection again, in a store of the same kind where it is lost: text that only its connector understands.
 * A copy keeps it, for a store of another kind has no place for it otherwise.
 */

/** Longest blueprint that is kept, in bytes of UTF-8. */
export const LONGEST_BLUEPRINT = 256 * 1024;

/** For stores whose collections have a schema that a copy elsewhere cannot have. */
export interface Blueprints {
  /** Of a collection that was listed, as it is now; undefined where not enough is known, or where it would be too long. */
  of(collection: string, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Why a copy of these collections could not be restored as they are now, and what to do about it while there is time: whole sentences;
   * none where nothing is in the way.
   */
  doubts(collections: readonly string[]): readonly string[];
  /** Blueprints of such a store, in any order, by names for messages: they are hostile until a person has read what comes of them. */
  creation(blueprints: ReadonlyMap<string, string>): Creation;
}

/** How collections can be created again. */
export interface Creation {
  /** Statements for people to read and run: whatever is referred to comes first. Empty: there is nothing that could be created. */
  readonly statements: string;
  /** What they do not bring back, as whole sentences. */
  readonly lacks: readonly string[];
}

/** For stores that keep the blueprints of what was copied into them. */
export interface BlueprintReader {
  /** By the name of the collection in this store. */
  read(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
}

export interface BlueprintWriter {
  /** Keeps the blueprint of a collection, in place of the one that was kept before. Nothing is written where that is the same. */
  leave(collection: string, blueprint: string, signal: AbortSignal): Promise<void>;
}
