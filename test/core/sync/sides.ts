/** Two sides in memory that an application writes to at any moment, and everything that must hold of what is written there. */
import { deserialize } from "bson";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import type { Agreement } from "../../../src/connectors/powers/agreements.ts";
import type { Contents } from "../../../src/connectors/powers/contents.ts";
import type { GuardedWrites } from "../../../src/connectors/powers/guarded-writes.ts";
import type { JournalEntry } from "../../../src/core/change/journal.ts";
import { Losses } from "../../../src/core/progress/losses.ts";
import type { SyncRules } from "../../../src/core/sync/decide.ts";
import type { SyncRun, WritableSide } from "../../../src/core/sync/sync-run.ts";
import { SyncTally } from "../../../src/core/sync/sync-tally.ts";
import { synchronize } from "../../../src/core/sync/synchronize.ts";
import { Batch, type Doc, type DocumentId } from "../../../src/model/document.ts";
import { SeenIds } from "../../../src/model/seen-ids.ts";
import { doc, id } from "../../support/data/documents.ts";
import { never } from "../../support/signal.ts";

export const NOW = Date.UTC(2026, 10, 29);

const WORDS = { primary: "KV", copy: "MongoDB", document: "key" };

export interface Content {
  readonly v: string;
  readonly expiresAt?: Date | undefined;
}

export const contents: Contents = {
  of({ bytes }) {
    const { v, expiresAt } = deserialize(bytes) as Content;
    if (typeof v !== "string") return { problem: "has no v" };
    return { hash: v.toLowerCase(), expiresAt: expiresAt?.getTime(), losses: [] };
  },
  saysSame: (a, b) => textOf(a).trim() === textOf(b).trim(),
  withExpiry: ({ id: { element }, bytes }, expiresAt) => {
    const { v } = deserialize(bytes) as Content;
    return made(deserializeId(element), {
      v,
      ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
    });
  },
};

function deserializeId(element: Uint8Array): number {
  return Buffer.from(element).readInt32LE(1);
}

function textOf({ bytes }: Doc): string {
  return String((deserialize(bytes) as Content).v);
}

export function made(_id: number, content: Content): Doc {
  return doc({ _id, ...content });
}

/** One side. `between`: what an application does between a look and a write. */
export class Side {
  readonly documents = new Map<string, Doc>();
  /** What was saved before it was overwritten or removed, as `id v`. */
  readonly saved = new Set<string>();
  readonly entries: JournalEntry[] = [];
  /** What an application wrote and nobody has, as `id v`. */
  readonly lost: string[] = [];
  between: () => void = () => undefined;
  readonly #agreements: Agreements;
  #writing = false;

  constructor(agreements: Agreements) {
    this.#agreements = agreements;
  }

  /** What an application writes, or removes. */
  put(_id: number, content: Content | undefined): void {
    if (this.#writing) throw new Error("a write is one step");
    const { key } = id(_id);
    if (content === undefined) this.documents.delete(key);
    else this.documents.set(key, made(_id, content));
  }

  valueOf(_id: number): string | undefined {
    const found = this.documents.get(id(_id).key);
    return found && textOf(found);
  }

  get values(): Readonly<Record<string, string>> {
    const entries = [...this.documents.values()].map((one) => [
      String(deserializeId(one.id.element)),
      textOf(one),
    ]);
    return Object.fromEntries(entries.sort(([a = ""], [b = ""]) => a.localeCompare(b)));
  }

  readonly lookup = {
    find: async (_: string, ids: readonly DocumentId[]) => {
      this.between();
      return new Map(ids.flatMap(({ key }) => this.#entry(key)));
    },
    canQuery: () => true,
  };

  #entry(key: string): [string, Doc][] {
    const found = this.documents.get(key);
    return found === undefined ? [] : [[key, found]];
  }

  async *read(): AsyncGenerator<Batch> {
    const all = [...this.documents.values()];
    for (let at = 0; at < all.length; at += 3) {
      this.between();
      yield Batch.of(all.slice(at, at + 3));
    }
  }

  /** As a store and its session. */
  writable(): WritableSide {
    const guarded: GuardedWrites = {
      prepare: async (_, writes) => {
        this.between();
        return writes.map((write) => {
          if (!this.#is(write.id.key, write.expected)) return { result: "conflict" as const };
          const collection = { name: "keys", uid: "1" };
          return { write, stored: { collection, id: write.id, before: write.expected, after: write.wanted } };
        });
      },
      apply: async (_, prepared) => {
        this.between();
        return prepared.map(({ write: { id, expected, wanted } }) => {
          if (!this.#is(id.key, expected)) return { result: "conflict" as const };
          this.#check(id.key, expected);
          if (wanted === undefined) this.documents.delete(id.key);
          else this.documents.set(id.key, wanted);
          return { result: "written" as const };
        });
      },
    };
    const journal = {
      save: async (_: unknown, entries: Iterable<JournalEntry>) => {
        for (const entry of entries) {
          this.entries.push(entry);
          if (entry.before !== undefined)
            this.saved.add(`${keyOf(entry.id)} ${textOf({ bytes: entry.before } as Doc)}`);
        }
      },
    };
    return { session: { guarded } as WritableSide["session"], journal };
  }

  #is(key: string, expected: Doc | undefined): boolean {
    const found = this.documents.get(key);
    if (found === undefined || expected === undefined) return found === expected;
    return Buffer.compare(found.bytes, expected.bytes) === 0;
  }

  /** What goes was seen on the other side, too, or is saved. */
  #check(key: string, gone: Doc | undefined): void {
    if (gone === undefined) return;
    const name = `${key} ${textOf(gone)}`;
    if (!this.saved.has(name) && !this.#agreements.seen.has(name)) this.lost.push(name);
  }
}

function keyOf(element: Uint8Array): string {
  return id(deserializeId(element)).key;
}

export class Agreements {
  readonly kept = new Map<string, Agreement>();
  /** On what both sides ever agreed, as `id v`. */
  readonly seen = new Set<string>();

  readonly reader = {
    find: async (ids: readonly DocumentId[]) =>
      new Map(
        ids.flatMap(({ key }) =>
          this.kept.has(key) ? [[key, this.kept.get(key) as Agreement] as const] : [],
        ),
      ),
    read: async function* (this: Agreements) {
      const all = [...this.kept.values()];
      for (let at = 0; at < all.length; at += 3) yield all.slice(at, at + 3);
    }.bind(this),
    count: async () => this.kept.size,
  };

  readonly writer = {
    leave: async (agreements: readonly Agreement[]) => {
      for (const one of agreements) {
        this.kept.set(one.id.key, one);
        for (const hash of [one.primary, one.copy]) this.seen.add(`${one.id.key} ${hash}`);
      }
    },
    forget: async (ids: readonly DocumentId[]) => {
      for (const { key } of ids) this.kept.delete(key);
    },
  };
}

export class Pair {
  readonly agreements = new Agreements();
  readonly primary = new Side(this.agreements);
  readonly copy = new Side(this.agreements);

  /** One run. */
  async sync(
    rules: Partial<SyncRules> = {},
    options: Partial<
      Pick<SyncRun, "allowShrink" | "isAdopting" | "settled" | "earlier" | "isLimited" | "atOnce">
    > & {
      readonly now?: number;
      /** The run is going to fail, and what it counted until then is wanted. */
      readonly failing?: boolean;
    } = {},
  ) {
    const all: SyncRules = {
      direction: "to copy",
      onConflict: "park",
      deletes: false,
      restoresMarked: false,
      ...rules,
    };
    const losses = new Losses([]);
    const tally = new SyncTally(losses, WORDS, all.direction, () => undefined);
    const run: SyncRun = {
      collection: "keys",
      primary: { ...store(this.primary, "kv"), contents },
      copy: { ...store(this.copy, "db"), agreements: this.agreements.reader },
      primarySide: all.direction === "to copy" ? undefined : this.primary.writable(),
      copySide: all.direction === "to primary" ? undefined : this.copy.writable(),
      agreements: this.agreements.writer,
      rules: all,
      tally,
      words: WORDS,
      now: () => options.now ?? NOW,
      allowShrink: options.allowShrink ?? false,
      isAdopting: options.isAdopting ?? false,
      settled: options.settled ?? new SeenIds(),
      earlier: options.earlier ?? new SeenIds(),
      isLimited: options.isLimited ?? false,
      atOnce: options.atOnce ?? (() => Number.POSITIVE_INFINITY),
      signal: never,
      advance: () => undefined,
    };
    const done = synchronize(run, KEYS, KEYS);
    await (options.failing === true ? done.catch(() => undefined) : done);
    return { counts: tally.counts, items: losses.items.map(({ key, reason }) => `${key}: ${reason}`) };
  }
}

const KEYS: CollectionInfo = {
  ...{ name: "keys", kind: "collection", type: "keys", options: new Map(), ordered: false },
  ...{ documents: 0, bytes: 0 },
};

function store(side: Side, label: string): SyncRun["primary"] & SyncRun["copy"] {
  return { label, lookup: side.lookup, read: () => side.read() } as unknown as SyncRun["primary"] &
    SyncRun["copy"];
}
