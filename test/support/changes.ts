import type { Change } from "../../src/core/change/change.ts";
import type { Journal, JournalEntry } from "../../src/core/change/journal.ts";
import { undo } from "../../src/core/undo/undo.ts";
import { survey } from "../../src/core/undo/undo-survey.ts";
import type { Doc } from "../../src/model/document.ts";
import { doc, id } from "./documents.ts";
import type { MemoryStore } from "./memory-store.ts";
import { never } from "./signal.ts";

export const ORDERS = { name: "orders", uid: "the target's" };

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

  async save(_: typeof ORDERS, entries: readonly JournalEntry[]): Promise<void> {
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

/** Puts back what the journal holds. @returns how much is left as it is */
export async function undone(store: MemoryStore, journal: MemoryJournal, brokenOff = false): Promise<number> {
  const info = {
    ...ORDERS,
    kind: "collection" as const,
    options: new Map(),
    ordered: true,
    documents: 1,
    bytes: 1,
  };
  const { left } = await undo({
    ...{ target: store, journal, brokenOff, signal: never, there: [info] },
    survey: await survey(journal),
    onProgress() {},
  });
  return left.total;
}
