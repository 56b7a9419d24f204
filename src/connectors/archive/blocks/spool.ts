import { mkdtemp, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { compareIds } from "../../../bson/compare-ids.ts";
import { onDisk } from "../../../files/disk-error.ts";
import { Batch, type Doc } from "../../../model/document.ts";
import { ARCHIVE_HINTS, writing } from "./archive-file.ts";
import { BlockList } from "./block-list.ts";
import { BlockReader } from "./block-reader.ts";
import { type BlockOptions, BlockWriter } from "./block-writer.ts";

/** Memory of documents that wait to be sorted. */
const SORTED_BYTES = 8_000_000;
/** What a document takes there besides its own bytes. */
const OVERHEAD = 400;
/** Blocks of what is merged are smaller than others: many of them are in memory together. */
const PART_BYTES = 250_000;
/** Of the blocks that are in memory together. Two parts are merged whatever they take. */
const MERGED_BYTES = 12_000_000;

export interface SpoolLimits {
  readonly sortedBytes: number;
  readonly partBytes: number;
  readonly mergedBytes: number;
}

const LIMITS: SpoolLimits = { sortedBytes: SORTED_BYTES, partBytes: PART_BYTES, mergedBytes: MERGED_BYTES };

/** Sorted documents on the disk. */
interface SortedPart {
  readonly path: string;
  readonly reader: BlockReader;
  readonly largestBlock: number;
}

/**
 * Takes documents in any order and gives them in the order of their ids; those with one id in the order in which they came. They
 * are sorted on the disk, however many there are.
 */
export class Spool {
  readonly #folder: string;
  readonly #limits: SpoolLimits;
  #parts: SortedPart[] = [];
  #waiting: Doc[] = [];
  #waitingBytes = 0;
  #named = 0;
  /** Of files that are not ended: one may be written from what is merged into others meanwhile. */
  readonly #writers = new Set<BlockWriter>();

  private constructor(folder: string, limits: SpoolLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Works in a new folder inside this one, until `discard`. */
  static async create(folder: string, limits: SpoolLimits = LIMITS): Promise<Spool> {
    return new Spool(await writing(folder, () => mkdtemp(join(folder, ".sort-"))), limits);
  }

  /** Takes a copy: the batch may be released afterwards. */
  async add(batch: Batch): Promise<void> {
    const copy = new Batch(Uint8Array.from(batch.bytes), batch.ends);
    for (const document of copy.docs()) this.#waiting.push(document);
    this.#waitingBytes += copy.bytes.length + OVERHEAD * copy.length;
    if (this.#waitingBytes >= this.#limits.sortedBytes) await this.#sort();
  }

  /** All documents in order, once; nothing is added afterwards. */
  async *sorted(signal: AbortSignal): AsyncGenerator<Batch> {
    if (this.#parts.length === 0) {
      yield* batches(inOrder(this.#waiting), this.#limits.partBytes);
      return;
    }
    await this.#sort();
    while (this.#group(0).length < this.#parts.length) await this.#mergeGroups(signal);
    yield* merge(this.#parts, this.#limits.partBytes, signal);
  }

  /** As `sorted`, to be read in part and more than once, until `discard`. */
  async end(signal: AbortSignal): Promise<BlockReader> {
    const { reader } = await this.#write(this.sorted(signal), undefined);
    for (const { path } of this.#parts) await removed(path);
    return reader;
  }

  /** Removes all of it. Harmless more than once. */
  async discard(): Promise<void> {
    for (const writer of this.#writers) await writer.abandon();
    this.#waiting = [];
    await onDisk(
      this.#folder,
      "removed",
      () => rm(this.#folder, { recursive: true, force: true }),
      ARCHIVE_HINTS,
    );
  }

  /** Writes what waits as a part of its own. */
  async #sort(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const documents = inOrder(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    const { partBytes } = this.#limits;
    this.#parts.push(await this.#write(batches(documents, partBytes), partBytes));
  }

  /** Merges neighbours, so that documents with one id stay in their order. */
  async #mergeGroups(signal: AbortSignal): Promise<void> {
    const { partBytes } = this.#limits;
    const merged: SortedPart[] = [];
    for (let from = 0; from < this.#parts.length; ) {
      const group = this.#group(from);
      from += group.length;
      merged.push(await this.#write(merge(group, partBytes, signal), partBytes));
      for (const { path } of group) await removed(path);
    }
    this.#parts = merged;
  }

  /** As many parts from one on as can be merged at a time. */
  #group(from: number): readonly SortedPart[] {
    let bytes = 0;
    let to = from;
    while (to < this.#parts.length) {
      bytes += (this.#parts[to] as SortedPart).largestBlock;
      if (bytes > this.#limits.mergedBytes && to - from >= 2) break;
      to++;
    }
    return this.#parts.slice(from, to);
  }

  async #write(
    sorted: Iterable<Batch> | AsyncIterable<Batch>,
    blockBytes: number | undefined,
  ): Promise<SortedPart> {
    const path = join(this.#folder, String(this.#named++));
    const options: BlockOptions = { gzip: false, ordered: true, blockBytes, isTemporary: true };
    const writer = await BlockWriter.create(path, options);
    this.#writers.add(writer);
    for await (const batch of sorted) await writer.add(batch);
    const list = new BlockList((await writer.end()).list);
    this.#writers.delete(writer);
    let largestBlock = 0;
    for (let index = 0; index < list.length; index++) {
      largestBlock = Math.max(largestBlock, list.entry(index).bytes);
    }
    // Many parts are read together: nothing is read ahead of them.
    const reader = new BlockReader({ path, gzip: false, list }, blockBytes === undefined ? undefined : 0);
    return { path, reader, largestBlock };
  }
}

async function removed(path: string): Promise<void> {
  await onDisk(path, "removed", () => unlink(path), ARCHIVE_HINTS);
}

/** Those with one id stay in their order. */
function inOrder(documents: readonly Doc[]): Doc[] {
  return [...documents].sort((a, b) => compareIds(a.id.element, b.id.element));
}

function* batches(documents: readonly Doc[], most: number): Generator<Batch> {
  const some = new Gathered(most);
  for (const document of documents) {
    if (some.isFull) yield some.take();
    some.add(document);
  }
  if (some.length > 0) yield some.take();
}

/** Where the merge stands in one part. */
interface PartCursor {
  readonly order: number;
  readonly blocks: AsyncGenerator<Batch>;
  readonly block: Batch;
  readonly at: number;
  readonly next: Doc;
}

async function* merge(
  parts: readonly SortedPart[],
  most: number,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  const all = parts.map(({ reader }) => reader.read({ signal }));
  const some = new Gathered(most);
  // Sorted by the next document.
  const cursors: PartCursor[] = [];
  try {
    for (const [order, blocks] of all.entries()) place(cursors, await nextBlock(order, blocks));
    for (let least = cursors.shift(); least !== undefined; least = cursors.shift()) {
      if (some.isFull) yield some.take();
      some.add(least.next);
      place(cursors, following(least) ?? (await nextBlock(least.order, least.blocks)));
    }
    if (some.length > 0) yield some.take();
  } finally {
    for (const blocks of all) await blocks.return(undefined);
  }
}

async function nextBlock(order: number, blocks: AsyncGenerator<Batch>): Promise<PartCursor | undefined> {
  const { value: block, done } = await blocks.next();
  return done === true ? undefined : { order, blocks, block, at: 0, next: block.doc(0) };
}

/** At the next document of the same block; undefined behind its last. */
function following(cursor: PartCursor): PartCursor | undefined {
  const at = cursor.at + 1;
  return at < cursor.block.length ? { ...cursor, at, next: cursor.block.doc(at) } : undefined;
}

/** Puts a cursor where it belongs. Of equal ids that of the earlier part comes first. */
function place(cursors: PartCursor[], cursor: PartCursor | undefined): void {
  if (cursor === undefined) return;
  let low = 0;
  let high = cursors.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = cursors[middle] as PartCursor;
    const order = compareIds(other.next.id.element, cursor.next.id.element) || other.order - cursor.order;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  cursors.splice(low, 0, cursor);
}

/** Documents that become a batch. */
class Gathered {
  readonly #most: number;
  #documents: Doc[] = [];
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#documents.length;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#most;
  }

  add(document: Doc): void {
    this.#documents.push(document);
    this.#bytes += document.bytes.length;
  }

  take(): Batch {
    const batch = Batch.of(this.#documents);
    this.#documents = [];
    this.#bytes = 0;
    return batch;
  }
}
