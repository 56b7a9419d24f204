import { BSON, type ClientSession, type Document, Long, MaxKey } from "mongodb";
import { TYPE } from "../../bson/elements.ts";
import { toOrdered } from "../../bson/ordered.ts";
import type { Batch, DocumentId } from "../../document.ts";
import type { IdRange, Metadata } from "../connector.ts";
import { retry } from "../retry.ts";
import { isTransient } from "./faults.ts";
import { readCursor } from "./replies.ts";
import type { Server } from "./server.ts";
import { clusterTimesAreCopied } from "./wire.ts";

/**
 * Size that batches aim at, in bytes. Large enough to make the cost of a round trip small, small enough that those of
 * all ranges together stay far below the memory budget.
 */
export const BATCH_BYTES = 4_000_000;
/** No batch holds more documents than this, however small they are. */
const BATCH_DOCUMENTS = 20_000;

export interface FindOptions {
  readonly collection: string;
  readonly filter?: Metadata;
  readonly range?: IdRange;
  readonly after?: DocumentId;
  /** `id`: in the order of the `_id` index; needed for a range, and for going on after a broken connection.
   * `natural`: as stored. `any`: as the server likes. */
  readonly order: "id" | "natural" | "any";
  /** Expected bytes of a document, for the size of the first batch. */
  readonly documentBytes: number;
  readonly batchSize?: number;
  readonly signal: AbortSignal;
}

/** The value of an `_id` as the driver can put it into a command. */
export function idValue(id: DocumentId): unknown {
  const bytes = Buffer.alloc(4 + 1 + 1 + id.element.length);
  bytes.writeInt32LE(bytes.length, 0);
  bytes[4] = id.element[0] as number;
  bytes.set(id.element.subarray(1), 6); // the name between type and value is empty: one NUL
  return toOrdered(bytes).get("");
}

/** A raw find, batch after batch, one batch read ahead. Goes on after the last id when the cursor is lost on the way. */
export async function* readBatches(server: Server, options: FindOptions): AsyncGenerator<Batch> {
  let after = options.after;
  let boundedBelow = after !== undefined || options.range?.from !== undefined;
  for await (const batch of readOn(server, options, () => {
    boundedBelow = true;
  })) {
    if (options.order === "id") after = batch.idOf(batch.length - 1);
    yield batch;
  }
  // A `min` without a `max` ends before the index key MaxKey: a document of that very `_id` is read by itself.
  if (
    options.order !== "id" ||
    !boundedBelow ||
    options.range?.to !== undefined ||
    after?.element[0] === TYPE.maxKey
  )
    return;
  const last = new Map([["_id", new Map([["$eq", new MaxKey()]])]]);
  const filter = options.filter === undefined ? last : new Map([["$and", [options.filter, last]]]);
  const { collection, documentBytes, signal } = options;
  yield* readOn(server, { collection, filter, order: "any", documentBytes, signal }, () => undefined);
}

/** Reads one find to its end; `onReopen` hears when it had to be opened again after the last id. */
async function* readOn(server: Server, options: FindOptions, onReopen: () => void): AsyncGenerator<Batch> {
  let after = options.after;
  if (after?.element[0] === TYPE.maxKey) return; // nothing comes after it
  let cursor = new RawCursor(server, options, after);
  let failures = 0;
  try {
    for (;;) {
      let batch: Batch | undefined;
      try {
        batch = await cursor.next();
        failures = 0;
      } catch (error) {
        if (
          options.order !== "id" ||
          !isTransient(error) ||
          failures++ >= server.policy.retries ||
          options.signal.aborted
        )
          throw error;
        await cursor.close();
        if (after?.element[0] === TYPE.maxKey) return;
        if (after !== undefined) onReopen();
        cursor = new RawCursor(server, options, after);
        continue;
      }
      if (batch === undefined) return;
      if (batch.length === 0) continue;
      if (options.order === "id") after = batch.idOf(batch.length - 1);
      yield batch;
    }
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason;
    throw server.fault(error, `read ${options.collection}`);
  } finally {
    await cursor.close();
  }
}

/** One server cursor. Its getMore runs in the session of its find, as servers with sessions demand. */
class RawCursor {
  readonly #server: Server;
  readonly #options: FindOptions;
  readonly #after: DocumentId | undefined;
  #session: ClientSession | undefined;
  #id: bigint | undefined;
  #ahead: Promise<Batch> | undefined;
  #documentBytes: number;

  constructor(server: Server, options: FindOptions, after: DocumentId | undefined) {
    this.#server = server;
    this.#options = options;
    this.#after = after;
    this.#documentBytes = Math.max(1, options.documentBytes);
  }

  /** The next batch, possibly empty; undefined at the end. */
  async next(): Promise<Batch | undefined> {
    let batch: Batch;
    if (this.#id === undefined) {
      batch = this.#dropFirst(await this.#find());
    } else if (this.#ahead !== undefined) {
      batch = await this.#ahead;
    } else if (this.#id === 0n) {
      return undefined;
    } else {
      batch = await this.#getMore();
    }
    this.#ahead = undefined;
    if (batch.length > 0) this.#documentBytes = Math.max(1, batch.bytes.length / batch.length);
    // Very large batches are not read ahead: two of them per range would not fit the memory budget.
    if (this.#id !== 0n && batch.bytes.length < 2 * BATCH_BYTES) {
      this.#ahead = this.#getMore();
      this.#ahead.catch(() => undefined); // told when it is asked for
    }
    return batch;
  }

  async close(): Promise<void> {
    const id = this.#id;
    this.#id = 0n;
    await this.#ahead?.catch(() => undefined);
    if (id !== undefined && id !== 0n && !this.#options.signal.aborted) {
      const command = { killCursors: this.#options.collection, cursors: [Long.fromBigInt(id)] };
      // Best effort: a server frees an idle cursor by itself.
      await this.#server
        .run(command, { signal: this.#options.signal, doing: "close a cursor", retry: false })
        .catch(() => undefined);
    }
    await this.#session?.endSession();
    this.#session = undefined;
  }

  async #find(): Promise<Batch> {
    const { signal, collection } = this.#options;
    // Reopening is harmless until a batch has arrived.
    return await retry(this.#server.policy, signal, isTransient, async () => {
      await this.#session?.endSession();
      this.#session = this.#server.startSession();
      const answer = await this.#run({
        find: collection,
        ...this.#conditions(),
        batchSize: this.#batchSize(),
        readConcern: { level: "majority" },
      });
      return answer;
    });
  }

  #conditions(): Document {
    const { filter, range, order } = this.#options;
    const from = this.#after ?? range?.from;
    return {
      ...(filter === undefined ? {} : { filter }),
      // min/max are bounds of the index itself: half-open, across all types, where $gte would see one type only.
      ...(from === undefined ? {} : { min: { _id: idValue(from) } }),
      ...(range?.to === undefined ? {} : { max: { _id: idValue(range.to) } }),
      ...(order === "id" ? { hint: { _id: 1 }, sort: { _id: 1 } } : {}),
      ...(order === "natural" ? { hint: { $natural: 1 } } : {}),
    };
  }

  /** `min` includes its bound: the document to start after is dropped if it is still there. */
  #dropFirst(batch: Batch): Batch {
    if (this.#after === undefined || batch.length === 0) return batch;
    return batch.idOf(0).key === this.#after.key ? batch.slice(1, batch.length) : batch;
  }

  async #getMore(): Promise<Batch> {
    const command = {
      getMore: Long.fromBigInt(this.#id ?? 0n),
      collection: this.#options.collection,
      batchSize: this.#batchSize(),
    };
    return await this.#run(command);
  }

  async #run(command: Document): Promise<Batch> {
    const options = {
      signal: this.#options.signal,
      doing: `read ${this.#options.collection}`,
      raw: true,
      retry: false,
      ...(this.#session === undefined ? {} : { session: this.#session }),
    };
    const answer = await this.#server.run(command, options);
    // A reply with a cluster time is also the driver's: it keeps that part for its next commands.
    const reply = readCursor(answer.cursor, answer.$clusterTime === undefined || clusterTimesAreCopied());
    if (this.#id !== 0n) this.#id = reply.id;
    return reply.batch;
  }

  #batchSize(): number {
    const byBytes = Math.max(1, Math.floor(BATCH_BYTES / this.#documentBytes));
    return Math.min(byBytes, this.#options.batchSize ?? BATCH_DOCUMENTS, BATCH_DOCUMENTS);
  }
}

/** All documents of a cursor command's first batch and the following ones, decoded in order: for listings. */
export async function readListing(
  server: Server,
  command: Document,
  collection: string,
  signal: AbortSignal,
): Promise<Metadata[]> {
  const doing = `list ${collection === "" ? "collections" : `indexes of ${collection}`}`;
  return await retry(server.policy, signal, isTransient, async () => {
    const found: Metadata[] = [];
    const session = server.startSession();
    try {
      const run = async (next: Document): Promise<bigint> => {
        const answer = await server.run(next, {
          signal,
          doing,
          raw: true,
          retry: false,
          ...(session === undefined ? {} : { session }),
        });
        const reply = readCursor(answer.cursor);
        for (let i = 0; i < reply.batch.length; i++) found.push(toOrdered(reply.batch.bytesOf(i)));
        return reply.id;
      };
      let id = await run(command);
      const from = collection === "" ? "$cmd.listCollections" : collection;
      while (id !== 0n) id = await run({ getMore: Long.fromBigInt(id), collection: from });
      return found;
    } finally {
      await session?.endSession();
    }
  }).catch((error: unknown) => {
    if (signal.aborted) throw signal.reason;
    throw server.fault(error, doing);
  });
}

/** Bytes of a document built by this program. */
export function serialize(document: Document): Uint8Array {
  return BSON.serialize(document, { ignoreUndefined: true });
}
