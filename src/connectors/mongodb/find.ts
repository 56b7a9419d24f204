import type { Doc, DocumentId } from "../../document.ts";
import { isLookable } from "./lookable.ts";
import { idValue, readBatches } from "./read.ts";
import type { Server } from "./server.ts";

/** Ids in one query: far below the limits of a command, enough to make a round trip worth it. */
const IDS_PER_QUERY = 1_000;

/**
 * Looks documents up by `_id`; absent ones are absent from the map, which is keyed by `DocumentId.key`. So are the few
 * whose id cannot be asked for: `Writer` sets such documents aside before anything depends on finding them.
 */
export async function findByIds(
  server: Server,
  collection: string,
  ids: readonly DocumentId[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Doc>> {
  const found = new Map<string, Doc>();
  for (let from = 0; from < ids.length; from += IDS_PER_QUERY) {
    const wanted = ids.slice(from, from + IDS_PER_QUERY).filter(({ element }) => isLookable(element));
    if (wanted.length === 0) continue;
    const filter = new Map([["_id", new Map([["$in", wanted.map(idValue)]])]]);
    for await (const batch of readBatches(server, {
      collection,
      filter,
      order: "any",
      documentBytes: 1_000,
      signal,
    })) {
      for (const document of batch.docs()) found.set(document.id.key, document);
    }
  }
  return found;
}
