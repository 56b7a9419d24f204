import { type ClientSession, type Document, Long } from "mongodb";
import type { Batch } from "../../document.ts";
import type { Cursor, CursorOptions } from "./cursor-contract.ts";
import { readCursor } from "./replies.ts";
import type { Server } from "./server.ts";
import { clusterTimesAreCopied } from "./wire.ts";

/** A server that cannot be told in this many milliseconds that a cursor is done with frees it by itself, later. */
const CLOSING = 5_000;

/**
 * Plain commands, for servers and replica sets, where there is one primary to ask: fastest, as a whole reply is taken
 * as it is. Later commands run in the session of the first, as servers with sessions demand.
 */
export class CommandCursor implements Cursor {
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
      ...(deadline === undefined ? {} : { deadline }),
      ...(this.#session === undefined ? {} : { session: this.#session }),
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
