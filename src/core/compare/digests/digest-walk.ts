/** The walk of walk.ts for stores that hash their own documents: what is equal stays where it is. */
import { setMaxListeners } from "node:events";
import type { Filter, IdRange } from "../../../connectors/collection.ts";
import type { Reader } from "../../../connectors/contract.ts";
import type { DocumentsHash } from "../../../connectors/powers/digests.ts";
import { cutInto } from "../../walk/ranges.ts";
import { emptyStep, merge, type Step } from "../../walk/walk.ts";
import {
  type DigestPair,
  type DigestSide,
  digestBoth,
  digestPieces,
  isEqual,
  type KnownPiece,
} from "./digests.ts";

export interface DigestWalkOptions {
  /** At least one of the two has a digester; both collections are ordered. */
  readonly source: DigestSide;
  readonly target: DigestSide;
  /** Consecutive ranges, such as some of those of `cutSegments`: each is hashed in one piece at first. */
  readonly segments: readonly IdRange[];
  /** What the digesters compute, where that is not the digest of bytes. */
  readonly hash?: (() => DocumentsHash) | undefined;
  readonly filter?: Filter | undefined;
  readonly signal: AbortSignal;
}

/** What is hashed in one piece: enough to make round trips cheap; what differs is hashed again, in smaller pieces. */
const SEGMENT = { documents: 4_096, bytes: 8_000_000 };
/** A collection is not cut into more segments. */
const MOST_SEGMENTS = 8_192;
/** An unequal segment is cut into so many at most. */
const PIECES = 16;
/** Bytes of documents that are read and compared rather than cut again. */
const RAW_BYTES = 128 * 1024;
/** Segments that are hashed at once, so that both servers are busy. */
const AHEAD = 2;
/** The same of pieces, which are small: what they cost is round trips. */
const PIECES_AHEAD = 8;
/** When the first so many pieces all differ, the others are read without further digests. */
const ALL_DIFFER = 4;
/** When no digest was given so many times in a row, no more are asked for. */
const REFUSALS = 32;
/** Where the target holds so many times the source's documents, its ids are better cuts. */
const FAR_MORE = 4;

/** Cuts a collection into what should be hashed in one piece. */
export async function cutSegments(
  { store, collection }: Pick<DigestSide, "store" | "collection">,
  other: Reader,
  signal: AbortSignal,
): Promise<readonly IdRange[]> {
  const { documents, bytes } = collection;
  const pieces = Math.ceil(Math.max(1, documents / SEGMENT.documents, bytes / SEGMENT.bytes));
  return await cutInto(store, other, collection, Math.min(MOST_SEGMENTS, pieces), signal);
}

/** Steps as those of `merge`, for these segments: in order, and every document of both sides is in exactly one of them. */
export async function* digestWalk(options: DigestWalkOptions): AsyncGenerator<Step> {
  const ender = new AbortController();
  const signal = AbortSignal.any([options.signal, ender.signal]);
  setMaxListeners(0, signal); // every command in flight listens
  const walk = new DigestWalk({ ...options, signal });
  try {
    yield* walk.all();
  } finally {
    ender.abort();
    await walk.settle();
  }
}

class DigestWalk {
  readonly #options: DigestWalkOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  #refusals = 0;

  constructor(options: DigestWalkOptions) {
    this.#options = options;
  }

  async *all(): AsyncGenerator<Step> {
    const segments = this.#options.segments.map(unknown);
    for await (const [segment, digests] of this.#compareEach(segments, AHEAD))
      yield* this.#segment(segment, digests);
  }

  async settle(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /** The digests of consecutive segments, in order; those of the next ones are on their way. */
  async *#compareEach(segments: readonly KnownPiece[], most: number): AsyncGenerator<[IdRange, DigestPair]> {
    const ahead: Promise<DigestPair>[] = [];
    for (const [i, segment] of segments.entries()) {
      for (const next of segments.slice(i + ahead.length, i + most)) ahead.push(this.#compare(next));
      const digests = await ahead.shift();
      if (digests !== undefined) yield [segment.range, digests];
    }
  }

  #compare(segment: KnownPiece): Promise<DigestPair> {
    const comparing = this.#digests(segment);
    this.#underWay.add(comparing);
    const done = (): void => void this.#underWay.delete(comparing);
    comparing.then(done, done); // a failure is thrown when its turn comes
    return comparing;
  }

  async #digests({ range, known }: KnownPiece): Promise<DigestPair> {
    if (this.#refusals >= REFUSALS) return { source: undefined, target: undefined };
    const digests = await digestBoth(this.#options, range, this.#options.signal, known);
    this.#refusals = isKnown(digests) ? 0 : this.#refusals + 1;
    return digests;
  }

  async *#segment(segment: IdRange, digests: DigestPair): AsyncGenerator<Step> {
    if (isEqual(digests)) yield equalStep(segment, digests);
    else yield* this.#unequal(segment, digests);
  }

  /** What is not proved equal is cut and compared again, or read. */
  async *#unequal(segment: IdRange, digests: DigestPair): AsyncGenerator<Step> {
    const pieces =
      isWorthCutting(digests) && this.#refusals < REFUSALS ? await this.#cut(segment, digests) : [];
    if (pieces.length < 2) {
      yield* this.#read(segment);
      return;
    }
    let differing = 0;
    for await (const [piece, found] of this.#compareEach(pieces, PIECES_AHEAD)) {
      if (differing === ALL_DIFFER) {
        const { to: _, ...rest } = { ...piece };
        yield* this.#read(segment.to === undefined ? rest : { ...rest, to: segment.to });
        return;
      }
      differing = differing >= 0 && isKnown(found) && !isEqual(found) ? differing + 1 : -1;
      yield* this.#segment(piece, found);
    }
  }

  /**
   * Cut and hashed at once where a side can do that; else where the source's ids are, or the target's where it holds far
   * more or the source's make no cuts.
   */
  async #cut(segment: IdRange, digests: DigestPair): Promise<readonly KnownPiece[]> {
    const { source, target, signal } = this.#options;
    const isTargets = (digests.target?.documents ?? 0) > FAR_MORE * (digests.source?.documents ?? 0);
    const pieces = Math.min(PIECES, Math.max(2, Math.ceil(bytesOf(digests) / (RAW_BYTES / 2))));
    const hashed = await digestPieces(this.#options, segment, pieces, signal);
    if (hashed !== undefined && hashed.length > 1) return hashed;
    const sides = [[source, target] as const, [target, source] as const];
    for (const [side, other] of isTargets ? sides.reverse() : sides) {
      const cut = await cutInto(side.store, other.store, side.collection, pieces, signal, segment);
      if (cut.length > 1) return cut.map(unknown);
    }
    return [];
  }

  async *#read(range: IdRange): AsyncGenerator<Step> {
    const { source, target, filter, signal } = this.#options;
    const options = { range, signal, filter };
    yield* merge(
      source.store.read(source.collection, options),
      target.store.read(target.collection, options),
    );
  }
}

function isKnown({ source, target }: DigestPair): boolean {
  return source !== undefined && target !== undefined;
}

/** What one side has nothing of, and what is small, is read at once. */
function isWorthCutting(digests: DigestPair): boolean {
  const isOneSided = digests.source?.documents === 0 || digests.target?.documents === 0;
  return !isOneSided && bytesOf(digests) > RAW_BYTES;
}

function bytesOf({ source, target }: DigestPair): number {
  const unknown = Number.POSITIVE_INFINITY;
  return Math.max(source?.bytes ?? unknown, target?.bytes ?? unknown);
}

function unknown(range: IdRange): KnownPiece {
  return { range, known: {} };
}

function equalStep({ from }: IdRange, { source, target }: DigestPair): Step {
  const { documents = 0, bytes = 0 } = source ?? {};
  const equivalent = (source?.equivalent ?? 0) + (target?.equivalent ?? 0);
  return { ...emptyStep(from), equal: { documents, bytes, ...(equivalent > 0 && { equivalent }) } };
}
