import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { compareIds } from "../../../bson/compare-ids.ts";
import { type Batch, idElement } from "../../../model/document.ts";
import { createFile, writing } from "./archive-file.ts";
import { BlockListWriter, sha256 } from "./block-list.ts";

/** Bytes of documents in a block, but for a document that is larger alone. */
export const BLOCK_BYTES = 1_000_000;
/** Blocks that are packed at a time: as many as the runtime has threads for it. */
const MOST_PACKED = 4;
const LEVEL = 6;

const compress = promisify(gzip);

export interface BlockOptions {
  /** Each block is a gzip member of its own: together they are one valid file. */
  readonly gzip: boolean;
  /** Documents come in the order of their ids: whether they do is checked, and their ids are noted. */
  readonly ordered: boolean;
  readonly blockBytes?: number | undefined;
  /** It need not outlast a loss of power. */
  readonly isTemporary?: true | undefined;
}

/** A data file that is on the disk. */
export interface BlocksWritten {
  /** The content of the `.blocks` file. */
  readonly list: Buffer;
  readonly documents: number;
  /** Of the documents. */
  readonly bytes: number;
  /** Of the file. */
  readonly storedBytes: number;
  /** No two neighbours have the same id; of documents in order. */
  readonly idsAreUnique: boolean;
}

/** A document came after one whose id follows its own. */
export class OutOfOrder extends Error {}

interface PackedBlock {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly documents: number;
  readonly first: Uint8Array | undefined;
  readonly stored: Promise<Uint8Array>;
}

/** Writes documents into a new file, in blocks. After an error nothing but `abandon` may be called. */
export class BlockWriter {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #options: BlockOptions;
  readonly #blockBytes: number;
  readonly #list = new BlockListWriter();
  /** Blocks on their way to the file, in order. */
  readonly #packed: PackedBlock[] = [];
  /** Memory of blocks that were written. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #block: Uint8Array<ArrayBuffer>;
  #used = 0;
  #inBlock = 0;
  #first: Uint8Array | undefined;
  #last: Uint8Array | undefined;
  #documents = 0;
  #bytes = 0;
  #storedBytes = 0;
  #idsAreUnique = true;
  #isClosed = false;

  private constructor(path: string, file: FileHandle, options: BlockOptions) {
    this.#path = path;
    this.#file = file;
    this.#options = options;
    this.#blockBytes = options.blockBytes ?? BLOCK_BYTES;
    this.#block = Buffer.allocUnsafeSlow(this.#blockBytes);
  }

  static async create(path: string, options: BlockOptions): Promise<BlockWriter> {
    return new BlockWriter(path, await createFile(path), options);
  }

  /** Takes copies: the batch may be released afterwards. Throws OutOfOrder. */
  async add(batch: Batch): Promise<void> {
    for (let index = 0; index < batch.length; index++) {
      const document = batch.bytesOf(index);
      if (this.#used > 0 && this.#used + document.length > this.#blockBytes) await this.#cut();
      this.#put(document);
    }
  }

  /** Everything is on the disk once this resolves, but of a temporary file. */
  async end(): Promise<BlocksWritten> {
    if (this.#used > 0) await this.#cut();
    while (this.#packed.length > 0) await this.#store();
    if (this.#options.isTemporary !== true) await writing(this.#path, () => this.#file.sync());
    await this.#close();
    return {
      list: this.#list.end(),
      documents: this.#documents,
      bytes: this.#bytes,
      storedBytes: this.#storedBytes,
      idsAreUnique: this.#idsAreUnique,
    };
  }

  /** Closes the file and leaves it as it is. Harmless more than once, and after `end`. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.#packed.map(({ stored }) => stored));
    this.#packed.length = 0;
    await this.#close();
  }

  #put(document: Uint8Array): void {
    const id = this.#options.ordered ? this.#inOrder(idElement(document)) : undefined;
    if (this.#used === 0) {
      this.#first = id;
      if (document.length > this.#block.length) this.#block = Buffer.allocUnsafeSlow(document.length);
    }
    this.#block.set(document, this.#used);
    this.#used += document.length;
    this.#inBlock++;
  }

  #inOrder(id: Uint8Array): Uint8Array {
    if (this.#last !== undefined) {
      const order = compareIds(this.#last, id);
      if (order > 0) throw new OutOfOrder();
      if (order === 0) this.#idsAreUnique = false;
    }
    this.#last = id;
    return id;
  }

  async #cut(): Promise<void> {
    const content = this.#block.subarray(0, this.#used);
    const stored = this.#options.gzip ? compress(content, { level: LEVEL }) : Promise.resolve(content);
    // It is looked at later; until then a failure is nobody's.
    stored.catch(() => undefined);
    this.#packed.push({ content, documents: this.#inBlock, first: this.#first, stored });
    this.#documents += this.#inBlock;
    this.#bytes += this.#used;
    this.#used = 0;
    this.#inBlock = 0;
    if (this.#packed.length >= MOST_PACKED) await this.#store();
    this.#block = this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#blockBytes);
  }

  /** Writes the oldest block that was cut. */
  async #store(): Promise<void> {
    const block = this.#packed.shift();
    if (block === undefined) return;
    const { content, documents, first } = block;
    const stored = await block.stored;
    await writing(this.#path, () => this.#file.writeFile(stored));
    this.#list.add({
      storedBytes: stored.length,
      documents,
      bytes: content.length,
      first,
      hash: sha256(stored),
    });
    this.#storedBytes += stored.length;
    if (content.buffer.byteLength === this.#blockBytes) this.#spare.push(new Uint8Array(content.buffer));
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await writing(this.#path, () => this.#file.close());
  }
}
