/** Collections that have no unique `_id` to tell documents apart by are proved as a whole. */
import type { CollectionInfo, ReadOptions, Source } from "../connectors/connector.ts";
import { MeasurementsFingerprint, OrderedFingerprint } from "./fingerprint.ts";

/** What a store holds of a collection. */
export interface Fingerprinted {
  readonly digest: string;
  readonly documents: number;
  readonly bytes: number;
}

/** A server may hand measurements out in another order than they came in; documents of a capped collection never. */
export function newFingerprint(collection: CollectionInfo): OrderedFingerprint | MeasurementsFingerprint {
  return collection.kind === "capped" ? new OrderedFingerprint() : new MeasurementsFingerprint();
}

/** Reads the collection once. */
export async function fingerprintOf(
  store: Source,
  collection: CollectionInfo,
  options: ReadOptions,
): Promise<Fingerprinted> {
  const fingerprint = newFingerprint(collection);
  let bytes = 0;
  for await (const batch of store.read(collection, options)) {
    fingerprint.add(batch);
    bytes += batch.bytes.length;
    batch.release();
  }
  return { digest: fingerprint.digest(), documents: fingerprint.documents, bytes };
}
