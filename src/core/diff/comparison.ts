import type {
  CollectionInfo,
  Digester,
  Filter,
  IdRange,
  RangeDigest,
  Selection,
  Source,
} from "../../connectors/connector.ts";
import { DualsyncError } from "../../errors.ts";
import { RangeHash } from "../../range-digest.ts";

/** One side of a walk by digests. Without a digester it is read, and hashed here. */
export interface DigestSide {
  readonly store: Source;
  readonly collection: CollectionInfo;
  readonly digester: Digester | undefined;
}

/** The digest of each side; undefined where the store would not give one of so large a stretch. */
export interface Digests {
  readonly source: RangeDigest | undefined;
  readonly target: RangeDigest | undefined;
}

export interface Sides {
  readonly source: DigestSide;
  readonly target: DigestSide;
  readonly filter?: Filter;
}

/** Asks both sides at the same time. */
export async function digestBoth(sides: Sides, range: IdRange, signal: AbortSignal): Promise<Digests> {
  const selection = { range, ...(sides.filter === undefined ? {} : { filter: sides.filter }) };
  const [source, target] = await Promise.all([
    digestOf(sides.source, selection, signal),
    digestOf(sides.target, selection, signal),
  ]);
  return { source, target };
}

/** Equal documents, byte for byte; a digest that is not there is equal to nothing. */
export function isEqual({ source, target }: Digests): boolean {
  return (
    source !== undefined &&
    target !== undefined &&
    source.documents === target.documents &&
    source.bytes === target.bytes &&
    source.sha256 === target.sha256
  );
}

async function digestOf(
  { store, collection, digester }: DigestSide,
  selection: Selection,
  signal: AbortSignal,
): Promise<RangeDigest | undefined> {
  if (digester !== undefined) {
    return await digester.digest(selection, signal).catch((error: unknown) => {
      // Whoever is refused a digest reads the documents: if those are refused, too, that is the error to tell.
      if (!signal.aborted && error instanceof DualsyncError && !error.retryable && error.exit !== "bug")
        return undefined;
      throw error;
    });
  }
  const hash = new RangeHash();
  for await (const batch of store.read(collection, { ...selection, signal })) {
    hash.add(batch);
    batch.release();
  }
  return hash.digest();
}
