import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { compareIds } from "../../../bson/compare-ids.ts";
import { readInt32 } from "../../../bson/elements.ts";
import { Batch, type Doc, DocumentId, idElement } from "../../../model/document.ts";
import type { IdRange, ReadOptions } from "../../collection.ts";
import { closeFile, damaged, inFile, openFile, readPart, wrongSize } from "./archive-file.ts";
import { type BlockList, sha256 } from "./block-list.ts";

/** Blocks that are read before they are asked for. */
const AHEAD = 2;

const decompress = promisify(gunzip);

/** A data file and what is known of it. */
export interface BlockFile {
  readonly path: string;
  readonly gzip: boolean;
  readonly list: BlockList;
}

/**
 * Reads documents that a `BlockWriter` wrote. A block is proved to be what was written before anything of it is given. Every
 * method fails with `local` where something is damaged. Ids and ranges are for documents in order.
 */
export class BlockReader {
  readonly #file: BlockFile;
  readonly #list: BlockList;
  readonly #ahead: number;

  constructor(file: BlockFile, ahead = AHEAD) {
    this.#file = file;
    this.#list = file.list;
    this.#ahead = ahead;
  }

  get documents(): number {
    return this.#list.documents;
  }

  /** Of the documents. */
  get bytes(): number {
    return this.#list.bytes;
  }

  /** As `Reader.read`. */
  async *read(options: Omit<ReadOptions, "filter" | "changedSince">): AsyncGenerator<Batch> {
    const { range: { from, to } = {}, after, batchSize = Number.POSITIVE_INFINITY, signal } = options;
    let begin = Math.max(
      from === undefined ? 0 : this.#blockOf(from),
      after === undefined ? 0 : this.#blockOf(after),
    );
    const end = to === undefined ? this.#list.length : this.#firstBlockFrom(to);
    for await (const block of this.#blocks(begin, end, signal)) {
      const start = Math.max(
        from === undefined ? 0 : position(block, 0, from, false),
        after === undefined ? 0 : position(block, 0, after, true),
      );
      const stop = ++begin === end && to !== undefined ? position(block, start, to, false) : block.length;
      if (start === 0 && stop === block.length && stop <= batchSize) yield block;
      else yield* pieces(block, start, stop, batchSize);
    }
  }

  /** As `Lookup.find`. Of several documents with one id the first is found. */
  async find(ids: readonly DocumentId[], signal: AbortSignal): Promise<ReadonlyMap<string, Doc>> {
    return this.#list.isOrdered
      ? await this.#findInOrder(ids, signal)
      : await this.#findByReadingAll(ids, signal);
  }

  /** As `Ranges.cut`. */
  cut(wanted: number, within: IdRange = {}): readonly IdRange[] {
    const { from, to } = within;
    // A block begins a range of its own if its first id is inside and not the range's first.
    const least = from === undefined ? 1 : this.#firstBlockAfter(from);
    const end = to === undefined ? this.#list.length : this.#firstBlockFrom(to);
    const blocks = end - least + 1;
    const bounds: DocumentId[] = [];
    for (let piece = 1; piece < wanted && blocks > 1; piece++) {
      const index = least - 1 + Math.round((piece * blocks) / wanted);
      if (index < least || index >= end) continue;
      const bound = this.#list.first(index);
      const former = bounds.at(-1)?.element ?? this.#list.first(0);
      if (compareIds(former, bound) < 0) bounds.push(new DocumentId(bound).copy());
    }
    return [from, ...bounds].map((start, index) => ({
      ...(start === undefined ? {} : { from: start }),
      ...rangeEnd(index < bounds.length ? bounds[index] : to),
    }));
  }

  /** Number of documents, all or those of a range. */
  async count(range: IdRange | undefined, signal: AbortSignal): Promise<number> {
    const { from, to } = range ?? {};
    if (from === undefined && to === undefined) return this.#list.documents;
    return await inFile(this.#file.path, async (file) => {
      const end = to === undefined ? this.#list.documents : await this.#documentsBefore(file, to, signal);
      return from === undefined ? end : Math.max(0, end - (await this.#documentsBefore(file, from, signal)));
    });
  }

  /** Reads everything to see that it is what was written. */
  async check(signal: AbortSignal): Promise<void> {
    const { path } = this.#file;
    await inFile(path, async (_file, size) => {
      if (size !== this.#list.storedBytes) throw wrongSize(path, size, this.#list.storedBytes);
    });
    for await (const block of this.#blocks(0, this.#list.length, signal)) block.release();
  }

  /** Blocks from one to another (excluded), the next ones already on their way. */
  async *#blocks(begin: number, end: number, signal: AbortSignal): AsyncGenerator<Batch> {
    if (begin >= end) return;
    const file = await openFile(this.#file.path);
    const coming: Promise<Batch>[] = [];
    try {
      for (let index = begin; index < end || coming.length > 0; ) {
        signal.throwIfAborted();
        for (; index < end && coming.length <= this.#ahead; index++) {
          const block = this.#block(file, index);
          // It is looked at when its turn comes, if it comes.
          block.catch(() => undefined);
          coming.push(block);
        }
        yield await (coming.shift() as Promise<Batch>);
      }
    } finally {
      await Promise.allSettled(coming);
      await closeFile(file, this.#file.path);
    }
  }

  async #block(file: FileHandle, index: number): Promise<Batch> {
    const { path } = this.#file;
    const entry = this.#list.entry(index);
    const bad = (cause?: unknown) =>
      damaged(path, `is damaged in block ${index + 1} of ${this.#list.length}`, cause);
    const stored = await readPart(file, path, this.#list.offset(index), entry.storedBytes);
    if (!sha256(stored).equals(entry.hash)) throw bad();
    const bytes = this.#file.gzip
      ? await unpacked(stored, entry.bytes).catch((error) => Promise.reject(bad(error)))
      : stored;
    const ends = bytes.length === entry.bytes ? documentEnds(bytes) : [];
    if (ends.length !== entry.documents || ends.length === 0) throw bad();
    return new Batch(bytes, ends, true);
  }

  async #findInOrder(ids: readonly DocumentId[], signal: AbortSignal): Promise<ReadonlyMap<string, Doc>> {
    const found = new Map<string, Doc>();
    if (ids.length === 0 || this.#list.length === 0) return found;
    const sorted = [...ids].sort((a, b) => compareIds(a.element, b.element));
    await inFile(this.#file.path, async (file) => {
      let at = -1;
      let block: Batch | undefined;
      for (const id of sorted) {
        for (let index = this.#blockOf(id); index < this.#list.length; index++) {
          if (compareIds(this.#list.first(index), id.element) > 0) break;
          signal.throwIfAborted();
          if (block === undefined || index !== at) block = await this.#block(file, index);
          at = index;
          const place = position(block, 0, id, false);
          if (place === block.length) continue;
          const document = block.doc(place);
          // A copy: the block's memory is not kept for one document.
          if (document.id.key === id.key)
            found.set(id.key, { ...document, bytes: Uint8Array.from(document.bytes) });
          break;
        }
      }
    });
    return found;
  }

  async #findByReadingAll(
    ids: readonly DocumentId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Doc>> {
    const wanted = new Set(ids.map(({ key }) => key));
    const found = new Map<string, Doc>();
    for await (const block of this.#blocks(0, this.#list.length, signal)) {
      for (const { id, bytes } of block.docs()) {
        if (wanted.delete(id.key)) found.set(id.key, { id, bytes: Uint8Array.from(bytes) });
      }
    }
    return found;
  }

  async #documentsBefore(file: FileHandle, id: DocumentId, signal: AbortSignal): Promise<number> {
    if (this.#list.length === 0) return 0;
    signal.throwIfAborted();
    const index = this.#blockOf(id);
    return this.#list.documentsBefore(index) + position(await this.#block(file, index), 0, id, false);
  }

  /** The last block that begins before this id, else the first: documents with this id lie in it, or begin the next one. */
  #blockOf(id: DocumentId): number {
    return Math.max(0, this.#firstBlockFrom(id) - 1);
  }

  #firstBlockFrom({ element }: DocumentId): number {
    return this.#firstBlock((first) => compareIds(first, element) >= 0);
  }

  #firstBlockAfter({ element }: DocumentId): number {
    return Math.max(
      1,
      this.#firstBlock((first) => compareIds(first, element) > 0),
    );
  }

  /** The first block for whose first id this holds, as it does for all that follow. */
  #firstBlock(holds: (first: Uint8Array) => boolean): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.#list.first(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function rangeEnd(to: DocumentId | undefined): IdRange {
  return to === undefined ? {} : { to };
}

/** The first document from `at` on that does not come before this id, or with `past` the first that comes after it. */
function position(batch: Batch, at: number, id: DocumentId, past: boolean): number {
  const place = batch.indexFrom(at, id);
  if (!past) return place;
  let next = place;
  while (next < batch.length && compareIds(idElement(batch.bytesOf(next)), id.element) === 0) next++;
  return next;
}

function* pieces(batch: Batch, start: number, stop: number, batchSize: number): Generator<Batch> {
  for (let at = start; at < stop; at += batchSize) yield batch.slice(at, Math.min(at + batchSize, stop));
}

async function unpacked(stored: Buffer, bytes: number): Promise<Buffer> {
  return await decompress(stored, { maxOutputLength: bytes, chunkSize: Math.max(bytes, 64) });
}

/** Where documents that lie back to back end; none where they do not fit. */
function documentEnds(bytes: Uint8Array): number[] {
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = at + 5 <= bytes.length ? readInt32(bytes, at) : 0;
    const end = at + length;
    if (length < 5 || end > bytes.length || bytes[end - 1] !== 0) return [];
    ends.push(end);
    at = end;
  }
  return ends;
}
