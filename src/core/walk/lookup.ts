/** Finding documents by their ids: by the store's own power, or by reading all of the collection. */
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import type { Doc, DocumentId } from "../../model/document.ts";

/** The documents with these ids, by `DocumentId.key`; an id that is absent is absent from the map. */
export async function find(
  store: Reader,
  collection: CollectionInfo,
  ids: readonly DocumentId[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Doc>> {
  if (store.lookup !== undefined) return await store.lookup.find(collection.name, ids, signal);
  const found = new Map<string, Doc>();
  if (ids.length === 0) return found;
  const wanted = new Set(ids.map(({ key }) => key));
  for await (const batch of store.read(collection, { signal })) {
    for (let i = 0; i < batch.length; i++) {
      const { key } = batch.idOf(i);
      if (!wanted.has(key)) continue;
      const { id, bytes } = batch.doc(i);
      found.set(key, { id, bytes: Uint8Array.from(bytes) });
    }
    batch.release();
  }
  return found;
}

/** Whether a store can be asked for this id at all. One that is read as a whole can. */
export function canQuery({ lookup }: Pick<Reader, "lookup">, id: DocumentId): boolean {
  return lookup?.canQuery(id) ?? true;
}
