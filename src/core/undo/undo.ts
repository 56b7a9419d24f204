/** Puts back what a run has changed, from what it journaled. */
import { hash } from "node:crypto";
import { printId } from "../../bson/print-id.ts";
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader, WriteSession } from "../../connectors/contract.ts";
import { inReferenceOrder } from "../../connectors/reference-order.ts";
import { type Doc, DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import { applyChanges } from "../change/apply-changes.ts";
import type { Change, ChangeOptions, Outcome } from "../change/change.ts";
import type { JournalCollection, JournalEntry } from "../change/journal.ts";
import { Losses } from "../progress/losses.ts";
import { isHeldAs } from "../walk/equivalence.ts";
import { exists } from "../walk/presence.ts";
import {
  type JournalSource,
  keyOf,
  kindOf,
  type Made,
  madeOf,
  type Survey,
  type UndoKind,
} from "./undo-survey.ts";

/** Bytes of refused documents that are kept to be tried once more when all others are back. */
const RETRIED_BYTES = 32_000_000;

export interface UndoWork extends Omit<ChangeOptions, "journaling"> {
  readonly target: Reader;
  /** Without one it is only looked at. */
  readonly session: WriteSession | undefined;
  readonly journal: JournalSource;
  readonly survey: Survey;
  /** The collections of the target as they are now. */
  readonly there: readonly CollectionInfo[];
  /**
   * The run, or an undoing of it, was killed: documents that are replaced by being removed first may be neither
   * one nor the other.
   */
  readonly brokenOff: boolean;
  /** Hears of documents that were seen to. */
  readonly onProgress: (collection: string, documents: number) => void;
}

export interface UndoneCollection {
  readonly collection: string;
  changed: number;
  unchanged: number;
  conflicts: number;
}

export interface Undone {
  readonly collections: readonly UndoneCollection[];
  /** What was left as it is, by name. */
  readonly left: Losses;
}

/** What the run added is removed first, then what it replaced is put back, then what it removed: unique values are free by then. */
const ORDER: readonly UndoKind[] = ["remove", "replace", "insert"];

/** Repeatable: what is as it was before the run is left alone. */
export async function undo(work: UndoWork): Promise<Undone> {
  const result = new Result();
  const retried: Retried[] = [];
  let room = RETRIED_BYTES;
  for (const { kind, names } of passesOf(work)) {
    for await (const { collection, changes } of changesOf(work, kind)) {
      if (names !== undefined && !names.has(collection.name)) continue;
      const outcomes = await apply({ ...work, resolvesSwaps: false }, collection, changes);
      const again = outcomes.filter(({ result, change }) => {
        room -= result === "refused" ? (change.wanted?.length ?? 0) : 0;
        return result === "refused" && room >= 0;
      });
      if (again.length > 0) retried.push({ collection, changes: again.map(({ change }) => kept(change)) });
      result.add(
        collection,
        outcomes.filter((one) => !again.includes(one)),
      );
      work.onProgress(collection.name, outcomes.length - again.length);
    }
  }
  for (const { collection, changes } of together(retried)) {
    result.add(collection, await apply(work, collection, changes));
    work.onProgress(collection.name, changes.length);
  }
  if (work.session !== undefined) await assertStillExists(work, result);
  return result;
}

interface Pass {
  readonly kind: UndoKind;
  /** The collections that it is for; absent: all of them. */
  readonly names?: ReadonlySet<string>;
}

/** Where documents refer to each other, what refers to others is removed before these, and put back after them. */
function passesOf({ survey, there }: UndoWork): readonly Pass[] {
  const isDue = (kind: UndoKind, names?: ReadonlySet<string>): boolean =>
    survey.collections.some((counts) => counts[kind] > 0 && names?.has(counts.name) !== false);
  const { order } = inReferenceOrder(there);
  if (order.every(({ after = [] }) => after.length === 0))
    return ORDER.filter((kind) => isDue(kind)).map((kind) => ({ kind }));
  return ORDER.flatMap((kind) =>
    (kind === "remove" ? order.toReversed() : order)
      .map(({ name }) => ({ kind, names: new Set([name]) }))
      .concat([{ kind, names: gone(survey, there) }])
      .filter(({ names }) => isDue(kind, names)),
  );
}

/** Journaled collections that are no longer there: their documents are named. */
function gone({ collections }: Survey, there: readonly CollectionInfo[]): Set<string> {
  const names = new Set(there.map(({ name }) => name));
  return new Set(collections.map(({ name }) => name).filter((name) => !names.has(name)));
}

interface Retried {
  readonly collection: JournalCollection;
  readonly changes: Change[];
}

/** By collection: what was journaled apart may be in each other's way. */
function together(retried: readonly Retried[]): readonly Retried[] {
  const merged = new Map<string, Retried>();
  for (const { collection, changes } of retried) {
    const key = JSON.stringify([collection.name, collection.uid]);
    const known = merged.get(key) ?? { collection, changes: [] };
    known.changes.push(...changes);
    merged.set(key, known);
  }
  return [...merged.values()];
}

/** What was read back was read from the collections that are meant. */
async function assertStillExists(
  { target, there, signal }: UndoWork,
  { collections }: Undone,
): Promise<void> {
  for (const info of there) {
    const changed = collections.some((one) => one.collection === info.name && one.changed > 0);
    if (!changed || (await exists(target, info, signal))) continue;
    throw new DualsyncError(
      "unverified",
      `The collection ${info.name} was dropped or replaced in the target while its documents were put back.`,
      { hint: "Another program did this: look at the target. The journal is kept." },
    );
  }
}

/** In memory of its own: a journal is read in pieces that are much larger. */
function kept(change: Change): Change {
  return change.wanted === undefined ? change : { ...change, wanted: Uint8Array.from(change.wanted) };
}

/** The changes of one kind, as much at once as was journaled at once. */
async function* changesOf(
  work: UndoWork,
  kind: UndoKind,
): AsyncGenerator<{ collection: JournalCollection; changes: Change[] }> {
  const { journal, survey } = work;
  const { repeated } = survey;
  let index = 0;
  for await (const { collection, entries } of journal.entries()) {
    const changes: Change[] = [];
    for (const entry of entries) {
      const again = repeated.size === 0 ? undefined : repeated.get(keyOf(journal, collection, entry));
      const chosen = again === undefined || again.entry === index;
      if (chosen && kindOf(entry) === kind)
        changes.push(changeOf(work, collection, entry, again?.made ?? madeOf(entry)));
      index++;
    }
    if (changes.length > 0) yield { collection, changes };
  }
}

function changeOf(
  { target, altered, brokenOff }: UndoWork,
  { name }: JournalCollection,
  { id: element, before, after }: JournalEntry,
  { hashes, documents }: Made,
): Change {
  const id = new DocumentId(element);
  return {
    id,
    wanted: before,
    bytes: after?.bytes,
    accepts(found: Doc | undefined): boolean {
      if (found === undefined) return brokenOff || hashes.has("");
      if (hashes.has(hash("sha256", found.bytes, "hex"))) return true;
      return documents.some((bytes) => isHeldAs(target, name, { id, bytes }, found, altered?.of(name)));
    },
  };
}

/** What was put into a collection that is gone by now, or another one, is gone with it. */
async function apply(
  { target, session, there, altered, signal, resolvesSwaps = true }: UndoWork,
  collection: JournalCollection,
  changes: readonly Change[],
): Promise<readonly Outcome[]> {
  const now = there.find(({ name }) => name === collection.name);
  if (now !== undefined && now.uid === collection.uid) {
    return await applyChanges({ target, session }, now, changes, { altered, signal, resolvesSwaps });
  }
  const reason =
    now === undefined
      ? "its collection is no longer in the target"
      : "its collection was dropped since and created again";
  return changes.map((change) => ({ change, result: "conflict", reason }));
}

class Result implements Undone {
  readonly left = new Losses([]);
  readonly #collections = new Map<string, UndoneCollection>();

  get collections(): readonly UndoneCollection[] {
    return [...this.#collections.values()];
  }

  add({ name }: JournalCollection, outcomes: readonly Outcome[]): void {
    const counts = this.#collections.get(name) ?? {
      collection: name,
      changed: 0,
      unchanged: 0,
      conflicts: 0,
    };
    this.#collections.set(name, counts);
    for (const { result, change, reason } of outcomes) {
      if (result === "changed" || result === "unchanged") counts[result]++;
      else {
        counts.conflicts++;
        this.left.add(`document ${name}/${printId(change.id.element)}`, reason ?? result);
      }
    }
  }
}
