import type { Document } from "mongodb";
import type { Batch, DocumentId } from "../../../model/document.ts";
import type { IdRange, Metadata } from "../../collection.ts";
import { LARGEST_BATCH } from "../connection/pace.ts";
import type { Server } from "../connection/server.ts";
import { isOverload } from "../failures/link-faults.ts";
import type { Cursor } from "./cursor.ts";
import { openCursor } from "./cursor.ts";
import { idValue } from "./id-value.ts";

/** No batch holds more documents than this, however small they are. */
const BATCH_DOCUMENTS = 20_000;

export interface FindOptions {
  readonly collection: string;
  readonly filter?: Metadata | undefined;
  readonly range?: IdRange | undefined;
  readonly after?: DocumentId | undefined;
  /** `id`: in the order of the `_id` index; needed for a range, and for going on after a broken connection.
   * `natural`: as stored. `any`: as the server likes. */
  readonly order: "id" | "natural" | "any";
  /** Expected bytes of a document, for the size of the first batch. */
  readonly documentBytes: number;
  readonly batchSize?: number | undefined;
  /** Milliseconds that the server may take for it. One that took longer, or did not answer, is not asked again. */
  readonly timeLimit?: number | undefined;
  readonly signal: AbortSignal;
}

/** One find on one server cursor, one batch read ahead, each as large as the server's pace allows. */
export class RangeCursor {
  readonly #server: Server;
  readonly #options: FindOptions;
  readonly #after: DocumentId | undefined;
  readonly #cursor: Cursor;
  #ahead: Promise<Batch> | undefined;
  #begun = false;
  #documentBytes: number;

  constructor(server: Server, options: FindOptions, after: DocumentId | undefined) {
    this.#server = server;
    this.#options = options;
    this.#after = after;
    this.#documentBytes = Math.max(1, options.documentBytes);
    const { collection, signal } = options;
    this.#cursor = openCursor(server, this.#find(), {
      collection,
      doing: `read ${collection}`,
      batchSize: () => this.#batchSize(),
      signal,
    });
  }

  /** The next batch, possibly empty; undefined at the end. */
  async next(): Promise<Batch | undefined> {
    if (this.#ahead === undefined && this.#cursor.ended) return undefined;
    const batch = await (this.#ahead ?? this.#fetch());
    this.#ahead = undefined;
    const first = !this.#begun;
    this.#begun = true;
    if (batch.length > 0) this.#documentBytes = Math.max(1, batch.bytes.length / batch.length);
    // Very large batches are not read ahead: two of them per range would not fit the memory budget.
    if (!this.#cursor.ended && batch.bytes.length < 2 * LARGEST_BATCH) {
      this.#ahead = this.#fetch();
      this.#ahead.catch(() => undefined); // reported when it is asked for
    }
    return first ? this.#dropFirst(batch) : batch;
  }

  async close(): Promise<void> {
    await this.#ahead?.catch(() => undefined);
    await this.#cursor.close();
  }

  #find(): Document {
    const { filter, range, order, collection, timeLimit } = this.#options;
    const from = this.#after ?? range?.from;
    return {
      find: collection,
      ...(filter === undefined ? {} : { filter }),
      // min/max are bounds of the index itself: half-open, across all types, where $gte would see one type only.
      ...(from === undefined ? {} : { min: { _id: idValue(from) } }),
      ...(range?.to === undefined ? {} : { max: { _id: idValue(range.to) } }),
      ...(order === "id" ? { hint: { _id: 1 }, sort: { _id: 1 } } : {}),
      ...(order === "natural" ? { hint: { $natural: 1 } } : {}),
      ...(timeLimit === undefined ? {} : { maxTimeMS: timeLimit }),
      batchSize: this.#firstBatchSize(),
      readConcern: { level: "majority" },
    };
  }

  /** `min` includes its bound: the document to start after is dropped if it is still there. */
  #dropFirst(batch: Batch): Batch {
    if (this.#after === undefined || batch.length === 0) return batch;
    return batch.idOf(0).key === this.#after.key ? batch.slice(1, batch.length) : batch;
  }

  /** One round trip, timed from its own beginning to its own end, however long its batch then waits to be taken. */
  async #fetch(): Promise<Batch> {
    const pace = this.#server.readPace;
    const asked = pace.bytes;
    const begun = performance.now();
    try {
      const batch = await this.#cursor.fetch();
      pace.arrived({ asked, bytes: batch.bytes.length, milliseconds: performance.now() - begun });
      return batch;
    } catch (error) {
      if (isOverload(error)) pace.failed(asked);
      throw error;
    }
  }

  /** The document to start after comes along: without one more in the same batch nothing might ever move on. */
  #firstBatchSize(): number {
    const size = this.#batchSize();
    return this.#after === undefined ? size : Math.min(size + 1, this.#options.batchSize ?? size + 1);
  }

  #batchSize(): number {
    const byBytes = Math.max(1, Math.floor(this.#server.readPace.bytes / this.#documentBytes));
    return Math.min(byBytes, this.#options.batchSize ?? BATCH_DOCUMENTS, BATCH_DOCUMENTS);
  }
}
