import type { Document, RunCommandCursor } from "mongodb";
import { Batch } from "../../document.ts";
import type { Cursor, CursorOptions } from "./cursor-contract.ts";
import { endedBy, withDeadline } from "./deadline.ts";
import type { Server } from "./server.ts";
import { endCursorWith } from "./wire.ts";

/** A server that cannot be told in this many milliseconds that a cursor is done with frees it by itself, later. */
const CLOSING = 5_000;

/**
 * A cursor of the driver, which asks the very server that opened it, in the session in which it was opened: behind
 * several routers of a sharded cluster no other one knows it.
 */
export class DriverCursor implements Cursor {
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
