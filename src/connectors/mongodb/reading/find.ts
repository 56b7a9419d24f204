import type { Doc, DocumentId } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo, Filter } from "../../collection.ts";
import type { Server } from "../connection/server.ts";
import { isLate, isOutOfTime } from "../failures/link-faults.ts";
import { idValue, isQueryable } from "./id-value.ts";
import { isMisread } from "./misread-ids.ts";
import type { FindOptions } from "./range-cursor.ts";
import { readBatches } from "./read.ts";

/** Ids in one query: far below the limits of a command, enough to make a round trip worth it. */
const IDS_PER_QUERY = 1_000;

/** Queries for one id each that are under way at once. */
const SINGLE_QUERIES = 8;

/** A guess: all of a query's documents in one batch on a fast line, a careful first batch on a thin one. */
const DOCUMENT_BYTES = 4_000;

/** Where documents are looked up, and who hears of each: after a broken connection of some twice. */
interface LookupQuery extends Pick<FindOptions, "collection" | "documentBytes" | "signal"> {
  readonly filter?: Filter;
  readonly take: (document: Doc) => void;
}

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
  const take = (document: Doc): void => void found.set(document.id.key, document);
  await lookUp(server, { collection, documentBytes: DOCUMENT_BYTES, signal, take }, ids);
  return found;
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
  const take = ({ id }: Doc): void => void keys.add(id.key);
  await lookUp(server, { collection: name, documentBytes, filter, signal, take }, ids);
  return keys;
}

async function lookUp(server: Server, query: LookupQuery, ids: readonly DocumentId[]): Promise<void> {
  for (let from = 0; from < ids.length; from += IDS_PER_QUERY) {
    const wanted = ids.slice(from, from + IDS_PER_QUERY).filter(({ element }) => isQueryable(element));
    const late = await askTogether(
      server,
      query,
      wanted.filter(({ element }) => !isMisread(element)),
    );
    await askEach(server, query, [...late, ...wanted.filter(({ element }) => isMisread(element))]);
  }
}

/**
 * Asks for all in one query, and again for those that were not found when it broke off: each time for fewer.
 * @returns those for which the time was too short
 */
async function askTogether(
  server: Server,
  query: LookupQuery,
  ids: readonly DocumentId[],
): Promise<readonly DocumentId[]> {
  if (ids.length < 2) return ids;
  const found = new Set<string>();
  const take = (document: Doc): void => {
    found.add(document.id.key);
    query.take(document);
  };
  const timeLimit = Math.max(1, Math.floor(server.deadline / 2));
  for (let missing = ids; missing.length > 0; ) {
    const before = found.size;
    try {
      await ask(server, { ...query, take }, ["$in", missing.map(idValue)], timeLimit);
      return [];
    } catch (error) {
      if (query.signal.aborted || !(error instanceof DualsyncError)) throw error;
      missing = ids.filter(({ key }) => !found.has(key));
      if (isOutOfTime(error.cause) || isLate(error.cause)) return missing;
      if (!error.retryable || found.size === before) throw error;
    }
  }
  return [];
}

/** Asks for one after the other, several at once. */
async function askEach(server: Server, query: LookupQuery, ids: readonly DocumentId[]): Promise<void> {
  const waiting = ids.values();
  let failure: { readonly error: unknown } | undefined;
  const turn = async (): Promise<void> => {
    for (const id of waiting) {
      if (failure !== undefined) return;
      await ask(server, query, ["$eq", idValue(id)]).catch((error: unknown) => {
        failure ??= { error };
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(SINGLE_QUERIES, ids.length) }, turn));
  if (failure !== undefined) throw failure.error;
}

async function ask(
  server: Server,
  { filter, take, ...where }: LookupQuery,
  condition: readonly [operator: string, value: unknown],
  timeLimit?: number,
): Promise<void> {
  const byId = new Map([["_id", new Map([condition])]]);
  const both = filter === undefined ? byId : new Map([["$and", [filter, byId]]]);
  const options = { ...where, filter: both, order: "any", timeLimit } as const;
  for await (const batch of readBatches(server, options)) for (const document of batch.docs()) take(document);
}
