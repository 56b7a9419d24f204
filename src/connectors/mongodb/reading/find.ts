import type { Doc, DocumentId } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo, Filter } from "../../collection.ts";
import type { Server } from "../connection/server.ts";
import { idValue, isQueryable } from "./id-value.ts";
import { readBatches } from "./read.ts";

/** Ids in one query: far below the limits of a command, enough to make a round trip worth it. */
const IDS_PER_QUERY = 1_000;

/** A guess: all of a query's documents in one batch on a fast line, a careful first batch on a thin one. */
const DOCUMENT_BYTES = 4_000;

/**
 * Looks documents up by `_id`; absent ones are absent from the map, which is keyed by `DocumentId.key`. So are the few
 * whose id cannot be used in a query: `Writer` rejects such documents before anything depends on finding them.
 */
export async function findByIds(
  server: Server,
  collection: string,
  ids: readonly DocumentId[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Doc>> {
  const found = new Map<string, Doc>();
  for (let from = 0; from < ids.length; from += IDS_PER_QUERY) {
    const wanted = ids.slice(from, from + IDS_PER_QUERY).filter(({ element }) => isQueryable(element));
    let missing: readonly DocumentId[] = wanted;
    while (missing.length > 0) {
      if (await addFound(server, collection, missing, found, signal)) break;
      missing = wanted.filter((id) => !found.has(id.key));
    }
  }
  return found;
}

/** One query. False when it broke off after it had found some: the others should be asked for again. */
async function addFound(
  server: Server,
  collection: string,
  ids: readonly DocumentId[],
  found: Map<string, Doc>,
  signal: AbortSignal,
): Promise<boolean> {
  const before = found.size;
  const filter = new Map([["_id", new Map([["$in", ids.map(idValue)]])]]);
  try {
    for await (const batch of readBatches(server, {
      collection,
      filter,
      order: "any",
      documentBytes: DOCUMENT_BYTES,
      signal,
    })) {
      for (const document of batch.docs()) found.set(document.id.key, document);
    }
    return true;
  } catch (error) {
    if (error instanceof DualsyncError && error.retryable && found.size > before) return false;
    throw error;
  }
}

/** Which of these ids belong to documents that match the filter, by `DocumentId.key`. */
export async function among(
  server: Server,
  { name, documents, bytes }: CollectionInfo,
  filter: Filter,
  ids: readonly DocumentId[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const documentBytes = documents > 0 ? bytes / documents : 1_000;
  const keys = new Set<string>();
  const wanted = ids.filter(({ element }) => isQueryable(element));
  for (let at = 0; at < wanted.length; at += IDS_PER_QUERY) {
    const some = new Map([["_id", new Map([["$in", wanted.slice(at, at + IDS_PER_QUERY).map(idValue)]])]]);
    const both = new Map([["$and", [filter, some]]]);
    const options = { collection: name, filter: both, order: "any", documentBytes, signal } as const;
    for await (const batch of readBatches(server, options))
      for (const { id } of batch.docs()) keys.add(id.key);
  }
  return keys;
}
