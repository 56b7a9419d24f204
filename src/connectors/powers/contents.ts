/** What counts of a document whose copies are written on both sides. */
import type { Doc } from "../../model/document.ts";

export interface Content {
  /** SHA-256, in hexadecimal digits, of what the document says, its time of expiry left out. */
  readonly hash: string;
  /** When it expires, in milliseconds since 1970; undefined: never. */
  readonly expiresAt: number | undefined;
  /** Parts of the document that the store has no form for, in words: they are lost when it is written there. */
  readonly losses: readonly string[];
}

/** Why a document cannot be read as one of this store's at all, in words that follow its id. */
export interface Unreadable {
  readonly problem: string;
}

/** For stores whose documents are written by several parties, here and in the copy. Asked about documents of either side. */
export interface Contents {
  of(doc: Doc): Content | Unreadable;
  /** Both can be read, and say the same, be it in other forms; times of expiry do not count. */
  saysSame(a: Doc, b: Doc): boolean;
  /** The same content with another time of expiry. */
  withExpiry(doc: Doc, expiresAt: number | undefined): Doc;
}
