import type { Doc, DocumentId } from "../../model/document.ts";

/** A value, of one field or several, that only one document of a collection may have. */
export interface UniqueValue {
  /** Equal for equal values of the same fields, as the server compares values, and for no others. */
  readonly key: string;
}

/** What must be unique in one collection. */
export interface UniqueRules {
  /** Those of the document's unique values of which it can be asked who holds them. */
  valuesOf(document: Doc): readonly UniqueValue[];
  /** The document that holds the value now. `value` comes from `valuesOf` of these rules. */
  holderOf(value: UniqueValue, signal: AbortSignal): Promise<DocumentId | undefined>;
}

/** For stores that refuse a second document with a value that must be unique. */
export interface UniqueValues {
  /** Undefined where nothing but the `_id` is unique, as far as is certain. */
  of(collection: string, signal: AbortSignal): Promise<UniqueRules | undefined>;
}
