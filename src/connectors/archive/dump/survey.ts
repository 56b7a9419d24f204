import { compareIds } from "../../../bson/compare-ids.ts";
import { type Batch, idElement } from "../../../model/document.ts";
import { BlockList, BlockListWriter, sha256 } from "../blocks/block-list.ts";
import { BadDump } from "./byte-queue.ts";
import { assertStructure } from "./structure.ts";

interface SurveyedBlock {
  readonly bytes: number;
  readonly documents: number;
  readonly first: Uint8Array;
  readonly hash: Uint8Array;
}

/** Walks all documents of a collection once, and gathers what is to be known of them. */
export class DumpSurvey {
  readonly #keepsBlocks: boolean;
  readonly #blocks: SurveyedBlock[] = [];
  #last: Uint8Array | undefined;
  documents = 0;
  bytes = 0;
  /** Each id comes after the one before it. */
  isAscending = true;

  /** `keepsBlocks`: the documents lie in a file as they are read, and it is noted where. */
  constructor(keepsBlocks: boolean) {
    this.#keepsBlocks = keepsBlocks;
  }

  /** Throws BadDump where a document is not BSON. */
  add(batch: Batch): void {
    for (let index = 0; index < batch.length; index++) {
      try {
        assertStructure(batch.bytes, batch.start(index), batch.end(index));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw new BadDump(`is damaged: document ${this.documents + index + 1} ${error.message}`);
      }
      if (this.isAscending) this.#follow(idElement(batch.bytesOf(index)));
    }
    this.documents += batch.length;
    this.bytes += batch.bytes.length;
    if (this.#keepsBlocks) {
      const { length: documents, bytes } = batch;
      const first = idElement(batch.bytesOf(0));
      this.#blocks.push({ bytes: bytes.length, documents, first, hash: sha256(bytes) });
    }
  }

  #follow(id: Uint8Array): void {
    if (this.#last !== undefined && compareIds(this.#last, id) >= 0) this.isAscending = false;
    this.#last = id;
  }

  /** Where the documents lie in their file. */
  list(): BlockList {
    const writer = new BlockListWriter();
    for (const { bytes, documents, first, hash } of this.#blocks) {
      writer.add({ storedBytes: bytes, bytes, documents, first: this.isAscending ? first : undefined, hash });
    }
    return new BlockList(writer.end());
  }
}
