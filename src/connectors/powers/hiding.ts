/**
 * For stores that do not list what may not be read: what was copied from one before and is no longer listed is a loss. Without
 * this power what is not listed is not there.
 */
export interface Hiding {
  /**
   * Why a collection that is not listed may be there all the same, as the store says when it is asked for by its name;
   * undefined: there is none, or it is listed.
   */
  reason(collection: string, signal: AbortSignal): Promise<string | undefined>;
}
