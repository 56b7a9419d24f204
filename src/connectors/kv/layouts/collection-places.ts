import { isUtf8 } from "node:buffer";
import { printId } from "../../../bson/print-id.ts";
import { BsonWriter } from "../../../bson/writer.ts";
import type { NotCopied } from "../../../model/collection.ts";
import { Batch, type Doc, type DocumentId } from "../../../model/document.ts";
import type { ReadOptions } from "../../collection.ts";
import type { LayoutSurvey } from "../../copy-layouts.ts";
import type { AgreementReader } from "../../powers/agreements.ts";
import { decodeRecord } from "../entry/decode-record.ts";
import { idOfKey, keyOfId } from "../entry/key-id.ts";
import { type KeyCollection, KeyCollections } from "./key-collections.ts";
import { changedKeyDocument, newKeyDocument, textOfRecord } from "./key-document.ts";
import { keyNameProblem, nameOfKey } from "./key-name.ts";
import type { HeldKey, KeyPlaces, KeyStore, PlaceWrite } from "./places.ts";
import { plainCollection, recordWrites } from "./record-places.ts";
import { RECORDS, shownRecord } from "./records.ts";

/** Keys and bytes of a batch. */
const BATCH = { keys: 1_000, bytes: 8_000_000 };

/**
 * The layout `collections`: a collection for each key, with one document. What has no form there lies among the records, as do keys
 * whose names no collection can have, or whose collections hold something else. A collection of its own counts before a record.
 */
export function collectionPlaces(store: KeyStore, agreements: AgreementReader): KeyPlaces {
  const collections = new KeyCollections(store);
  return {
    async list(signal) {
      const { candidates, records } = await collections.list(signal);
      const filled = candidates.filter(({ documents }) => documents > 0);
      return {
        ...plainCollection(RECORDS),
        ordered: false,
        documents: filled.length + records.documents,
        bytes: [...filled, records].reduce((sum, { bytes }) => sum + bytes, 0),
      };
    },
    async count(_, signal) {
      let keys = 0;
      for await (const { length } of readKeys(store, collections, { signal })) keys += length;
      return keys;
    },
    read: (_, options) => readKeys(store, collections, options),
    async look(ids, signal) {
      const [records, own] = await Promise.all([
        store.lookup.find(RECORDS, ids, signal),
        lookAtCollections(collections, ids, signal),
      ]);
      const unclear = ids.filter(({ key }) => own.get(key)?.foreign !== undefined && !records.has(key));
      const agreed = unclear.length === 0 ? undefined : await agreements.find(unclear, signal);
      const held = (id: DocumentId): HeldKey =>
        heldKey(id, {
          own: own.get(id.key),
          record: records.get(id.key),
          isAgreed: agreed?.has(id.key) ?? false,
          hasRoom: (name) => collections.hasRoom(name),
        });
      return new Map(ids.map((id) => [id.key, held(id)]));
    },
    listed: (name) => collections.listed(name),
    powers: {},
    survey: (signal) => survey(store, collections, signal),
  };
}

/** By `DocumentId.key`, without keys that can have no collection of their own. */
async function lookAtCollections(
  collections: KeyCollections,
  ids: readonly DocumentId[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, KeyCollection>> {
  const names = new Map<string, string>();
  for (const id of ids) {
    const key = keyOfId(id);
    if (key !== undefined && keyNameProblem(key) === undefined) names.set(id.key, nameOfKey(key));
  }
  const found = await collections.readSome([...names.values()], signal);
  return new Map([...names].map(([key, name]) => [key, found.get(name) ?? { name }]));
}

/** All that is there of one key. */
interface Lying {
  /** Undefined: the key can have no collection of its own. */
  readonly own: KeyCollection | undefined;
  readonly record: Doc | undefined;
  readonly isAgreed: boolean;
  readonly hasRoom: (name: string) => boolean;
}

function heldKey(id: DocumentId, lying: Lying): HeldKey {
  const { own, record, isAgreed } = lying;
  const document = own?.document;
  if (document === undefined && record === undefined && own?.foreign !== undefined && isAgreed)
    return inDoubt(id, own.foreign);
  const doc = document?.record ?? record;
  return { shown: doc && shownRecord(doc), become: (wanted, now) => keyWrites(lying, wanted, now) };
}

/**
 * Both sides agreed on the key, and its collection holds something else by now: which of its documents is the key's, if any, is for
 * people to say. It must not look as if the key were gone.
 */
function inDoubt(id: DocumentId, foreign: string): HeldKey {
  const writer = new BsonWriter(id.element.length + 32);
  const start = writer.begin();
  writer.element(id.element[0] as number, "_id");
  writer.raw(id.element.subarray(1));
  writer.end(start);
  const reason = `the collection of this name ${foreign}`;
  return { shown: { doc: { id, bytes: writer.written() }, problem: reason }, become: () => ({ reason }) };
}

function keyWrites({ own, record, hasRoom }: Lying, wanted: Doc | undefined, now: Date): PlaceWrite[] {
  const document = own?.document;
  const removal: PlaceWrite[] =
    own === undefined || document === undefined
      ? []
      : [
          {
            collection: own.name,
            write: { id: document.doc.id, expected: document.doc, wanted: undefined },
          },
        ];
  if (wanted === undefined) return [...recordWrites(record, undefined, now), ...removal];
  const text = textOfRecord(wanted);
  const isFree = own !== undefined && own.foreign === undefined && hasRoom(own.name);
  // A key whose value has no form of its own moves to the records, and back as soon as it has one.
  if (text === undefined || own === undefined || !isFree)
    return [...recordWrites(record, wanted, now), ...removal];
  const { name: collection } = own;
  if (document !== undefined) {
    const changed = changedKeyDocument(document, text, now);
    return [{ collection, write: { id: changed.id, expected: document.doc, wanted: changed } }];
  }
  const created = newKeyDocument(collection, text, now);
  return [
    { collection, write: { id: created.id, expected: undefined, wanted: created }, isAlone: true },
    ...recordWrites(record, undefined, now),
  ];
}

/** First what has a collection of its own, then the records of all other keys. */
async function* readKeys(
  store: KeyStore,
  collections: KeyCollections,
  { batchSize = BATCH.keys, signal }: Pick<ReadOptions, "batchSize" | "signal">,
): AsyncGenerator<Batch> {
  const seen = new Set<string>();
  const most = Math.min(batchSize, BATCH.keys);
  let waiting: Doc[] = [];
  let bytes = 0;
  for await (const { document } of collections.readAll(signal)) {
    if (document === undefined) continue;
    const { doc } = shownRecord(document.record);
    seen.add(doc.id.key);
    waiting.push(doc);
    bytes += doc.bytes.length;
    if (waiting.length < most && bytes < BATCH.bytes) continue;
    yield Batch.of(waiting);
    waiting = [];
    bytes = 0;
  }
  if (waiting.length > 0) yield Batch.of(waiting);
  for await (const batch of readListed(store, collections, { batchSize: most, signal })) {
    const others = batch.docs().filter(({ id }) => !seen.has(id.key));
    const shown = Batch.of(others.map((doc) => shownRecord(doc).doc));
    batch.release();
    if (shown.length > 0) yield shown;
  }
}

function readListed(
  store: KeyStore,
  collections: KeyCollections,
  options: ReadOptions,
): ReturnType<KeyStore["read"]> {
  return store.read(collections.listed(RECORDS) ?? plainCollection(RECORDS), options);
}

/** Not part of the copy are collections that are no key's, and records that do not count; aside are records that do. */
async function survey(
  store: KeyStore,
  collections: KeyCollections,
  signal: AbortSignal,
): Promise<LayoutSurvey> {
  const own = new Map<string, KeyCollection>();
  const foreign: NotCopied[] = [];
  for await (const one of collections.readAll(signal)) {
    own.set(idOfKey(Buffer.from(one.name)).key, one);
    if (one.foreign !== undefined) foreign.push({ name: one.name, reason: one.foreign });
  }
  foreign.push(...collections.unreadable);
  const hidden: NotCopied[] = [];
  const aside: NotCopied[] = [];
  for await (const batch of readListed(store, collections, { signal })) {
    for (const doc of batch.docs()) {
      const name = printId(doc.id.element);
      const place = own.get(doc.id.key);
      if (place?.document !== undefined)
        hidden.push({ name: `${RECORDS}/${name}`, reason: "the collection of this name counts" });
      else aside.push({ name, reason: whyAside(doc, place, collections) });
    }
    batch.release();
  }
  return { notPart: [...foreign, ...hidden], aside };
}

/** Why a key lies among the records, in words that stand alone. */
function whyAside(doc: Doc, own: KeyCollection | undefined, collections: KeyCollections): string {
  const found = decodeRecord(doc);
  if ("problem" in found) return `it ${found.problem}`;
  const { key, content } = found.entry;
  const problem = keyNameProblem(key);
  if (problem !== undefined) return `its name ${problem}`;
  if (content.type !== "string") return `it is of the type ${content.type}`;
  if (!isUtf8(content.value)) return "its value is not text";
  if (own?.foreign !== undefined) return `the collection of its name ${own.foreign}`;
  if (!collections.hasRoom(nameOfKey(key))) return "its name is too long for this database";
  return "it was written there";
}
