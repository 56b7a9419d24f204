/** What of a copy is still as the last verified run left it, told by the checksums that were left with it. */
import { createHash } from "node:crypto";
import { compareIds } from "../../bson/compare-ids.ts";
import type { CollectionInfo, IdRange, Target } from "../../connectors/connector.ts";
import type { Batch, DocumentId } from "../../document.ts";
import type { Incarnations } from "../progress.ts";
import { isSealed, type Seal, sealFromBytes, stretchOf } from "./seal.ts";
import type { Stretch } from "./stretch.ts";

export interface LastVerifiedOptions {
  readonly target: Target;
  readonly from: CollectionInfo;
  readonly to: CollectionInfo;
  readonly filter?: unknown;
  readonly since?: unknown;
  readonly signal: AbortSignal;
}

export class LastVerified {
  readonly #seal: Seal;

  private constructor(seal: Seal) {
    this.#seal = seal;
  }

  /** Undefined where nothing is known: no checksums of these two collections, or documents that are not read in order. */
  static async of(
    { target, from, to, filter, since, signal }: LastVerifiedOptions,
    incarnations: Incarnations,
  ): Promise<LastVerified | undefined> {
    if (from.kind !== "collection" || !from.ordered || !to.ordered) return undefined;
    if (filter !== undefined || since !== undefined) return undefined;
    const bytes = await target.seal?.(to.name, signal);
    const seal = bytes === undefined ? undefined : sealFromBytes(bytes);
    const isOurs = seal?.source === incarnations.source && seal?.target === incarnations.target;
    return seal === undefined || !isOurs ? undefined : new LastVerified(seal);
  }

  /** The same ranges, cut where stretches begin: none of them is parted then. `mayCut` says where a range may begin. */
  aligned(ranges: readonly IdRange[], mayCut: (id: DocumentId) => boolean): readonly IdRange[] {
    const cuts: DocumentId[] = [];
    for (const { from } of ranges.slice(1)) {
      const stretch = from === undefined ? undefined : stretchOf(this.#seal, from);
      const cut = stretch === undefined ? from : stretch.from;
      const last = cuts.at(-1);
      if (cut === undefined || !mayCut(cut)) continue;
      if (last === undefined || compareIds(last.element, cut.element) < 0) cuts.push(cut);
    }
    const bounds = [ranges[0]?.from, ...cuts, ranges.at(-1)?.to];
    return bounds.slice(0, -1).map((from, i) => ({ from, to: bounds[i + 1] }));
  }

  /** For the documents that the target holds in a range. */
  watch(range: IdRange): StretchWatch {
    return new StretchWatch(this.#seal, range);
  }
}

/** Hashes what the target holds as it comes by, stretch after stretch. */
export class StretchWatch {
  readonly #seal: Seal;
  /** Those that lie in the range as a whole, in order. */
  readonly #stretches: readonly Stretch[];
  readonly #unchanged = new Set<Stretch>();
  /** How many of them have come by. */
  #done = 0;
  #hash = createHash("sha256");
  #documents = 0;

  constructor(seal: Seal, range: IdRange) {
    this.#seal = seal;
    this.#stretches = seal.stretches.filter((stretch) => isWithin(stretch, range));
  }

  /** Batches in the order of their ids. They are not kept. */
  add(batch: Batch): void {
    for (let at = 0; at < batch.length; ) {
      const stretch = this.#stretches[this.#done];
      if (stretch === undefined) return;
      const begin = stretch.from === undefined ? at : batch.indexFrom(at, stretch.from);
      const end = stretch.to === undefined ? batch.length : batch.indexFrom(begin, stretch.to);
      if (end > begin) this.#hash.update(batch.bytes.subarray(batch.start(begin), batch.end(end - 1)));
      this.#documents += end - begin;
      if (end < batch.length) this.#close(stretch);
      at = end;
    }
  }

  /** All documents of the range have come by. */
  end(): void {
    for (let stretch = this.#stretches[this.#done]; stretch !== undefined; ) {
      this.#close(stretch);
      stretch = this.#stretches[this.#done];
    }
  }

  /** Whether the document of this id is what it was, or is certain not to have been there; undefined: not known yet. */
  isUnchanged(id: DocumentId): boolean | undefined {
    const stretch = stretchOf(this.#seal, id);
    if (stretch === undefined) return false;
    const place = this.#stretches.indexOf(stretch, Math.max(0, this.#done - NEAR));
    if (place >= this.#done) return undefined;
    return this.#unchanged.has(stretch);
  }

  #close(stretch: Stretch): void {
    if (this.#documents === stretch.documents && isSealed(stretch, this.#hash.digest()))
      this.#unchanged.add(stretch);
    this.#done++;
    this.#hash = createHash("sha256");
    this.#documents = 0;
  }
}

/** Documents that are asked about lie in stretches that came by just now, or are about to. */
const NEAR = 8;

function isWithin(stretch: Stretch, { from, to }: IdRange): boolean {
  const begins = from === undefined || (stretch.from !== undefined && compare(from, stretch.from) <= 0);
  return begins && (to === undefined || (stretch.to !== undefined && compare(stretch.to, to) <= 0));
}

function compare(a: DocumentId, b: DocumentId): number {
  return compareIds(a.element, b.element);
}
