/** Collections that have no unique `_id` to distinguish documents by are verified as a whole. */
import { hash } from "node:crypto";
import type { CollectionInfo, ReadOptions } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { Batch } from "../../model/document.ts";
import { hashAnyFieldOrder, OrderedFingerprint, UnorderedFingerprint } from "./fingerprint.ts";

/** What a store holds of a collection. */
export interface Fingerprinted {
  readonly digest: string;
  readonly documents: number;
  readonly bytes: number;
}

/** Where each read gives the documents in the same order, that order counts. */
export function newFingerprint(collection: CollectionInfo): OrderedFingerprint | UnorderedFingerprint {
  return keepsNoFieldOrder(collection) ? new UnorderedFingerprint() : new OrderedFingerprint();
}

/** A store that keeps no order of such documents keeps none of their fields either: see `UnorderedFingerprint`. */
export function keepsNoFieldOrder({ kind, ordered }: Pick<CollectionInfo, "kind" | "ordered">): boolean {
  return kind === "sequence" && !ordered;
}

/** Reads the collection once. */
export async function fingerprintOf(
  store: Reader,
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

/** A collection as one store is asked for it. */
export interface AskedCollection {
  readonly store: Reader;
  readonly collection: CollectionInfo;
  readonly options: ReadOptions;
}

/** Hashes of documents in memory at once. */
const MOST_HASHES = 500_000;

/** Whether each document of `part`, which are so many, is also in `whole`, as often as it is in `part`. Reads both, in turns. */
export async function isPartOf(
  part: AskedCollection,
  documents: number,
  whole: AskedCollection,
): Promise<boolean> {
  const turns = Math.max(1, Math.ceil(documents / MOST_HASHES));
  for (let turn = 0; turn < turns; turn++) {
    const isDue = (hash: Buffer): boolean => hash.readUInt32LE() % turns === turn;
    const lacking = new Map<string, number>();
    for await (const hash of hashes(part)) {
      if (isDue(hash)) lacking.set(keyOf(hash), (lacking.get(keyOf(hash)) ?? 0) + 1);
    }
    for await (const hash of hashes(whole)) {
      if (lacking.size === 0) break;
      if (!isDue(hash)) continue;
      const left = (lacking.get(keyOf(hash)) ?? 0) - 1;
      if (left > 0) lacking.set(keyOf(hash), left);
      else lacking.delete(keyOf(hash));
    }
    if (lacking.size > 0) return false;
  }
  return true;
}

/** Half of a SHA-256 distinguishes documents as well. */
function keyOf(hash: Buffer): string {
  return hash.toString("latin1", 0, 16);
}

async function* hashes({ store, collection, options }: AskedCollection): AsyncGenerator<Buffer> {
  const hashOf = collection.ordered
    ? (bytes: Uint8Array) => hash("sha256", bytes, "buffer")
    : hashAnyFieldOrder;
  for await (const batch of store.read(collection, options)) {
    yield* hashesOf(batch, hashOf);
    batch.release();
  }
}

function* hashesOf(batch: Batch, hashOf: (bytes: Uint8Array) => Buffer): Generator<Buffer> {
  for (let i = 0; i < batch.length; i++) yield hashOf(batch.bytesOf(i));
}
