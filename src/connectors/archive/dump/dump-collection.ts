import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onDisk } from "../../../files/disk-error.ts";
import type { Batch, Doc, DocumentId } from "../../../model/document.ts";
import type { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo, IdRange, Metadata, ReadOptions } from "../../collection.ts";
import type { NotReproduced } from "../../write-outcome.ts";
import { ARCHIVE_HINTS } from "../blocks/archive-file.ts";
import type { BlockReader } from "../blocks/block-reader.ts";
import { Spool } from "../blocks/spool.ts";
import type { StoredCollection } from "../stored-collection.ts";
import { badDump, type FileState, stateOf } from "./dump-file.ts";

/** A folder of this run alone, made when it is needed. */
export class TemporaryFolder {
  #path: Promise<string> | undefined;

  path(): Promise<string> {
    this.#path ??= onDisk(
      tmpdir(),
      "written",
      () => mkdtemp(join(tmpdir(), "dualsync-dump-")),
      ARCHIVE_HINTS,
    );
    return this.#path;
  }

  async remove(): Promise<void> {
    const path = await this.#path?.catch(() => undefined);
    this.#path = undefined;
    if (path !== undefined) await rm(path, { recursive: true, force: true });
  }
}

/** Where a collection's documents are. */
export interface DumpDocuments {
  /** The file, for messages. */
  readonly path: string;
  readonly state: FileState;
  readonly documents: number;
  readonly bytes: number;
  /** Why none of them is given. */
  readonly damage?: DualsyncError | undefined;
  /** All of them, as they lie there. */
  all(signal: AbortSignal): AsyncGenerator<Batch>;
  /** Reads parts; absent where they lie compressed, or between others. */
  readonly parts?: BlockReader | undefined;
}

interface DumpedParts {
  readonly info: CollectionInfo;
  readonly indexes: readonly Metadata[];
  readonly altered: readonly NotReproduced[];
  readonly data: DumpDocuments | undefined;
  readonly folder: TemporaryFolder;
}

/** A collection of a dump; without `data` it is only defined. */
export class DumpCollection implements StoredCollection {
  readonly info: CollectionInfo;
  readonly indexes: readonly Metadata[];
  readonly altered: readonly NotReproduced[];
  readonly cut?: (pieces: number, within: IdRange | undefined) => readonly IdRange[];
  readonly #data: DumpDocuments | undefined;
  readonly #folder: TemporaryFolder;
  #sorted: Promise<BlockReader> | undefined;

  constructor({ info, indexes, altered, data, folder }: DumpedParts) {
    this.info = info;
    this.indexes = indexes;
    this.altered = altered;
    this.#data = data;
    this.#folder = folder;
    const parts = data?.parts;
    if (parts !== undefined && info.ordered && info.kind === "collection")
      this.cut = (pieces, within) => parts.cut(pieces, within);
  }

  async *read(options: ReadOptions): AsyncGenerator<Batch> {
    const data = this.#usable();
    if (data === undefined) return;
    const { range, after, batchSize = Number.POSITIVE_INFINITY, signal } = options;
    if (range?.from !== undefined || range?.to !== undefined || after !== undefined) {
      yield* (await this.#inOrder(data, signal)).read(options);
      return;
    }
    if (data.parts !== undefined) {
      yield* data.parts.read(options);
      return;
    }
    for await (const batch of this.#whole(data, signal)) {
      if (batch.length <= batchSize) yield batch;
      else {
        for (let at = 0; at < batch.length; at += batchSize)
          yield batch.slice(at, Math.min(at + batchSize, batch.length));
      }
    }
  }

  async find(ids: readonly DocumentId[], signal: AbortSignal): Promise<ReadonlyMap<string, Doc>> {
    const data = this.#usable();
    return data === undefined || ids.length === 0
      ? new Map()
      : (await this.#inOrder(data, signal)).find(ids, signal);
  }

  async count(range: IdRange | undefined, signal: AbortSignal): Promise<number> {
    const data = this.#usable();
    if (data === undefined) return 0;
    if (range?.from === undefined && range?.to === undefined) return data.documents;
    return (await this.#inOrder(data, signal)).count(range, signal);
  }

  /** Everything was read when the dump was opened: the file must still be that one. */
  async check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const data = this.#usable();
    if (data === undefined) return;
    const { size, modified } = await stateOf(data.path);
    if (size !== data.state.size || modified !== data.state.modified) throw changed(data.path);
  }

  #usable(): DumpDocuments | undefined {
    if (this.#data?.damage !== undefined) throw this.#data.damage;
    return this.#data;
  }

  /** Something that reads by id: the file itself, or what is sorted from it the first time. */
  #inOrder(data: DumpDocuments, signal: AbortSignal): Promise<BlockReader> {
    if (data.parts !== undefined && this.info.ordered && this.info.kind === "collection")
      return Promise.resolve(data.parts);
    if (this.#sorted === undefined) {
      const sorting = this.#sort(data, signal);
      this.#sorted = sorting;
      sorting.catch(() => {
        if (this.#sorted === sorting) this.#sorted = undefined;
      });
    }
    return this.#sorted;
  }

  async #sort(data: DumpDocuments, signal: AbortSignal): Promise<BlockReader> {
    const spool = await Spool.create(await this.#folder.path());
    try {
      for await (const batch of this.#whole(data, signal)) {
        await spool.add(batch);
        batch.release();
      }
      return await spool.end(signal);
    } catch (error) {
      await spool.discard();
      throw error;
    }
  }

  async *#whole(data: DumpDocuments, signal: AbortSignal): AsyncGenerator<Batch> {
    let documents = 0;
    let bytes = 0;
    for await (const batch of data.all(signal)) {
      documents += batch.length;
      bytes += batch.bytes.length;
      yield batch;
    }
    if (documents !== data.documents || bytes !== data.bytes) throw changed(data.path);
  }
}

function changed(path: string): DualsyncError {
  return badDump(path, "is no longer what it was when this run began");
}
