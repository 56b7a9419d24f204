import type { Batch, Doc } from "../../model/document.ts";
import type { WriteOutcome } from "../write-outcome.ts";

/** Hears, by collection, in which form documents are about to be written at first. */
export type OnStubs = (collection: string, stubs: readonly Doc[]) => Promise<void>;

/** For stores whose documents can refer to each other, so that one may have to wait for another. */
export interface RelatedWrites {
  /**
   * Writes documents that were rejected because they wait for each other, by collection, as with `create`: what refers to nothing
   * that is missing first, and so on; of a circle the first ones without the reference that closes it, which is added at once.
   * What still waits afterwards is rejected as before. `onStubs` hears of documents without such references before they are written.
   */
  writeTogether(
    documents: ReadonlyMap<string, Batch>,
    signal: AbortSignal,
    onStubs?: OnStubs,
  ): Promise<ReadonlyMap<string, WriteOutcome>>;
}
