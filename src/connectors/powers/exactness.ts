import type { NotReproduced } from "../write-outcome.ts";

/** For stores whose documents are made from something else, which reading may not give exactly. */
export interface Exactness {
  /**
   * What of a collection reading does not give exactly, as far as reading has shown until now, with the cause and what to do
   * about it. A collection with any is neither verified nor identical.
   */
  inexact(collection: string): readonly NotReproduced[];
}
