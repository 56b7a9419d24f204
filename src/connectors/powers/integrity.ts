/** For stores that are files, over which no server watches: see `Reader.integrity`. */
export interface Integrity {
  /** What `check` proves, as a sentence for a plan. */
  proof(signal: AbortSignal): Promise<string>;
  /** Reads all that is stored of a collection. @throws DualsyncError `local` where it is damaged */
  check(collection: string, signal: AbortSignal): Promise<void>;
}
