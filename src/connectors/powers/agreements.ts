/**
 * What two stores that are written on both sides held when they last said the same: from this is known which of them changed since.
 * The copy keeps it.
 */
import type { DocumentId } from "../../model/document.ts";

/** What both sides held of one document when they last agreed. */
export interface Agreement {
  readonly id: DocumentId;
  /** `Content.hash` of the primary's document and of the copy's; they differ where both say the same in other forms. */
  readonly primary: string;
  readonly copy: string;
  readonly expiresAt: number | undefined;
  /**
   * `Content.hash` of what this agreement's write took the place of, on the side that was written. What holds that again was taken back,
   * by an undo for example: it is no newer than the other side.
   */
  readonly replaced?:
    | { readonly primary?: string | undefined; readonly copy?: string | undefined }
    | undefined;
  /** When it was first seen that the primary has it no longer and the copy has. */
  readonly missingSince?: Date | undefined;
}

/** Of a reader. */
export interface AgreementReader {
  /** Of these ids, by `DocumentId.key`. */
  find(ids: readonly DocumentId[], signal: AbortSignal): Promise<ReadonlyMap<string, Agreement>>;
  /** All of them, in no order, a bounded number at a time. */
  read(signal: AbortSignal): AsyncIterable<readonly Agreement[]>;
  count(signal: AbortSignal): Promise<number>;
}

/** Of a session. */
export interface AgreementWriter {
  /** Keeps them in place of those with the same ids. */
  leave(agreements: readonly Agreement[], signal: AbortSignal): Promise<void>;
  forget(ids: readonly DocumentId[], signal: AbortSignal): Promise<void>;
}
