import { TYPE } from "../../bson/elements.ts";
import type { CollectionInfo, IdRange } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { DocumentId } from "../../model/document.ts";
import { canQuery } from "./lookup.ts";

/** Bytes of documents that a range aims at: small enough to spread over workers, large enough to be worth a cursor. */
const RANGE_BYTES = 32_000_000;
/** Collections below this are copied in one piece. */
const WHOLE_BYTES = 8_000_000;
const MOST_RANGES = 4_096;

/** Bytes of a collection that costs only round trips. */
const SMALL_BYTES = 128 * 1024;

/** Whether it is read at once and worked on beside others. One whose size the store does not say is not. */
export function isSmall({ documents, bytes }: CollectionInfo): boolean {
  return bytes <= SMALL_BYTES && (bytes > 0 || documents === 0);
}

/** Into how many ranges to cut a collection. Only ordered collections can be cut. */
export function piecesFor(collection: CollectionInfo, concurrency: number): number {
  if (collection.kind !== "collection" || !collection.ordered || collection.bytes < WHOLE_BYTES) return 1;
  return Math.min(MOST_RANGES, Math.max(concurrency, Math.ceil(collection.bytes / RANGE_BYTES)));
}

/** Whether a range of both stores can begin at this id: the ends of the order cannot, nor ids that cannot be used in a query. */
export function isBound({ source, target }: BothStores, id: DocumentId): boolean {
  if (source.ranges === undefined || target.ranges === undefined) return false;
  return id.element[0] !== TYPE.minKey && id.element[0] !== TYPE.maxKey && canQuery(source, id);
}

interface BothStores {
  readonly source: Reader;
  readonly target: Reader;
}

/** Cuts a collection, or a range of it; one piece where the store cannot do that, or the other one cannot read a part. */
export async function cutInto(
  store: Reader,
  other: Reader,
  collection: CollectionInfo,
  pieces: number,
  signal: AbortSignal,
  within?: IdRange,
): Promise<readonly IdRange[]> {
  if (other.ranges === undefined) return [within ?? {}];
  return (await store.ranges?.cut(collection, pieces, signal, within)) ?? [within ?? {}];
}
