import type { NotCopied } from "../../model/collection.ts";

/** A copy that was written as a whole, and is kept beside others. */
export interface KeptCopy {
  readonly run: string;
  /** When what it holds began to be read. */
  readonly since: Date;
  /** The label of the store that it was made of. */
  readonly source: string;
  /** It was read back, and was what had been read. */
  readonly verified: boolean;
  /** It does not hold all that its source had. */
  readonly isPartial: boolean;
  /** The names that collections have there → how many documents. */
  readonly holds: ReadonlyMap<string, number>;
  /** What its source had, and is not there, or not as it should be; by the names that it would have. */
  readonly lacks: readonly NotCopied[];
  /** Why it cannot be used, as a clause. */
  readonly problem?: string | undefined;
}

/** What is known of its worth, for people, in brackets behind it. */
export function stateOf({ verified, isPartial, problem }: KeptCopy): string {
  return problem ?? `${verified ? "verified" : "not verified"}${isPartial ? ", not of everything" : ""}`;
}

/** For stores that keep earlier copies: one of them is open. */
export interface KeptCopies {
  /** All that are there, the newest last. */
  list(signal: AbortSignal): Promise<readonly KeptCopy[]>;
  /**
   * Removes the copies before this one, of this source, of which so many newer ones hold the same collections, as far as the source still had
   * them; of those that are verified, one of these is verified, too. What cannot be used stays. @returns what was removed
   */
  prune(
    keep: number,
    done: { readonly run: string; readonly source: string },
    signal: AbortSignal,
  ): Promise<readonly KeptCopy[]>;
}
