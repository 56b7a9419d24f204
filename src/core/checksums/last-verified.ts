/** What of a copy is still as the last verified run left it, according to the checksums that were left with it. */
import { createHash } from "node:crypto";
import { compareIds } from "../../bson/compare-ids.ts";
import type { CollectionInfo, IdRange } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { Batch, DocumentId } from "../../model/document.ts";
import type { Uids } from "../progress/progress.ts";
import { inOrder } from "../walk/merge-or-look-up.ts";
import {
  type Checksums,
  checksumsFromBytes,
  checksumsToBytes,
  matchesChecksum,
  segmentOf,
} from "./checksums.ts";
import type { Segment } from "./segment.ts";

export interface LastVerifiedOptions {
  readonly target: Reader;
  readonly from: CollectionInfo;
  readonly to: CollectionInfo;
  readonly filter?: unknown | undefined;
  readonly since?: unknown | undefined;
  readonly signal: AbortSignal;
}

export class LastVerified {
  readonly #checksums: Checksums;

  private constructor(checksums: Checksums) {
    this.#checksums = checksums;
  }

  /** Undefined where nothing is known: no checksums of these two collections, or documents that are not read in order. */
  static async of(
    { target, from, to, filter, since, signal }: LastVerifiedOptions,
    uids: Uids,
  ): Promise<LastVerified | undefined> {
    if (from.kind !== "collection" || !inOrder({ from, to })) return undefined;
    if (filter !== undefined || since !== undefined) return undefined;
    const bytes = await target.checksums?.read(to.name, signal);
    const checksums = bytes === undefined ? undefined : checksumsFromBytes(bytes);
    const isOurs = checksums?.source === uids.source && checksums?.target === uids.target;
    return checksums === undefined || !isOurs ? undefined : new LastVerified(checksums);
  }

  /** The same ranges, cut where segments begin: none of them is parted then. `mayCut` says where a range may begin. */
  aligned(ranges: readonly IdRange[], mayCut: (id: DocumentId) => boolean): readonly IdRange[] {
    const cuts: DocumentId[] = [];
    for (const { from } of ranges.slice(1)) {
      const segment = from === undefined ? undefined : segmentOf(this.#checksums, from);
      const cut = segment === undefined ? from : segment.from;
      const last = cuts.at(-1);
      if (cut === undefined || !mayCut(cut)) continue;
      if (last === undefined || compareIds(last.element, cut.element) < 0) cuts.push(cut);
    }
    const bounds = [ranges[0]?.from, ...cuts, ranges.at(-1)?.to];
    return bounds.slice(0, -1).map((from, i) => ({ from, to: bounds[i + 1] }));
  }

  /** Whether these say the same, whenever that was seen. */
  isSame(checksums: Checksums): boolean {
    const { at } = checksums;
    return Buffer.compare(checksumsToBytes(checksums), checksumsToBytes({ ...this.#checksums, at })) === 0;
  }

  /** For the documents that the target holds in a range. */
  watch(range: IdRange): SegmentWatch {
    return new SegmentWatch(this.#checksums, range);
  }
}

/** Hashes what the target holds as it comes by, segment after segment. */
export class SegmentWatch {
  readonly #checksums: Checksums;
  /** Those that lie in the range as a whole, in order. */
  readonly #segments: readonly Segment[];
  readonly #unchanged = new Set<Segment>();
  /** How many of them have come by. */
  #done = 0;
  #hash = createHash("sha256");
  #documents = 0;

  constructor(checksums: Checksums, range: IdRange) {
    this.#checksums = checksums;
    this.#segments = checksums.segments.filter((segment) => isWithin(segment, range));
  }

  /** Batches in the order of their ids. They are not kept. */
  add(batch: Batch): void {
    for (let at = 0; at < batch.length; ) {
      const segment = this.#segments[this.#done];
      if (segment === undefined) return;
      const begin = segment.from === undefined ? at : batch.indexFrom(at, segment.from);
      const end = segment.to === undefined ? batch.length : batch.indexFrom(begin, segment.to);
      if (end > begin) this.#hash.update(batch.bytes.subarray(batch.start(begin), batch.end(end - 1)));
      this.#documents += end - begin;
      if (end < batch.length) this.#close(segment);
      at = end;
    }
  }

  /** All documents of the range have come by. */
  end(): void {
    for (let segment = this.#segments[this.#done]; segment !== undefined; ) {
      this.#close(segment);
      segment = this.#segments[this.#done];
    }
  }

  /** Whether the document of this id is what it was, or is certain not to have been there; undefined: not known yet. */
  isUnchanged(id: DocumentId): boolean | undefined {
    const segment = segmentOf(this.#checksums, id);
    if (segment === undefined) return false;
    const place = this.#segments.indexOf(segment, Math.max(0, this.#done - NEAR));
    if (place >= this.#done) return undefined;
    return this.#unchanged.has(segment);
  }

  #close(segment: Segment): void {
    if (this.#documents === segment.documents && matchesChecksum(segment, this.#hash.digest()))
      this.#unchanged.add(segment);
    this.#done++;
    this.#hash = createHash("sha256");
    this.#documents = 0;
  }
}

/** Documents that are asked about lie in segments that came by just now, or are about to. */
const NEAR = 8;

function isWithin(segment: Segment, { from, to }: IdRange): boolean {
  const begins = from === undefined || (segment.from !== undefined && compare(from, segment.from) <= 0);
  return begins && (to === undefined || (segment.to !== undefined && compare(segment.to, to) <= 0));
}

function compare(a: DocumentId, b: DocumentId): number {
  return compareIds(a.element, b.element);
}
