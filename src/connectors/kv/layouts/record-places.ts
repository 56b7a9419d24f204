import { Batch, type Doc } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo } from "../../collection.ts";
import type { Reader } from "../../contract.ts";
import type { HeldKey, KeyPlaces, KeyStore, PlaceWrite } from "./places.ts";
import { RECORDS, shownRecord, storedRecord } from "./records.ts";

/** The layout `records`: one collection of records, a document for each key. */
export function recordPlaces(store: KeyStore): KeyPlaces {
  let listed: CollectionInfo | undefined;
  return {
    async list(signal) {
      listed = await listRecords(store, signal);
      return listed;
    },
    count: (selection, signal) => store.count(RECORDS, selection, signal),
    read: (collection, options) => readRecords(store.read(collection, options)),
    async look(ids, signal) {
      const found = await store.lookup.find(RECORDS, ids, signal);
      return new Map(ids.map(({ key }) => [key, heldRecord(found.get(key))]));
    },
    listed: () => listed,
    powers: { presence: store.presence },
    survey: async () => ({ notPart: [], aside: [] }),
  };
}

/** An empty one where the store has none. @throws DualsyncError `refused` where it is no plain collection */
async function listRecords(store: Reader, signal: AbortSignal): Promise<CollectionInfo> {
  const { collections } = await store.list(signal, (name) => name === RECORDS);
  return recordsIn(store, collections);
}

export function recordsIn(
  { label }: Pick<Reader, "label">,
  collections: readonly CollectionInfo[],
): CollectionInfo {
  const found = collections.find(({ name }) => name === RECORDS);
  if (found !== undefined && found.kind !== "collection")
    throw new DualsyncError("refused", `${RECORDS} in ${label} is a ${found.type}, not a plain collection.`, {
      hint: "Nothing was changed. Give it another name, or begin the copy in another database.",
    });
  return found ?? plainCollection(RECORDS);
}

/** A collection that is not there yet. */
export function plainCollection(name: string): CollectionInfo {
  const idsAreUnique = true;
  const size = { documents: 0, bytes: 0 };
  return {
    name,
    kind: "collection",
    type: "collection",
    options: new Map(),
    ordered: true,
    idsAreUnique,
    ...size,
  };
}

async function* readRecords(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    const shown = Batch.of(batch.docs().map((doc) => shownRecord(doc).doc));
    batch.release();
    yield shown;
  }
}

function heldRecord(there: Doc | undefined): HeldKey {
  return {
    shown: there && shownRecord(there),
    become: (wanted, now) => recordWrites(there, wanted, now),
  };
}

/** The write that puts a record in the place of the one there; none where there is none and is to be none. */
export function recordWrites(there: Doc | undefined, wanted: Doc | undefined, now: Date): PlaceWrite[] {
  const id = wanted?.id ?? there?.id;
  if (id === undefined) return [];
  const stored = wanted && storedRecord(wanted, there, now);
  return [{ collection: RECORDS, write: { id, expected: there, wanted: stored } }];
}
