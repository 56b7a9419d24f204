import type { DocumentId } from "../../model/document.ts";
import type { CollectionInfo, Filter } from "../collection.ts";

/** Reads and counts only the documents that match a condition. A connector with `readFilters` has it. */
export interface Filters {
  /** Which of these ids belong to documents that match, by `DocumentId.key`. */
  among(
    collection: CollectionInfo,
    filter: Filter,
    ids: readonly DocumentId[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>>;
}
