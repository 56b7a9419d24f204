/**
 * The file that `mongodump --archive` writes: four bytes that name the format, a block with a header and the metadata of each collection, then
 * blocks with documents, those of several collections in turn. A block is a header, documents and a terminator; a header that says EOF
 * ends a collection and has the CRC of its documents.
 */
import { deserialize } from "bson";
import type { Batch } from "../../../model/document.ts";
import { BadDump, ByteQueue, TERMINATOR } from "./byte-queue.ts";
import { assertStructure } from "./structure.ts";

export const ARCHIVE_MAGIC = Buffer.from([0x6d, 0xe2, 0x99, 0x81]);
const MOST_COLLECTIONS = 1_000_000;

/** A collection as the beginning of an archive file lists it. */
export interface ListedCollection {
  readonly database: string;
  readonly collection: string;
  /** The text of its metadata file; empty where it has none. */
  readonly metadata: string;
}

export interface ArchivePrelude {
  readonly tool: string;
  readonly collections: readonly ListedCollection[];
}

export type ArchiveEvent =
  | {
      readonly kind: "documents";
      readonly database: string;
      readonly collection: string;
      readonly batch: Batch;
    }
  | { readonly kind: "end"; readonly database: string; readonly collection: string; readonly crc: bigint };

/** Reads an archive file from its beginning. Throws BadDump. */
export class ArchiveStream {
  readonly #queue: ByteQueue;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#queue = new ByteQueue(chunks);
  }

  async prelude(): Promise<ArchivePrelude> {
    const queue = this.#queue;
    if (!(await queue.ensure(4)) || !ARCHIVE_MAGIC.equals(queue.take(4)))
      throw new BadDump("is no archive file of mongodump");
    const header = await this.#header();
    const collections: ListedCollection[] = [];
    for (;;) {
      const document = await queue.document();
      if (document === TERMINATOR) break;
      const listed = decoded(document, queue.position);
      const [database, collection, metadata] = ["db", "collection", "metadata"].map((name) =>
        textIn(listed, name),
      );
      if (collection === undefined)
        throw new BadDump(`lists a collection without a name, before byte ${queue.position}`);
      if (
        collections.push({ database: database ?? "", collection, metadata: metadata ?? "" }) >
        MOST_COLLECTIONS
      )
        throw new BadDump("lists too many collections");
    }
    return { tool: textIn(header, "tool_version") ?? "", collections };
  }

  /** What follows the prelude. */
  async *events(): AsyncGenerator<ArchiveEvent> {
    const queue = this.#queue;
    while (await queue.ensure(1)) {
      const header = await this.#header();
      const [database, collection] = [textIn(header, "db"), textIn(header, "collection")];
      const isEnd = header.EOF;
      const crc = header.CRC;
      if (database === undefined || collection === undefined || typeof isEnd !== "boolean")
        throw new BadDump(`has a block without a collection, before byte ${queue.position}`);
      if (isEnd) {
        if (typeof crc !== "bigint")
          throw new BadDump(`has a collection without a CRC, before byte ${queue.position}`);
        yield { kind: "end", database, collection, crc };
      }
      for (let batch = await queue.documents(); batch !== undefined; batch = await queue.documents()) {
        if (isEnd)
          throw new BadDump(`has documents behind the end of a collection, before byte ${queue.position}`);
        yield { kind: "documents", database, collection, batch };
      }
      await queue.document();
    }
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  async #header(): Promise<Record<string, unknown>> {
    const document = await this.#queue.document();
    if (document === TERMINATOR)
      throw new BadDump(`has a block without a header, before byte ${this.#queue.position}`);
    return decoded(document, this.#queue.position);
  }
}

function decoded(document: Uint8Array, position: number): Record<string, unknown> {
  try {
    assertStructure(document, 0, document.length);
    return deserialize(document, { useBigInt64: true });
  } catch (error) {
    throw new BadDump(`has a header that is damaged, before byte ${position}`, { cause: error });
  }
}

function textIn(document: Record<string, unknown>, name: string): string | undefined {
  const value = Object.hasOwn(document, name) ? document[name] : undefined;
  return typeof value === "string" ? value : undefined;
}
