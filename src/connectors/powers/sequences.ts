import type { Batch } from "../../model/document.ts";
import type { CollectionInfo } from "../collection.ts";
import type { WriteOutcome } from "../write-outcome.ts";

/** Writes collections of the kind `sequence`. Without this power such a collection is named and not copied. */
export interface Sequences {
  /** Adds the batch at the end, in order; not repeatable. */
  append(collection: string, batch: Batch, signal: AbortSignal): Promise<WriteOutcome>;
  /**
   * Drops and creates again a sequence that a run of this program created or found empty, so that it can be copied again;
   * false, with nothing done, when it is somebody else's.
   */
  reset(info: CollectionInfo, signal: AbortSignal): Promise<boolean>;
}
