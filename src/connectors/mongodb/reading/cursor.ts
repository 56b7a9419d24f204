import { type ClientSession, type Document, Long, type RunCommandCursor } from "mongodb";
import { Batch } from "../../../model/document.ts";
import { endedBy } from "../../wrappers/ended-by.ts";
import { withDeadline } from "../connection/deadline.ts";
import { readCursor } from "../connection/replies.ts";
import type { Server } from "../connection/server.ts";
import { clusterTimesAreCopied, endCursorWith } from "../writing/wire.ts";

/** The result of one cursor command, batch after batch, as raw documents. */
export interface Cursor {
  /** The next batch, possibly empty; the first call sends the command. Not to be called again before it has answered. */
  fetch(): Promise<Batch>;
  /** True when the server has said that nothing more will come. */
  readonly ended: boolean;
  /** Frees what is left on the server, as well as that goes; never fails. */
  close(): Promise<void>;
}

export interface CursorOptions {
  /** The collection that the server holds the cursor under. */
  readonly collection: string;
  /** What is being tried, as "read orders": used in errors. */
  readonly doing: string;
  /** Most documents in the next batch; asked before each. Undefined leaves it to the command and the server. */
  readonly batchSize?: () => number;
  readonly deadline?: number | undefined;
  readonly signal: AbortSignal;
}

/** If a cursor cannot be closed within this many milliseconds, its server frees it by itself later. */
const CLOSING = 5_000;

/** Opens a cursor in the way that the server needs. */
export function openCursor(server: Server, command: Document, options: CursorOptions): Cursor {
  return server.pinsCursors
    ? new DriverCursor(server, command, options)
    : new CommandCursor(server, command, options);
}

/**
 * Plain commands, for servers and replica sets, where there is one primary to ask: fastest, as a whole reply is taken
 * as it is. Later commands run in the session of the first, as servers with sessions demand.
 */
class CommandCursor implements Cursor {
  readonly #server: Server;
  readonly #command: Document;
  readonly #options: CursorOptions;
  #session: ClientSession | undefined;
  #id: bigint | undefined;
  #closed = false;

  constructor(server: Server, command: Document, options: CursorOptions) {
    this.#server = server;
    this.#command = command;
    this.#options = options;
  }

  get ended(): boolean {
    return this.#id === 0n;
  }

  async fetch(): Promise<Batch> {
    const size = this.#options.batchSize?.();
    if (this.#id === undefined) {
      this.#session = this.#server.startSession();
      return await this.#run(this.#command);
    }
    return await this.#run({
      getMore: Long.fromBigInt(this.#id),
      collection: this.#options.collection,
      ...(size === undefined ? {} : { batchSize: size }),
    });
  }

  async #run(command: Document): Promise<Batch> {
    const { signal, doing, deadline } = this.#options;
    const answer = await this.#server.run(command, {
      signal,
      doing,
      raw: true,
      retry: false,
      deadline,
      session: this.#session,
    });
    // A reply with a cluster time is also the driver's: it keeps that part for its next commands.
    const reply = readCursor(answer.cursor, answer.$clusterTime === undefined || clusterTimesAreCopied());
    this.#id = reply.id;
    return reply.batch;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { signal, collection } = this.#options;
    if (this.#id !== undefined && this.#id !== 0n && !signal.aborted) {
      const command = { killCursors: collection, cursors: [Long.fromBigInt(this.#id)] };
      await this.#server
        .run(command, { signal, doing: "close a cursor", retry: false, deadline: CLOSING })
        .catch(() => undefined);
    }
    await this.#session?.endSession();
  }
}

/**
 * A cursor of the driver, which asks the very server that opened it, in the session in which it was opened: behind
 * several routers of a sharded cluster no other one knows it.
 */
class DriverCursor implements Cursor {
  readonly #cursor: RunCommandCursor;
  readonly #options: CursorOptions;
  readonly #deadline: number;

  constructor(server: Server, command: Document, options: CursorOptions) {
    this.#cursor = server.driverCursor(command);
    this.#options = options;
    this.#deadline = options.deadline ?? server.deadline;
  }

  get ended(): boolean {
    return this.#cursor.id?.isZero() ?? false;
  }

  async fetch(): Promise<Batch> {
    const size = this.#options.batchSize?.();
    if (size !== undefined) this.#cursor.setBatchSize(size);
    return await withDeadline(this.#options.signal, this.#deadline, async (signal) => {
      endCursorWith(this.#cursor, signal);
      const more = await endedBy(signal, this.#cursor.hasNext());
      // To the driver a cursor that was closed on the way has no more either.
      if (!more && (this.#cursor.killed || !this.ended))
        throw Object.assign(new Error("the cursor was closed"), { name: "MongoNetworkError" });
      return joined(this.#cursor.readBufferedDocuments() as unknown as Uint8Array[]);
    });
  }

  async close(): Promise<void> {
    const { signal } = this.#options;
    const closing = this.#cursor.close();
    // A dead server is not waited for.
    await withDeadline(signal, CLOSING, (end) => endedBy(end, closing)).catch(() => undefined);
  }
}

/** The documents back to back, in memory of their own. */
function joined(documents: readonly Uint8Array[]): Batch {
  let end = 0;
  const ends = documents.map((document) => {
    end += document.length;
    return end;
  });
  const bytes = Buffer.allocUnsafeSlow(end);
  documents.forEach((document, i) => {
    bytes.set(document, (ends[i] as number) - document.length);
  });
  return new Batch(bytes, ends, true);
}
