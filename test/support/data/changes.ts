import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import { applyChanges } from "../../../src/core/change/apply-changes.ts";
import type { Change, Outcome } from "../../../src/core/change/change.ts";
import type { Journal, JournalCollection, JournalEntry } from "../../../src/core/change/journal.ts";
import { undo } from "../../../src/core/undo/undo.ts";
import { survey } from "../../../src/core/undo/undo-survey.ts";
import type { Doc } from "../../../src/model/document.ts";
import type { MemoryStore } from "../memory/memory-store.ts";
import { never } from "../signal.ts";
import { doc, id } from "./documents.ts";

export const ORDERS: CollectionInfo & { readonly uid: string } = {
  ...{ name: "orders", uid: "the target's", kind: "collection", type: "collection" },
  ...{ options: new Map(), ordered: true, documents: 1, bytes: 1 },
};

export function row(_id: number, n: number): Doc {
  return doc({ _id, n });
}

export function becomes(wanted: Doc, accepts: Change["accepts"] = () => true): Change {
  return { id: wanted.id, wanted: wanted.bytes, accepts };
}

export function goes(_id: number, accepts: Change["accepts"] = () => true): Change {
  return { id: id(_id), accepts };
}

/** Keeps what is saved, and how the store looked at that moment. */
export class MemoryJournal implements Journal {
  readonly path = "memory";
  readonly saved: JournalEntry[] = [];
  readonly #onSave: (entries: readonly JournalEntry[]) => void;

  constructor(onSave: (entries: readonly JournalEntry[]) => void = () => undefined) {
    this.#onSave = onSave;
  }

  async save(_: JournalCollection, saved: Iterable<JournalEntry>): Promise<void> {
    const entries = [...saved];
    this.#onSave(entries);
    this.saved.push(
      ...entries.map((entry) => ({
        ...entry,
        ...(entry.before && { before: Uint8Array.from(entry.before) }),
      })),
    );
  }

  async *entries() {
    for (const entry of this.saved) yield { collection: ORDERS, entries: [entry] };
  }
}

export interface AppliedOptions {
  readonly journal?: Journal;
  /** Only look. */
  readonly dryRun?: boolean;
}

/** Makes the changes to the collection of a store in memory. */
export async function applied(
  store: MemoryStore,
  changes: readonly Change[],
  { journal, dryRun = false }: AppliedOptions = {},
): Promise<readonly Outcome[]> {
  const journaling = journal && { journal, collection: ORDERS };
  const session = dryRun ? undefined : store.session;
  return await applyChanges({ target: store, session }, ORDERS, changes, { journaling, signal: never });
}

/** Puts back what the journal holds. @returns how much is left alone */
export async function undone(store: MemoryStore, journal: MemoryJournal, brokenOff = false): Promise<number> {
  const { left } = await undo({
    ...{ target: store, session: store.session, journal, brokenOff, signal: never, there: [ORDERS] },
    survey: await survey(journal),
    onProgress() {},
  });
  return left.total;
}
