import type { CollectionInfo, Filter, IdRange, Selection } from "../../../connectors/collection.ts";
import type { Reader } from "../../../connectors/contract.ts";
import type {
  Digester,
  DocumentsHash,
  HashedRange,
  RecordDigester,
} from "../../../connectors/powers/digests.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { RangeDigest } from "../../../model/range-digest.ts";
import { RangeHash } from "../../../model/range-digest.ts";

/** One side of a walk by digests. Without a digester it is read, and hashed here. */
export interface DigestSide {
  readonly store: Reader;
  readonly collection: CollectionInfo;
  readonly digester: (Digester & Partial<Pick<RecordDigester, "digestPieces">>) | undefined;
}

/** The digest of each side; undefined where the store would not give one of so large a segment. */
export interface DigestPair {
  readonly source: RangeDigest | undefined;
  readonly target: RangeDigest | undefined;
}

export interface DigestSides {
  readonly source: DigestSide;
  readonly target: DigestSide;
  /** What both digesters compute; without it the digest of bytes, as `digestOf` in range-digest.ts defines it. */
  readonly hash?: (() => DocumentsHash) | undefined;
  readonly filter?: Filter | undefined;
}

/** Asks both sides at the same time, except what is known already. */
export async function digestBoth(
  sides: DigestSides,
  range: IdRange,
  signal: AbortSignal,
  known: Partial<DigestPair> = {},
): Promise<DigestPair> {
  const selection = { range, filter: sides.filter };
  const ask = (side: "source" | "target") =>
    known[side] ?? digestOf(sides[side], selection, sides.hash, signal);
  const [source, target] = await Promise.all([ask("source"), ask("target")]);
  return { source, target };
}

/** A piece of a range with what one of the sides holds of it. */
export interface KnownPiece {
  readonly range: IdRange;
  readonly known: Partial<DigestPair>;
}

/** Cut and hashed at once by a side that can do that; undefined where neither can, or would. */
export async function digestPieces(
  sides: DigestSides,
  range: IdRange,
  pieces: number,
  signal: AbortSignal,
): Promise<readonly KnownPiece[] | undefined> {
  for (const side of ["source", "target"] as const) {
    const { digester } = sides[side];
    if (digester?.digestPieces === undefined) continue;
    const found: readonly HashedRange[] | undefined = await digester
      .digestPieces(range, pieces, signal)
      .catch((error: unknown) => refused(error, signal));
    return found?.map(({ range: piece, digest }) => ({ range: piece, known: { [side]: digest } }));
  }
  return undefined;
}

/** Equal documents, by the definition of the two; a digest that is not there is equal to nothing. */
export function isEqual({ source, target }: DigestPair): boolean {
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
  start: (() => DocumentsHash) | undefined,
  signal: AbortSignal,
): Promise<RangeDigest | undefined> {
  if (digester !== undefined)
    return await digester.digest(selection, signal).catch((error: unknown) => refused(error, signal));
  const hash = start?.() ?? new RangeHash();
  for await (const batch of store.read(collection, { ...selection, signal })) {
    hash.add(batch);
    batch.release();
  }
  return hash.digest();
}

/** Whoever is refused a digest reads the documents: if those are refused, too, that is the error to report. */
function refused(error: unknown, signal: AbortSignal): undefined {
  if (!signal.aborted && error instanceof DualsyncError && !error.retryable && error.exit !== "bug")
    return undefined;
  throw error;
}
