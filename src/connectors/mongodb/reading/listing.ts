import type { Document } from "mongodb";
import { toOrdered } from "../../../bson/ordered.ts";
import type { Doc } from "../../../model/document.ts";
import type { Metadata } from "../../collection.ts";
import { retry } from "../../wrappers/retry.ts";
import type { Server } from "../connection/server.ts";
import { isTransient } from "../failures/faults.ts";
import type { CursorOptions } from "./cursor.ts";
import { openCursor } from "./cursor.ts";

/** A listing has one small document for each collection or index: one that is larger does not end. */
const LISTING_BYTES = 24_000_000;
/** Nor does a cursor that gives so many batches, be they empty: a server fills its batches. */
const BATCHES = 1_000;
/** A command of a listing is answered at once by any server that is well. Milliseconds. */
const LISTING_DEADLINE = 30_000;
/** What the server holds a cursor over collections under. */
const OF_DATABASE = "$cmd.listCollections";

/**
 * All documents that a cursor command gives: for results of at most `LISTING_BYTES` in the batches that the server
 * chooses; a longer one counts as endless. Starts over when it is interrupted.
 */
export async function readAll(server: Server, command: Document, options: CursorOptions): Promise<Doc[]> {
  const { signal, doing, collection } = options;
  const once = async (): Promise<Doc[]> => {
    const found: Doc[] = [];
    const cursor = openCursor(server, command, options);
    try {
      let bytes = 0;
      let batches = 0;
      do {
        const batch = await cursor.fetch();
        bytes += batch.bytes.length;
        batches++;
        if (bytes > LISTING_BYTES || batches > BATCHES) throw new RangeError("a listing does not end");
        for (const document of batch.docs()) found.push(document);
      } while (!cursor.ended);
      return found;
    } finally {
      await cursor.close();
    }
  };
  return await retry(server.policy, signal, isTransient, once).catch((error: unknown) => {
    throw signal.aborted
      ? signal.reason
      : server.fault(error, doing, collection === OF_DATABASE ? undefined : collection);
  });
}

/** What a command lists of a database (`collection` is empty) or of a collection, decoded in order. */
export async function readListing(
  server: Server,
  command: Document,
  collection: string,
  signal: AbortSignal,
): Promise<Metadata[]> {
  const options = {
    collection: collection === "" ? OF_DATABASE : collection,
    doing: `list ${collection === "" ? "collections" : `indexes of ${collection}`}`,
    deadline: LISTING_DEADLINE,
    signal,
  };
  const found = await readAll(server, command, options);
  return found.map(({ bytes }) => toOrdered(bytes));
}
