import type { DocumentId } from "../../../model/document.ts";
import type { CollectionInfo, Filter } from "../../collection.ts";
import type { Server } from "../connection/server.ts";
import { idValue, isQueryable } from "./id-value.ts";
import { readBatches } from "./read.ts";

/** Ids in one query. */
const IDS_PER_QUERY = 1_000;

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
