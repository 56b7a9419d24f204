/** Collections of a store that are keys' own, among all that it holds. */
import type { NotCopied } from "../../../model/collection.ts";
import type { Doc } from "../../../model/document.ts";
import type { CollectionInfo } from "../../collection.ts";
import { ahead } from "./ahead.ts";
import { type KeyDocument, readKeyDocument } from "./key-document.ts";
import { keyNameProblem } from "./key-name.ts";
import type { KeyStore } from "./places.ts";
import { plainCollection, recordsIn } from "./record-places.ts";

/** A collection that has the name of a key. It has one of both, or holds nothing. */
export interface KeyCollection {
  readonly name: string;
  readonly document?: KeyDocument | undefined;
  /** Why it is no key's, in words that follow it. */
  readonly foreign?: string | undefined;
}

/** What a store lists. */
interface ListedKeys {
  /** Collections that may be keys' own, by their names and their kind. */
  readonly candidates: readonly CollectionInfo[];
  readonly records: CollectionInfo;
  readonly all: ReadonlyMap<string, CollectionInfo>;
  /** Collections that are no key's, whatever they hold, with the reason. */
  readonly foreign: ReadonlyMap<string, string>;
  /** Those that were filled from the collection of another store. */
  readonly copied: ReadonlySet<string>;
  readonly unreadable: readonly NotCopied[];
}

/** Collections that are read at a time, and the bytes that they may hold. */
const AT_ONCE = { most: 8, bytes: 16_000_000 };
/** No document takes more, and no more than two are read. */
const MOST_READ = 32_000_000;

/** What the store listed last is known; what it holds is read each time. */
export class KeyCollections {
  readonly #store: KeyStore;
  #listed: ListedKeys | undefined;

  constructor(store: KeyStore) {
    this.#store = store;
  }

  async list(signal: AbortSignal): Promise<ListedKeys> {
    const store = this.#store;
    const [{ collections, notCopied }, history] = await Promise.all([
      store.list(signal),
      store.history?.read(signal),
    ]);
    const unreadable = notCopied.filter(({ isLoss }) => isLoss);
    const foreign = new Map(unreadable.map(({ name }) => [name, "cannot be read"]));
    const copied = new Set<string>();
    for (const { name, kind, type, uid } of collections) {
      const known = history?.collections.get(name);
      if (kind !== "collection") foreign.set(name, `is a ${type}`);
      else if (known?.source !== undefined && known.uid === uid) copied.add(name);
    }
    const candidates = collections.filter(
      ({ name }) => !foreign.has(name) && keyNameProblem(Buffer.from(name)) === undefined,
    );
    const all = new Map(collections.map((one) => [one.name, one]));
    const records = recordsIn(store, collections);
    this.#listed = { candidates, records, all, foreign, copied, unreadable };
    return this.#listed;
  }

  /** Those that may be keys', as they are listed now. */
  async *readAll(signal: AbortSignal): AsyncGenerator<KeyCollection> {
    const { candidates } = await this.list(signal);
    const bytesOf = ({ bytes }: CollectionInfo): number => Math.min(bytes, MOST_READ);
    yield* ahead(candidates, { ...AT_ONCE, bytesOf }, (info) => this.#read(info, signal));
  }

  /** Those with these names, each of which a key can have. What is not there holds nothing. */
  async readSome(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, KeyCollection>> {
    const { all } = this.#listed ?? (await this.list(signal));
    const found = new Map<string, KeyCollection>();
    const read = async (name: string): Promise<KeyCollection> =>
      this.#foreign(name) ?? (await this.#read(all.get(name) ?? plainCollection(name), signal));
    for await (const one of ahead(names, AT_ONCE, read)) found.set(one.name, one);
    // What has come since it was listed may be no plain collection.
    if (names.every((name) => all.has(name) || isNothing(found.get(name)))) return found;
    await this.list(signal);
    for (const name of names) found.set(name, this.#foreign(name) ?? found.get(name) ?? { name });
    return found;
  }

  /** As the store listed it last. */
  listed(name: string): CollectionInfo | undefined {
    return this.#listed?.all.get(name);
  }

  /** Collections that the store could not list as it should, with the reason; as it listed last. */
  get unreadable(): readonly NotCopied[] {
    return this.#listed?.unreadable ?? [];
  }

  /** Whether the store takes a collection of this name. */
  hasRoom(name: string): boolean {
    const info = this.listed(name) ?? plainCollection(name);
    return this.#store.metadata?.nameProblem?.(info) === undefined;
  }

  #foreign(name: string): KeyCollection | undefined {
    const foreign = this.#listed?.foreign.get(name);
    return foreign === undefined ? undefined : { name, foreign };
  }

  async #read(info: CollectionInfo, signal: AbortSignal): Promise<KeyCollection> {
    const { name } = info;
    const found: Doc[] = [];
    for await (const batch of this.#store.read(info, { batchSize: 2, signal })) {
      if (found.length + batch.length > 1) return { name, foreign: "holds several documents" };
      for (const { id, bytes } of batch.docs()) found.push({ id: id.copy(), bytes: Uint8Array.from(bytes) });
      batch.release();
    }
    const [doc] = found;
    if (doc === undefined) return { name };
    const document = readKeyDocument(name, doc);
    if ("foreign" in document) return { name, foreign: document.foreign };
    // A row of a table with such a column looks like a key's document, but does not say of which.
    const isCopy = this.#listed?.copied.has(name) && !document.namesKey;
    return isCopy ? { name, foreign: "is the copy of something else" } : { name, document };
  }
}

function isNothing(one: KeyCollection | undefined): boolean {
  return one?.document === undefined && one?.foreign === undefined;
}
