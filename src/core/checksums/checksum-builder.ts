import { compareIds } from "../../bson/compare-ids.ts";
import type { CollectionInfo, IdRange } from "../../connectors/collection.ts";
import type { Reader, WriteSession } from "../../connectors/contract.ts";
import type { DocumentId } from "../../model/document.ts";
import type { VerifyMode } from "../plan/verify-mode.ts";
import type { Uids } from "../progress/progress.ts";
import { canQuery } from "../walk/lookup.ts";
import type { Checksums } from "./checksums.ts";
import type { Segment } from "./segment.ts";
import { SegmentHash } from "./segment-hash.ts";

/** Bytes of a segment at the least, and of the collection's bytes that part: checksums stay small however large that is. */
const SEGMENT_BYTES = 256 * 1024;
const SEGMENTS = 4_096;
/** Parts of ranges that end early make more of them. */
const MOST_SEGMENTS = 2 * SEGMENTS;
/** Documents that are not what the source has. With more there are no checksums. */
const MOST_UNSURE = 100_000;

export interface ChecksumBuilderOptions {
  readonly from: CollectionInfo;
  readonly filter?: unknown | undefined;
  readonly since?: unknown | undefined;
  readonly verify: VerifyMode;
  readonly session: WriteSession;
}

interface Hashed {
  readonly from: CollectionInfo;
  readonly target: Reader;
}

/** Hashes documents of the collection from this one on, in segments of the size that its checksums have. */
export function segmentHash({ from, target }: Hashed, range: IdRange) {
  const limit = Math.max(SEGMENT_BYTES, Math.ceil(from.bytes / SEGMENTS));
  return new SegmentHash({ limit, from: range.from, canQuery: (id) => canQuery(target, id) });
}

/** Gathers what this run has read of a collection and proved of its copy. */
export class ChecksumBuilder {
  readonly #uids: Pick<Checksums, "source" | "target">;
  readonly #segments: Segment[] = [];
  #unsure: DocumentId[] = [];
  #given = 0;

  private constructor(uids: Pick<Checksums, "source" | "target">) {
    this.#uids = uids;
  }

  /** Undefined where there can be no checksums: not everything is read, nothing is read back, or not in order. */
  static of(
    { from, filter, since, verify, session }: ChecksumBuilderOptions,
    { source, target: copy }: Uids,
  ): ChecksumBuilder | undefined {
    if (verify !== "content" || from.kind !== "collection" || !from.ordered) return undefined;
    if (filter !== undefined || since !== undefined) return undefined;
    if (source === undefined || copy === undefined || session.checksums === undefined) return undefined;
    return new ChecksumBuilder({ source, target: copy });
  }

  /** The target holds these documents, which are the source's, and no others. */
  add(segments: readonly Segment[]): void {
    this.#segments.push(...segments);
  }

  /** These ids are excluded, whatever was passed to `add`. */
  except(ids: readonly DocumentId[]): void {
    this.#given += ids.length;
    if (this.#given > MOST_UNSURE) this.#unsure = [];
    else this.#unsure.push(...ids);
  }

  /** Call when everything is written; undefined when there is nothing to say. */
  checksums(): Checksums | undefined {
    if (this.#given > MOST_UNSURE) return undefined;
    const ids = this.#unsure.sort((a, b) => compareIds(a.element, b.element));
    const ordered = this.#segments.sort(byBeginning);
    const segments = [...sure(ordered, ids)].slice(0, MOST_SEGMENTS);
    return segments.length === 0 ? undefined : { ...this.#uids, at: new Date(), segments };
  }
}

function byBeginning(a: Segment, b: Segment): number {
  if (a.from === undefined) return -1;
  return b.from === undefined ? 1 : compareIds(a.from.element, b.from.element);
}

/** The segments in which none of the ids lies; both are in order. */
function* sure(segments: readonly Segment[], ids: readonly DocumentId[]): Generator<Segment> {
  let at = 0;
  for (const segment of segments) {
    const { from, to } = segment;
    const isBelow = (bound: DocumentId): boolean =>
      compareIds((ids[at] as DocumentId).element, bound.element) < 0;
    while (from !== undefined && at < ids.length && isBelow(from)) at++;
    const isEmpty = from !== undefined && to !== undefined && compareIds(from.element, to.element) >= 0;
    if (!isEmpty && (at === ids.length || (to !== undefined && !isBelow(to)))) yield segment;
  }
}
