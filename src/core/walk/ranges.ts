import { TYPE } from "../../bson/elements.ts";
import type { CollectionInfo, Source } from "../../connectors/contract.ts";
import type { DocumentId } from "../../model/document.ts";

/** Bytes of documents that a range aims at: small enough to spread over workers, large enough to be worth a cursor. */
const RANGE_BYTES = 32_000_000;
/** Collections below this are copied in one piece. */
const WHOLE_BYTES = 8_000_000;
const MOST_RANGES = 4_096;

/** Into how many ranges to cut a collection. Only ordered collections can be cut. */
export function piecesFor(collection: CollectionInfo, concurrency: number): number {
  if (collection.kind !== "collection" || !collection.ordered || collection.bytes < WHOLE_BYTES) return 1;
  return Math.min(MOST_RANGES, Math.max(concurrency, Math.ceil(collection.bytes / RANGE_BYTES)));
}

/** Whether a range can begin at this id: the ends of the order cannot, nor ids that cannot be asked for. */
export function isBound(source: Source, id: DocumentId): boolean {
  return id.element[0] !== TYPE.minKey && id.element[0] !== TYPE.maxKey && source.canQuery(id);
}
