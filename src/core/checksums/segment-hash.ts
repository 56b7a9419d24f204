import { createHash } from "node:crypto";
import { compareIds } from "../../bson/compare-ids.ts";
import { TYPE } from "../../bson/elements.ts";
import type { IdRange } from "../../connectors/collection.ts";
import type { Batch, DocumentId } from "../../model/document.ts";
import type { Segment } from "./segment.ts";

/** Longer ids bound no segment: both of its bounds are saved. */
const LONGEST_BOUND = 64;

export interface SegmentHashOptions {
  /** Bytes after which a segment ends, at the next id that can bound it. */
  readonly limit: number;
  /** Where the first segment begins. */
  readonly from?: DocumentId | undefined;
  /** Whether the store can be asked for this id. */
  readonly canQuery: (id: DocumentId) => boolean;
}

/**
 * SHA-256 over documents in the order in which they come, segment by segment. Where they are cut depends on nothing but
 * the documents: the same ones come out the same, in whatever batches they come.
 */
export class SegmentHash {
  readonly #options: SegmentHashOptions;
  readonly #done: Segment[] = [];
  #from: DocumentId | undefined;
  #hash = createHash("sha256");
  #documents = 0;
  #bytes = 0;
  /** The last id of the batch before. */
  #last: DocumentId | undefined;

  constructor(options: SegmentHashOptions) {
    this.#options = options;
    this.#from = options.from;
  }

  /** The batch is not kept. */
  add(batch: Batch): void {
    for (let at = 0; at < batch.length; ) {
      if (this.#isFull) this.#cutBefore(batch, at);
      const end = this.#isFull ? at + 1 : endOf(batch, at, this.#options.limit - this.#bytes);
      const from = batch.start(at);
      const to = batch.end(end - 1);
      this.#hash.update(batch.bytes.subarray(from, to));
      this.#bytes += to - from;
      this.#documents += end - at;
      at = end;
    }
    if (batch.length > 0) this.#last = batch.idOf(batch.length - 1);
  }

  /** All segments; the last one ends here. Call once. */
  end(to?: DocumentId): readonly Segment[] {
    this.#close(to);
    return this.#done;
  }

  get #isFull(): boolean {
    return this.#bytes >= this.#options.limit;
  }

  #cutBefore(batch: Batch, at: number): void {
    const id = batch.idOf(at);
    const before = at === 0 ? this.#last : batch.idOf(at - 1);
    const [type] = id.element;
    if (type === TYPE.minKey || type === TYPE.maxKey || id.element.length > LONGEST_BOUND) return;
    // Two documents under one id are not parted, and nothing is out of order across a bound.
    if (before !== undefined && compareIds(before.element, id.element) >= 0) return;
    if (!this.#options.canQuery(id)) return;
    this.#close(id);
    this.#from = id;
  }

  #close(to: DocumentId | undefined): void {
    const bounds: IdRange = {
      from: this.#from,
      to,
    };
    this.#done.push({ ...bounds, documents: this.#documents, bytes: this.#bytes, hash: this.#hash.digest() });
    this.#hash = createHash("sha256");
    this.#documents = 0;
    this.#bytes = 0;
  }
}

/** The documents from `at` on that make up so many bytes: the index after the one with which they do. */
function endOf(batch: Batch, at: number, bytes: number): number {
  const wanted = batch.start(at) + bytes;
  let low = at;
  let high = batch.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (batch.end(middle) >= wanted) high = middle;
    else low = middle + 1;
  }
  return low + 1;
}
