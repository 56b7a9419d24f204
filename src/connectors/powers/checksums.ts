/** What a verified run leaves with a collection, to find out later what was changed there since: bytes that only core understands. */

export interface ChecksumReader {
  /** What was left with a collection; undefined when there is nothing. */
  read(collection: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
}

export interface ChecksumWriter {
  /**
   * Leaves these bytes, a few hundred kilobytes, with the collection. They are gone before anything is written to it or
   * removed from it again by a session. A store that cannot promise that has not this power.
   */
  leave(collection: string, checksums: Uint8Array, signal: AbortSignal): Promise<void>;
}
