/** What a walk over two stores finds, step by step, and the merge of two that give the same order. */
import { compareIds } from "../../bson/compare-ids.ts";
import { type Batch, type Doc, type DocumentId, idElement } from "../../model/document.ts";
import { equalRun } from "./equal-run.ts";

export interface DocumentPair {
  readonly expected: Doc;
  readonly found: Doc;
  /** `expected` holds fields of `found` besides what the source has. */
  readonly isMerged?: true | undefined;
}

/** What a segment of the walk found. Bounded by the size of two batches. */
export interface Step {
  /** Everything before this id was in former steps, on both sides; undefined where no such line can be drawn. */
  readonly position?: DocumentId | undefined;
  /** Documents that are equal byte for byte, except so many that say the same with other bytes. */
  readonly equal: { documents: number; bytes: number; readonly equivalent?: number };
  /** Only in the source. */
  readonly missing: Doc[];
  /** In both, with other bytes (or an `_id` of another numeric type). */
  readonly different: DocumentPair[];
  /** In both, with other bytes that say the same: a walk itself does not know this, only an Equivalence does. */
  readonly equivalent: DocumentPair[];
  /** Only in the target. */
  readonly extra: Doc[];
  /** Later documents of the source under an `_id` that came before: shards of a cluster may hold such duplicate ids. */
  readonly duplicateIds: DocumentId[];
  /** The same in the target. */
  readonly targetDuplicateIds: DocumentId[];
}

export function emptyStep(position?: DocumentId): Step {
  return {
    position,
    equal: { documents: 0, bytes: 0 },
    missing: [],
    different: [],
    equivalent: [],
    extra: [],
    duplicateIds: [],
    targetDuplicateIds: [],
  };
}

/** How many documents of the target have no counterpart in the source. */
export function countExtra({ extra, targetDuplicateIds }: Step): number {
  return extra.length + targetDuplicateIds.length;
}

/**
 * Merges two streams that both come in BSON order of `_id`. Whole batches that are equal cost one memcmp; ids are
 * looked at only where bytes differ.
 */
export async function* merge(
  source: AsyncIterable<Batch>,
  target: AsyncIterable<Batch>,
): AsyncGenerator<Step> {
  const left = new BatchCursor(source);
  const right = new BatchCursor(target);
  try {
    for (;;) {
      await Promise.all([left.fill(), right.fill()]);
      if (left.done && right.done) return;
      const step = emptyStep(positionOf(left, right));
      advance(step, left, right);
      yield step;
    }
  } finally {
    await Promise.all([left.close(), right.close()]);
  }
}

/** The smaller of the ids at which the sides are; duplicate ids stay together. */
function positionOf(left: BatchCursor, right: BatchCursor): DocumentId | undefined {
  if ((left.has && left.isDuplicateId) || (right.has && right.isDuplicateId)) return undefined;
  if (!left.has) return right.id;
  if (!right.has) return left.id;
  return compareIds(left.id.element, right.id.element) <= 0 ? left.id : right.id;
}

/** Consumes documents until one side needs its next batch. */
function advance(step: Step, left: BatchCursor, right: BatchCursor): void {
  while (left.has && right.has) {
    const equal = left.skipEqual(right);
    step.equal.documents += equal.documents;
    step.equal.bytes += equal.bytes;
    if (!left.has || !right.has) break;
    const order = compareIds(left.id.element, right.id.element);
    if (order < 0) takeMissing(step, left);
    else if (order > 0) takeExtra(step, right);
    // It is unknown which of several documents under one `_id` belongs to which.
    else if (left.isDuplicateId) step.duplicateIds.push(left.take().id);
    else if (right.isDuplicateId) step.targetDuplicateIds.push(right.take().id);
    else step.different.push({ expected: left.take(), found: right.take() });
  }
  if (right.done) while (left.has) takeMissing(step, left);
  if (left.done) while (right.has) takeExtra(step, right);
}

/** What the target lacks; the second of two documents under one `_id` is not lacking but has no place there. */
function takeMissing(step: Step, left: BatchCursor): void {
  if (left.isDuplicateId) step.duplicateIds.push(left.take().id);
  else step.missing.push(left.take());
}

function takeExtra(step: Step, right: BatchCursor): void {
  if (right.isDuplicateId) step.targetDuplicateIds.push(right.take().id);
  else step.extra.push(right.take());
}

/** A stream of batches with a position in it. */
class BatchCursor {
  readonly #batches: AsyncIterator<Batch>;
  #batch: Batch | undefined;
  #index = 0;
  /** The `_id` of the last document of the batch before this one. */
  #lastId: Uint8Array | undefined;
  /** A document of the present batch was handed out: its memory is still needed. */
  #taken = false;
  done = false;

  constructor(batches: AsyncIterable<Batch>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  get has(): boolean {
    return this.#batch !== undefined && this.#index < this.#batch.length;
  }

  get id(): DocumentId {
    return this.#current.idOf(this.#index);
  }

  /** Whether the document before this one has the same `_id`. */
  get isDuplicateId(): boolean {
    const before = this.#idBefore;
    return before !== undefined && compareIds(before, this.id.element) === 0;
  }

  /** The `_id` of the document before this one; undefined at the very first. */
  get #idBefore(): Uint8Array | undefined {
    return this.#index === 0 ? this.#lastId : idElement(this.#current.bytesOf(this.#index - 1));
  }

  /** Passes over what is equal on both sides from here on. */
  skipEqual(other: BatchCursor): { documents: number; bytes: number } {
    const documents = equalRun(this.#current, this.#index, other.#current, other.#index);
    const begin = this.#current.start(this.#index);
    this.#index += documents;
    other.#index += documents;
    return { documents, bytes: this.#current.start(this.#index) - begin };
  }

  take(): Doc {
    this.#taken = true;
    return this.#current.doc(this.#index++);
  }

  /** Makes sure that there is a document to look at, or that the stream is known to be at its end. */
  async fill(): Promise<void> {
    while (!this.has && !this.done) {
      const next = await this.#batches.next();
      if (this.#batch !== undefined) this.#lastId = this.#idBefore;
      if (!this.#taken) this.#batch?.release();
      this.#taken = false;
      this.done = next.done === true;
      this.#batch = next.done === true ? undefined : next.value;
      this.#index = 0;
    }
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }

  get #current(): Batch {
    if (this.#batch === undefined) throw new RangeError("no batch");
    return this.#batch;
  }
}
