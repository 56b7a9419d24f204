/** For stores whose operator may cease to serve them for a while: for want of a quota, or for any other reason. */
export interface Probe {
  /**
   * Writes something of dualsync's own and reads it back: resolves when the store serves both. Leaves nothing behind. Costs two billed
   * commands where commands are billed. @throws DualsyncError the reason why it does not serve
   */
  serves(signal: AbortSignal): Promise<void>;
}
