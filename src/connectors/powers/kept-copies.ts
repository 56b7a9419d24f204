/** A copy that was written as a whole, and is kept beside others. */
export interface KeptCopy {
  readonly run: string;
  /** When what it holds began to be read. */
  readonly since: Date;
  /** The label of the store that it was made of. */
  readonly source: string;
  /** It was read back, and was what had been read. */
  readonly verified: boolean;
  /** Why it cannot be used, as a clause. */
  readonly problem?: string | undefined;
}

/** For stores that keep earlier copies: one of them is open. */
export interface KeptCopies {
  /** All that are there, the newest last. */
  list(signal: AbortSignal): Promise<readonly KeptCopy[]>;
  /** Removes all whole copies of this source but the newest of them, so many. @returns what was removed */
  prune(keep: number, source: string, signal: AbortSignal): Promise<readonly KeptCopy[]>;
}
