/** For --max-target-size, which is refused without this power. */
export interface Size {
  /** Bytes that the database takes up now, data and indexes, as the quotas of hosted clusters count them. */
  bytes(signal: AbortSignal): Promise<number>;
}
