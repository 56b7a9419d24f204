/** What a store holds, as results name it. */

/**
 * What a collection is to a copier. `collection`: its documents have a unique `_id`, which makes a repeated write harmless.
 * `sequence`: they have not, and are copied whole and in order. `definition`: there are no documents, only what it is.
 */
export type CollectionKind = "collection" | "sequence" | "definition";

/** Something that exists in the store and is not a collection that can be copied. */
export interface NotCopied {
  readonly name: string;
  readonly reason: string;
  /** It holds what a person would expect to be copied: leaving it out is a loss that must be named. */
  readonly isLoss?: true | undefined;
}
