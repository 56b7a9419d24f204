import type { IdRange } from "../../connectors/collection.ts";
import type { DocumentId } from "../../model/document.ts";

/** A segment of a collection and what it held: every document whose `_id` lies in it, in order. */
export interface Segment extends IdRange {
  readonly documents: number;
  /** Bytes of those documents. */
  readonly bytes: number;
  /** SHA-256 over them, back to back; perhaps cut. */
  readonly hash: Uint8Array;
}

/** Whether both hold the same documents, byte for byte, in the same segments. Of hashes that are not cut. */
export function areSame(a: readonly Segment[], b: readonly Segment[]): boolean {
  return a.length === b.length && a.every((segment, i) => isSame(segment, b[i]));
}

function isSame(a: Segment, b: Segment | undefined): boolean {
  return (
    b !== undefined &&
    a.documents === b.documents &&
    a.bytes === b.bytes &&
    Buffer.compare(a.hash, b.hash) === 0 &&
    isSameId(a.from, b.from) &&
    isSameId(a.to, b.to)
  );
}

function isSameId(a: DocumentId | undefined, b: DocumentId | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a.element, b.element) === 0;
}
