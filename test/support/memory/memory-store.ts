import { compareIds } from "../../../src/bson/compare-ids.ts";
import { TYPE } from "../../../src/bson/elements.ts";
import type {
  CollectionInfo,
  IdRange,
  Listing,
  Metadata,
  ReadOptions,
  Selection,
} from "../../../src/connectors/collection.ts";
import type {
  PreparedCollection,
  Reader,
  Run,
  StoreIdentity,
  WritableStore,
  WriteMode,
  WriteSession,
} from "../../../src/connectors/contract.ts";
import type { IsDue } from "../../../src/connectors/powers/expiry.ts";
import type { Mapping } from "../../../src/connectors/powers/mapping.ts";
import type { Ranges } from "../../../src/connectors/powers/ranges.ts";
import type { UniqueRules } from "../../../src/connectors/powers/unique-values.ts";
import type { StoreWords } from "../../../src/connectors/words.ts";
import type { Rejected, WriteOutcome } from "../../../src/connectors/write-outcome.ts";
import { Batch, type Doc, type DocumentId } from "../../../src/model/document.ts";
import { never } from "../signal.ts";

export const MEMORY_WORDS: StoreWords = {
  store: "a store in memory",
  collection: "collection",
  collections: "collections",
  documents: "documents",
  comparedBy: "byte for byte",
  whenEmpty: "Check the name.",
  notUndone: "everything else stays",
};

export interface MemoryOptions {
  /** Called before each step of each call: throws where the store is to fail, turns the clock, or does nothing. */
  readonly onStep?: () => void;
  /** Documents in each batch, in turn. */
  readonly lengths?: readonly number[];
  /** Where `ranges` cuts. */
  readonly cuts?: readonly DocumentId[];
  /** It holds documents that dualsync did not put there. */
  readonly foreign?: boolean;
  /** The collection is another one by the time that is asked. */
  readonly replaced?: boolean;
  /** Its documents are made from something else. */
  readonly mapping?: Mapping;
  /** Rules of its own may alter what it is given. */
  readonly alters?: true;
  /** They come the other way round, as those of a collection with a collation may. */
  readonly reversed?: boolean;
  readonly indexes?: readonly Metadata[];
  /** Which of its documents it is due to delete by itself. */
  readonly isDue?: IsDue;
  /** What must be unique. */
  readonly uniqueRules?: UniqueRules;
  /** Why it does not take a document while it holds these; undefined where it does. */
  readonly refuses?: (document: Doc, mode: MemoryMode, there: readonly Doc[]) => string | undefined;
}

const MAPPED_WORDS: StoreWords = {
  ...MEMORY_WORDS,
  mapped: { equivalents: "numbers of another type", alters: "does a trigger change them?" },
};

/** `append`: of a sequence. */
export type MemoryMode = WriteMode | "append";

/** One collection in memory, in the order of its ids, for what is decided above any store. */
export class MemoryStore implements WritableStore {
  readonly label = "memory/test";
  readonly words: StoreWords;
  readonly countsExactly = true;
  readonly ranges: Reader["ranges"] = { cut: (...asked) => this.cut(...asked) };
  readonly lookup: Reader["lookup"] = {
    find: (...asked) => this.find(...asked),
    canQuery: (id) => this.canQuery(id),
  };
  readonly metadata: Reader["metadata"] = {
    indexes: () => this.indexes(),
    renamed: (info, renames) => ({
      info: { ...info, name: renames.get(info.name) ?? info.name },
      uncertain: new Map(),
    }),
    differences: () => [],
  };
  readonly presence = { stillExists: () => this.stillExists() };
  readonly expiry: Reader["expiry"] = { of: async () => this.#options.isDue ?? (() => false) };
  readonly uniqueValues: Reader["uniqueValues"] = { of: () => this.uniqueRules() };
  readonly size: Reader["size"] = {
    bytes: async () => this.documents.reduce((sum, { bytes }) => sum + bytes.length, 0),
  };
  documents: readonly Doc[];
  /** The next documents with these keys are acknowledged and then gone. */
  readonly forgets = new Set<string>();
  readonly mapping?: Mapping;
  readonly #options: MemoryOptions;

  constructor(documents: readonly Doc[], options: MemoryOptions = {}) {
    if (options.mapping !== undefined) this.mapping = options.mapping;
    this.words = options.mapping === undefined ? MEMORY_WORDS : MAPPED_WORDS;
    this.documents = [...documents].sort((a, b) => compareIds(a.id.element, b.id.element));
    this.#options = options;
  }

  async *read(_: CollectionInfo, { range = {}, signal }: ReadOptions): AsyncGenerator<Batch> {
    for (const id of [range.from, range.to])
      if (id !== undefined && !isBound(id)) throw new RangeError("no range can begin or end here");
    if (
      range.from !== undefined &&
      range.to !== undefined &&
      compareIds(range.from.element, range.to.element) >= 0
    )
      throw new RangeError("a range that ends where it begins, which servers refuse");
    const { lengths = [3], reversed = false } = this.#options;
    const found = reversed ? this.#within(range).toReversed() : this.#within(range);
    for (let at = 0, turn = 0; at < found.length; turn++) {
      await this.#step(signal);
      const length = lengths[turn % lengths.length] ?? 1;
      yield owned(found.slice(at, at + length));
      at += length;
    }
    await this.#step(signal);
  }

  async find(_: string, ids: readonly DocumentId[], signal: AbortSignal): Promise<ReadonlyMap<string, Doc>> {
    await this.#step(signal);
    const keys = new Set(ids.filter((id) => this.canQuery(id)).map(({ key }) => key));
    return new Map(this.documents.filter(({ id }) => keys.has(id.key)).map((one) => [one.id.key, one]));
  }

  /** Dates stand for what a store may hold and cannot be asked for. */
  canQuery(id: DocumentId): boolean {
    return id.element[0] !== TYPE.date;
  }

  async write(_: string, batch: Batch, mode: MemoryMode, signal: AbortSignal): Promise<WriteOutcome> {
    const documents = batch.docs();
    await this.#step(signal);
    // Slower than a read: whoever does not wait for it is ahead of it.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    const reasons = new Map(documents.map((one) => [one, this.#refusal(one, mode)] as const));
    const refused = documents.filter((one) => reasons.get(one) !== undefined);
    const willing = documents.filter((one) => reasons.get(one) === undefined);
    const occupied = mode === "create" ? willing.filter((one) => this.#differs(one)) : [];
    const taken = willing.filter((one) => !occupied.includes(one));
    let unchanged = 0;
    if (mode === "append") {
      const kept = taken.filter(({ id }) => !this.forgets.delete(id.key));
      this.documents = [...this.documents, ...copies(kept)];
    } else
      for (const { id, bytes } of copies(taken)) {
        const there = this.documents.find((one) => one.id.key === id.key);
        if (mode !== "replace" && there !== undefined && Buffer.compare(there.bytes, bytes) === 0)
          unchanged++;
        this.#without(new Set([id.key]));
        if (!this.forgets.delete(id.key)) this.#put({ id, bytes });
      }
    const rejected = [
      ...refused.map((one) => this.#rejection(one, reasons.get(one) ?? "")),
      ...occupied.map(({ id }) => ({ id, reason: "taken", occupied: true as const })),
    ];
    return { written: taken.length - unchanged, unchanged, rejected };
  }

  async remove(_: string, ids: readonly DocumentId[], signal: AbortSignal): Promise<number> {
    await this.#step(signal);
    const before = this.documents.length;
    this.#without(new Set(ids.map(({ key }) => key)));
    return before - this.documents.length;
  }

  async count(_: string, { range = {} }: Selection, signal: AbortSignal): Promise<number> {
    await this.#step(signal);
    return this.#within(range).length;
  }

  async cut(..._: Parameters<Ranges["cut"]>): Promise<readonly IdRange[]> {
    const cuts = this.#options.cuts ?? [];
    return [undefined, ...cuts].map((from, i) => {
      const to = cuts[i];
      return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    });
  }

  async stillExists(): Promise<boolean> {
    return this.#options.replaced !== true;
  }

  async prepare(): Promise<PreparedCollection> {
    const empty = this.documents.length === 0;
    return {
      empty,
      fromEmpty: this.#options.foreign !== true,
      uid: "the target's",
      notReproduced: [],
    };
  }

  async indexes(): Promise<readonly Metadata[]> {
    return this.#options.indexes ?? [];
  }

  async finish(..._: Parameters<WriteSession["finish"]>): Promise<[]> {
    return [];
  }

  async uniqueRules(): Promise<UniqueRules | undefined> {
    return this.#options.uniqueRules;
  }

  async claim(_: Run): Promise<WriteSession> {
    return this.session;
  }

  async identity(): Promise<StoreIdentity> {
    return { product: "memory", label: this.label };
  }

  list: () => Promise<Listing> = async () => ({ collections: [], notCopied: [] });

  get session(): WriteSession {
    return {
      lost: never,
      alters: this.#options.alters,
      nonce: "nonce",
      prepare: () => this.prepare(),
      write: (...given) => this.write(...given),
      remove: (...given) => this.remove(...given),
      finish: (...given) => this.finish(...given),
      record: async () => undefined,
      release: async () => undefined,
      sequences: {
        append: (name, batch, signal) => this.write(name, batch, "append", signal),
        reset: async () => {
          this.documents = [];
          return true;
        },
      },
    };
  }

  async close(): Promise<void> {}

  /** What `refuses` speaks against may be gone later. */
  #rejection({ id }: Doc, reason: string): Rejected {
    return this.canQuery(id) ? { id, reason, blocked: true } : { id, reason };
  }

  #refusal(document: Doc, mode: MemoryMode): string | undefined {
    if (!this.canQuery(document.id)) return "cannot be asked for";
    return this.#options.refuses?.(document, mode, this.documents);
  }

  #differs({ id, bytes }: Doc): boolean {
    const there = this.documents.find((one) => one.id.key === id.key);
    return there !== undefined && Buffer.compare(there.bytes, bytes) !== 0;
  }

  async #step(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    this.#options.onStep?.();
  }

  #within(range: IdRange): readonly Doc[] {
    return this.documents.filter(({ id }) => isWithin(id, range));
  }

  #without(keys: ReadonlySet<string>): void {
    this.documents = this.documents.filter(({ id }) => !keys.has(id.key));
  }

  #put(document: Doc): void {
    const { element } = document.id;
    const before = this.documents.filter(({ id }) => compareIds(id.element, element) < 0);
    this.documents = [...before, document, ...this.documents.slice(before.length)];
  }
}

/** Whether the range holds this id. */
export function isWithin(id: DocumentId, { from, to }: IdRange): boolean {
  return (
    (from === undefined || compareIds(from.element, id.element) <= 0) &&
    (to === undefined || compareIds(id.element, to.element) < 0)
  );
}

/** Whether a range can begin at this id. */
export function isBound(id: DocumentId): boolean {
  return ![TYPE.minKey, TYPE.maxKey, TYPE.date].includes(id.element[0] as never);
}

/** Memory that is gone once the batch is released, as that of a connector. */
function owned(documents: readonly Doc[]): Batch {
  const { bytes, ends } = Batch.of(documents);
  const memory = new Uint8Array(bytes.length);
  memory.set(bytes);
  return new Batch(memory, ends, true);
}

/** In memory of their own, as the batch that they came in will be released. */
function copies(documents: readonly Doc[]): Doc[] {
  return documents.map(({ id, bytes }) => ({ id, bytes: Uint8Array.from(bytes) }));
}
