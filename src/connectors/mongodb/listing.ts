import type { Document } from "mongodb";
import { toOrdered } from "../../bson/ordered.ts";
import type { Doc } from "../../document.ts";
import type { Metadata } from "../connector.ts";
import { retry } from "../retry.ts";
import { openCursor } from "./cursor.ts";
import type { CursorOptions } from "./cursor-contract.ts";
import { isTransient } from "./faults.ts";
import type { Server } from "./server.ts";

/** All documents that a cursor command gives: for results that fit into memory. Begins anew when it breaks on the way. */
export async function readAll(server: Server, command: Document, options: CursorOptions): Promise<Doc[]> {
  const { signal, doing } = options;
  const once = async (): Promise<Doc[]> => {
    const found: Doc[] = [];
    const cursor = openCursor(server, command, options);
    try {
      do found.push(...(await cursor.fetch()).docs());
      while (!cursor.ended);
      return found;
    } finally {
      await cursor.close();
    }
  };
  return await retry(server.policy, signal, isTransient, once).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : server.fault(error, doing);
  });
}

/** What a command lists of a database (`collection` is empty) or of a collection, decoded in order. */
export async function readListing(
  server: Server,
  command: Document,
  collection: string,
  signal: AbortSignal,
): Promise<Metadata[]> {
  const found = await readAll(server, command, {
    collection: collection === "" ? "$cmd.listCollections" : collection,
    doing: `list ${collection === "" ? "collections" : `indexes of ${collection}`}`,
    signal,
  });
  return found.map(({ bytes }) => toOrdered(bytes));
}
