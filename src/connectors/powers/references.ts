import type { Doc, DocumentId } from "../../model/document.ts";

/** A reference that leads to what this store does not show, so that no copy of it holds that. */
export interface OutsideReference {
  /** Names of the fields that hold it. */
  readonly fields: readonly string[];
  /** Where it leads, as the store writes it. */
  readonly to: string;
  /** Whether the document has such a reference: none of the fields is null or missing. */
  isIn(document: Doc): boolean;
}

/** For stores whose documents can refer to each other, and that may delete or alter what refers to a deleted document. */
export interface References {
  /** Why it is unknown which documents refer to those of the collection, as a clause; undefined: it is known. */
  unknown(collection: string): string | undefined;
  /**
   * Of these documents, by `DocumentId.key`, those that other documents refer to now, each with the name of one collection that has
   * such a document. One that only refers to itself is not among them, nor one to which only documents refer that are themselves
   * `leaving`: by collection, their keys. Not to be asked where it is unknown.
   */
  referred(
    collection: string,
    ids: readonly DocumentId[],
    signal: AbortSignal,
    leaving?: ReadonlyMap<string, ReadonlySet<string>>,
  ): Promise<ReadonlyMap<string, string>>;
  /** The same ids, in an order in which documents of this collection come before those of it that they refer to; in a circle in any. */
  referrersFirst(
    collection: string,
    ids: readonly DocumentId[],
    signal: AbortSignal,
  ): Promise<readonly DocumentId[]>;
  /** References of the collection's documents to what is not shown; undefined where that is not known. */
  outside(collection: string): readonly OutsideReference[] | undefined;
}
