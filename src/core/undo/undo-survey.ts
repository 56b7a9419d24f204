/** Looks through everything that a run has journaled, before any of it is undone. */
import { hash } from "node:crypto";
import { DocumentId, idElement } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";

import type { JournalCollection, JournalEntry } from "../change/journal.ts";

/** What was journaled together. */
export interface JournaledEntries {
  readonly collection: JournalCollection;
  readonly entries: readonly JournalEntry[];
}

/** A journal that can be read over and over, in the order in which it was written. */
export interface JournalSource {
  /** For people. */
  readonly path: string;
  entries(): AsyncIterable<JournaledEntries>;
}

/** What undoing makes of a document: what it `insert`s, the run had removed. */
export type UndoKind = "remove" | "replace" | "insert";

/** A document that the run changed more than once. */
export interface Repeated {
  /** The entry that holds what is put back, counted from 0 through the whole journal; undefined: nothing is. */
  readonly entry: number | undefined;
  readonly made: Made;
}

/** What a run made of a document. */
export interface Made {
  /** SHA-256, in hex, of each; "" for nothing. */
  readonly hashes: ReadonlySet<string>;
  /** Those that the target may give back in another form. */
  readonly documents: readonly Uint8Array[];
}

export interface Survey {
  /** Documents by collection and by what undoing does with them. */
  readonly collections: readonly (JournalCollection & Readonly<Record<UndoKind, number>>)[];
  readonly repeated: ReadonlyMap<string, Repeated>;
}

/**
 * Reads the journal as a whole. Takes 8 bytes for each document in it; only those that the run changed more than once
 * are remembered.
 * @throws DualsyncError `local` when something in it cannot be what a run has journaled
 */
export async function survey(journal: JournalSource): Promise<Survey> {
  const doubles = new Doubles();
  for await (const { collection, entries } of journal.entries())
    for (const entry of entries) doubles.add(keyOf(journal, collection, entry));
  const candidates = doubles.found();
  const histories = new Map<string, HistoryStep[]>();
  const collections = new Map<string, Counted>();
  let index = 0;
  for await (const { collection, entries } of journal.entries()) {
    const counted = countsOf(collections, collection);
    for (const entry of entries) {
      const key = keyOf(journal, collection, entry);
      if (candidates.size > 0 && candidates.has(numberOf(key))) {
        const history = histories.get(key);
        const step = {
          entry: index,
          kind: kindOf(entry),
          before: hashOf(entry.before),
          after: afterOf(entry),
          // In memory of its own: a journal is read in pieces that are much larger.
          document: entry.after?.document && Uint8Array.from(entry.after.document),
          counted,
        };
        if (history === undefined) histories.set(key, [step]);
        else history.push(step);
      } else counted[kindOf(entry)]++;
      index++;
    }
  }
  return { collections: [...collections.values()], repeated: repeatedOf(histories) };
}

type Counted = JournalCollection & Record<UndoKind, number>;

interface HistoryStep {
  readonly entry: number;
  readonly kind: UndoKind;
  readonly before: string;
  readonly after: string;
  readonly document: Uint8Array | undefined;
  readonly counted: Counted;
}

/**
 * What is put back is what the run found there: before its last change, or, where that was its own, before the change
 * that had made it, and so on.
 */
function repeatedOf(histories: ReadonlyMap<string, readonly HistoryStep[]>): Map<string, Repeated> {
  const repeated = new Map<string, Repeated>();
  for (const [key, saved] of histories) {
    const steps = saved.filter((step, index) => !isNothing(step) && !isNothing(saved[index + 1]));
    if (steps.length === 0)
      repeated.set(key, { entry: undefined, made: { hashes: new Set(), documents: [] } });
    let at = steps.length - 1;
    for (
      let own = at;
      own >= 0;
      own = steps.slice(0, at).findLastIndex(({ after }) => after === steps[at]?.before)
    )
      at = own;
    const restored = steps[at];
    if (restored === undefined) continue;
    const hashes = new Set(steps.map(({ after }) => after));
    const documents = steps.flatMap(({ document }) => document ?? []);
    repeated.set(key, { entry: restored.entry, made: { hashes, documents } });
    restored.counted[restored.kind]++;
  }
  return repeated;
}

/** What the step before was not done. */
function isNothing(step: HistoryStep | undefined): boolean {
  return step?.before === "" && step.after === "";
}

/** What undoing does, by this one entry. */
export function kindOf({ before, after }: JournalEntry): UndoKind {
  if (before === undefined) return "remove";
  return after === undefined ? "insert" : "replace";
}

export function madeOf(entry: JournalEntry): Made {
  return { hashes: new Set([afterOf(entry)]), documents: [entry.after?.document ?? []].flat() };
}

function afterOf({ after }: JournalEntry): string {
  return after === undefined ? "" : Buffer.from(after.sha256).toString("hex");
}

function hashOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : hash("sha256", bytes);
}

/**
 * A string that is equal for one document of one collection only.
 * @throws DualsyncError `local` when the entry cannot have been journaled
 */
export function keyOf(
  { path }: JournalSource,
  { name, uid }: JournalCollection,
  { id, before }: JournalEntry,
): string {
  try {
    const { key } = new DocumentId(id);
    if (name !== "" && (before === undefined || new DocumentId(idElement(before)).key === key))
      return `${JSON.stringify([name, uid])}${key}`;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new DualsyncError("local", `${path} is damaged, or was not written by dualsync.`, {
    hint: "Nothing was changed. Its contents cannot be trusted.",
  });
}

function countsOf(collections: Map<string, Counted>, collection: JournalCollection): Counted {
  const key = JSON.stringify([collection.name, collection.uid]);
  const known = collections.get(key) ?? { ...collection, remove: 0, replace: 0, insert: 0 };
  collections.set(key, known);
  return known;
}

/** 53 bits of a hash: what they are equal for by chance only costs memory. */
function numberOf(key: string): number {
  const bytes = hash("sha256", key, "buffer");
  return bytes.readUIntBE(0, 6) * 32 + (bytes.readUInt8(6) & 31);
}

/** Finds what comes more than once among very many. */
class Doubles {
  #numbers = new Float64Array(1024);
  #length = 0;

  add(key: string): void {
    if (this.#length === this.#numbers.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#length++] = numberOf(key);
  }

  found(): ReadonlySet<number> {
    const sorted = this.#numbers.subarray(0, this.#length).sort();
    const twice = new Set<number>();
    for (let i = 1; i < sorted.length; i++) {
      const number = sorted[i];
      if (number !== undefined && number === sorted[i - 1]) twice.add(number);
    }
    return twice;
  }
}
