/** A whole connector whose stores are in memory: for what must hold for every store, whatever it can do besides. */
import { randomUUID } from "node:crypto";
import type { CollectionInfo, Listing, ReadOptions } from "../../../src/connectors/collection.ts";
import type { Connector, Location } from "../../../src/connectors/connector.ts";
import type { Reader, Run, Sink, Store, WriteSession } from "../../../src/connectors/contract.ts";
import {
  type ControlFields,
  type ControlRecord,
  historyOf,
  provenanceRecord,
  runRecord,
} from "../../../src/connectors/control/control-records.ts";
import { ProvenanceBook } from "../../../src/connectors/control/provenance.ts";
import { lockedBy } from "../../../src/connectors/lease/lease-renewal.ts";
import type { Mapping } from "../../../src/connectors/powers/mapping.ts";
import { Batch, type Doc } from "../../../src/model/document.ts";
import { MEMORY_WORDS, MemoryStore } from "./memory-store.ts";

/**
 * What such a store can do. `all`: everything that a store in memory can. `none`: nothing but what every store can. `kv`: as
 * a key-value store: no order, ids that a read may give twice, counts that are not exact, documents that expire, and nothing
 * that distinguishes a collection from a later one. `once`: as an archive, which is written once and as a whole.
 */
export type MemoryPowers = "all" | "none" | "kv" | "once";

/** A collection in an archive: its documents in the order in which they came. */
interface ArchivedCollection {
  readonly info: CollectionInfo;
  readonly documents: Doc[];
}

/** A store in memory with collections and with what dualsync itself keeps there. */
export class MemoryDatabase {
  readonly collections = new Map<string, MemoryStore>();
  readonly uids = new Map<string, string>();
  readonly powers: MemoryPowers;
  /** Its documents are made from something else; of a store with every power. */
  mapping: Mapping | undefined;
  /** Whether the time of a document has come; of a key-value store. */
  isDue: (document: Doc) => boolean = () => false;
  holder: { readonly nonce: string; readonly run: Run } | undefined;
  /** Takes the lease away from whoever holds it. */
  lose: (reason: Error) => void = () => undefined;
  /** What dualsync keeps of its runs, by the ids of the records. */
  readonly records = new Map<string, ControlFields>();
  readonly checksums = new Map<string, Uint8Array>();
  /** What was published; of an archive. */
  archived: ReadonlyMap<string, ArchivedCollection> = new Map();
  /** What an archive makes of a document that it is given. */
  alters: (document: Doc) => Doc = (document) => document;

  constructor(powers: MemoryPowers) {
    this.powers = powers;
  }

  /** Makes a collection, in place of one that there may be. */
  create(name: string, documents: readonly Doc[] = []): MemoryStore {
    const store = new MemoryStore(documents);
    this.collections.set(name, store);
    this.uids.set(name, randomUUID());
    return store;
  }

  /** What the collection holds now, in the order of its ids. */
  documents(name: string): readonly Doc[] {
    const { documents = [] } = this.collections.get(name) ?? {};
    return this.powers === "kv" ? documents.filter((one) => !this.isDue(one)) : documents;
  }
}

interface MemoryLocation extends Location {
  readonly kind: "memory";
  readonly reference: string;
  readonly database: string;
}

const PREFIX = "memory:";
const ROLES = ["source", "target"] as const;

/** Its locations are `memory:NAME`, of these databases. */
export function memoryConnector(databases: ReadonlyMap<string, MemoryDatabase>): Connector<MemoryLocation> {
  return {
    kind: "memory",
    words: MEMORY_WORDS,
    serves: { duplicate: ROLES, diff: ROLES, repair: ROLES, restore: ROLES, undo: ["target"] },
    hasMetadata: false,
    variablePrefixes: [],
    forms: ["memory:NAME"],
    parse(text, flag) {
      if (!text.startsWith(PREFIX)) return undefined;
      const database = text.slice(PREFIX.length);
      const location = { kind: "memory", database, label: `memory/${database}` } as const;
      return { location: { ...location, origin: flag, reference: text }, warnings: [] };
    },
    secrets: () => [],
    isSame: (left, right) => left.database === right.database,
    place: ({ database }) => ({ hosts: ["memory"], database }),
    async open({ database, label }) {
      const found = databases.get(database);
      if (found === undefined) throw new Error(`no database ${database}`);
      return storeOf(found, label);
    },
  };
}

/** The database as a store that has the powers which it was made with, and no others. */
function storeOf(database: MemoryDatabase, label: string): Store {
  const { powers } = database;
  if (powers === "once") return archiveOf(database, label);
  const reader: Reader = {
    label,
    words: MEMORY_WORDS,
    countsExactly: powers !== "kv",
    identity: async () => ({ product: "memory", label }),
    list: async () => listingOf(database),
    count: async (name) => database.documents(name).length + (powers === "kv" ? 1 : 0),
    read: (collection, options) => read(database, collection, options),
    close: async () => undefined,
  };
  const claim = async (run: Run): Promise<WriteSession> => sessionOf(database, label, run);
  if (powers === "none") return { ...reader, claim };
  const lookup: Reader["lookup"] = {
    find: async (name, ids) => {
      const keys = new Set(ids.map(({ key }) => key));
      const found = database.documents(name).filter(({ id }) => keys.has(id.key));
      return new Map(found.map((one) => [one.id.key, one]));
    },
    canQuery: () => true,
  };
  const history: Reader["history"] = {
    read: async () => historyOf(database.records),
    seesNonce: async (nonce) => database.holder?.nonce === nonce,
  };
  if (powers === "kv") {
    const expiry: Reader["expiry"] = { of: async () => database.isDue };
    return { ...reader, lookup, history, expiry, claim };
  }
  return {
    ...reader,
    lookup,
    history,
    claim,
    ranges: { cut: async (_, __, ___, within) => [within ?? {}] },
    keys: { read: (collection, options) => keysOf(read(database, collection, options)) },
    presence: { stillExists: async ({ name, uid }) => database.uids.get(name) === uid },
    mapping: database.mapping,
    checksums: { read: async (name) => database.checksums.get(name) },
    size: {
      bytes: async () => {
        const all = [...database.collections.values()].flatMap(({ documents }) => documents);
        return all.reduce((sum, { bytes }) => sum + bytes.length, 0);
      },
    },
  };
}

/** A place that is written once: until then it is as it was. */
function archiveOf(database: MemoryDatabase, label: string): Store {
  const readerOf = (archived: ReadonlyMap<string, ArchivedCollection>): Reader => ({
    label,
    words: MEMORY_WORDS,
    countsExactly: true,
    identity: async () => ({ product: "memory", label }),
    list: async () => ({ collections: [...archived.values()].map(({ info }) => info), notCopied: [] }),
    count: async (name) => archived.get(name)?.documents.length ?? 0,
    async *read({ name }, { signal }) {
      for (const one of archived.get(name)?.documents ?? []) {
        signal.throwIfAborted();
        yield Batch.of([one]);
      }
    },
    close: async () => undefined,
  });
  const begin = async (): Promise<Sink> => {
    const ended = new Map<string, ArchivedCollection>();
    return {
      async begin(info) {
        const documents: Doc[] = [];
        return {
          async write(batch) {
            for (const { id, bytes } of batch.docs())
              documents.push(database.alters({ id, bytes: Uint8Array.from(bytes) }));
          },
          async end() {
            ended.set(info.name, {
              info: { ...info, uid: undefined, documents: documents.length },
              documents,
            });
          },
        };
      },
      reopen: async () => readerOf(ended),
      async publish() {
        database.archived = ended;
      },
      discard: async () => undefined,
    };
  };
  return { ...readerOf(database.archived), begin };
}

function listingOf(database: MemoryDatabase): Listing {
  const collections = [...database.collections.keys()].map((name): CollectionInfo => {
    const documents = database.documents(name);
    const uid = database.powers === "all" ? database.uids.get(name) : undefined;
    return {
      ...{ name, kind: "collection", type: "collection", options: new Map(), uid },
      ordered: database.powers !== "kv",
      documents: documents.length,
      bytes: documents.reduce((sum, { bytes }) => sum + bytes.length, 0),
    };
  });
  return { collections, notCopied: [] };
}

/** Without an order the last come first, and one comes twice. */
async function* read(
  database: MemoryDatabase,
  collection: CollectionInfo,
  options: ReadOptions,
): AsyncGenerator<Batch> {
  const { range = {}, signal } = options;
  if (database.powers !== "all" && (range.from !== undefined || range.to !== undefined))
    throw new RangeError("this store cannot read a part of a collection");
  const store = database.collections.get(collection.name);
  if (database.powers !== "kv") {
    yield* store?.read(collection, options) ?? [];
    return;
  }
  const documents = database.documents(collection.name).toReversed();
  for (const one of [...documents, ...documents.slice(0, 1)]) {
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    if (!database.isDue(one)) yield Batch.of([one]);
  }
}

async function* keysOf(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  for await (const batch of batches)
    yield Batch.of(batch.docs().map(({ id }) => ({ id, bytes: onlyId(id.element) })));
}

/** A document with nothing but its `_id`. */
function onlyId(element: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4 + 1 + 4 + element.length - 1 + 1);
  bytes.writeInt32LE(bytes.length, 0);
  bytes[4] = element[0] as number;
  bytes.write("_id\0", 5, "latin1");
  bytes.set(element.subarray(1), 9);
  return bytes;
}

function sessionOf(database: MemoryDatabase, label: string, run: Run): WriteSession {
  if (database.holder !== undefined) throw lockedBy(label, { ...database.holder.run.holder });
  const nonce = `nonce of ${run.id}`;
  database.holder = { nonce, run };
  const lost = new AbortController();
  database.lose = (reason) => lost.abort(reason);
  const keep = ({ id, content }: ControlRecord): void => void database.records.set(id, content);
  const book = new ProvenanceBook(
    async (name, provenance) => keep(provenanceRecord(run.command, name, provenance)),
    run,
    historyOf(database.records),
  );
  /** The collection, if this run still holds the lease. */
  const changing = (name: string): MemoryStore => {
    if (database.holder?.nonce !== nonce) throw new Error("written to without the lease");
    database.checksums.delete(name);
    const store = database.collections.get(name);
    if (store === undefined) throw new Error(`no collection ${name}`);
    return store;
  };
  const session: WriteSession = {
    nonce,
    lost: lost.signal,
    async record(record) {
      keep(runRecord(record));
    },
    async release() {
      database.holder = undefined;
    },
    async prepare(info, signal) {
      if (!database.collections.has(info.name)) database.create(info.name);
      const empty = database.documents(info.name).length === 0;
      const uid = database.powers === "all" ? database.uids.get(info.name) : undefined;
      await book.note(info, uid, empty, signal);
      return { empty, fromEmpty: empty || book.isFromEmpty(info.name, uid), uid, notReproduced: [] };
    },
    write: async (name, batch, mode, signal) => await changing(name).write(name, batch, mode, signal),
    remove: async (name, ids, signal) => await changing(name).remove(name, ids, signal),
    finish: async () => [],
  };
  if (database.powers !== "all") return session;
  const leave = async (name: string, checksums: Uint8Array): Promise<void> =>
    void database.checksums.set(name, checksums);
  return { ...session, checksums: { leave } };
}
