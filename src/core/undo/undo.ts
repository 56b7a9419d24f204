/** Puts back what a run has changed, from what it journaled. */
import { hash } from "node:crypto";
import { areNull } from "../../bson/null-fields.ts";
import { printId } from "../../bson/print-id.ts";
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader, WriteSession } from "../../connectors/contract.ts";
import { inReferenceOrder } from "../../connectors/reference-order.ts";
import { Batch, type Doc, DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import { applyChanges } from "../change/apply-changes.ts";
import type { Change, ChangeOptions, Outcome } from "../change/change.ts";
import type { JournalCollection, JournalEntry } from "../change/journal.ts";
import { type Leaving, type Staying, takeOutReferred } from "../change/leaving.ts";
import { Losses } from "../progress/losses.ts";
import { isHeldAs } from "../walk/equivalence.ts";
import { find } from "../walk/lookup.ts";
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
  /** Some of it the target did not take: that is not as it should be, and another try may mend it. */
  readonly isRefused: boolean;
}

/** What the run added is removed first, then what it replaced is put back, then what it removed: unique values are free by then. */
const ORDER: readonly UndoKind[] = ["remove", "replace", "insert"];

interface BegunUndo extends UndoWork {
  /** Of documents that the target cannot hold any more, as their time has come. */
  readonly isOver: (collection: string, document: Doc) => boolean;
}

/** Repeatable: what is as it was before the run is left alone. */
export async function undo(given: UndoWork): Promise<Undone> {
  const work: BegunUndo = { ...given, isOver: await overIn(given) };
  const result = new Result();
  const retried: Retried[] = [];
  let room = RETRIED_BYTES;
  for (const pass of passesOf(work)) {
    const circle = await circleOf(work, pass);
    for await (const { collection, changes } of changesOf(work, pass.kind)) {
      if (pass.names?.has(collection.name) === false) continue;
      const outcomes = await applyPart({ ...work, resolvesSwaps: false }, collection, changes, circle);
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
    if (circle !== undefined) await removeCircle(work, circle, result);
  }
  const added = await insertTogether(work, together(retried));
  for (const { collection, changes } of together(retried)) {
    const outcomes = await applyPart(work, collection, changes, undefined);
    const isAdded = ({ result, change }: Outcome): boolean =>
      result === "unchanged" && added.get(collection.name)?.has(change.id.key) === true;
    result.add(
      collection,
      outcomes.map((one) => (isAdded(one) ? { ...one, result: "changed" as const } : one)),
    );
    work.onProgress(collection.name, changes.length);
  }
  if (work.session !== undefined) await assertStillExists(work, result);
  return result;
}

async function overIn({ target, there, signal }: UndoWork): Promise<BegunUndo["isOver"]> {
  const { expiry } = target;
  if (expiry?.removesAtOnce !== true) return () => false;
  const rules = await Promise.all(
    there.map(async (info) => [info.name, await expiry.of(info, signal)] as const),
  );
  const byName = new Map(rules);
  return (collection, document) => byName.get(collection)?.(document, new Date()) === true;
}

interface Pass {
  readonly kind: UndoKind;
  /** The collections that it is for; absent: all of them. */
  readonly names?: ReadonlySet<string>;
}

/** A removed document may take along what refers to it: what the run replaced refers to nothing that it added once it is put back. */
const RELATED_ORDER: readonly UndoKind[] = ["replace", "remove", "insert"];

/** Where documents refer to each other, what refers to others is removed before these, and put back after them. */
function passesOf({ target, survey, there }: BegunUndo): readonly Pass[] {
  const isDue = (kind: UndoKind, names?: ReadonlySet<string>): boolean =>
    survey.collections.some((counts) => counts[kind] > 0 && names?.has(counts.name) !== false);
  if (target.references === undefined) return ORDER.filter((kind) => isDue(kind)).map((kind) => ({ kind }));
  const { order, cycles } = inReferenceOrder(there);
  const groups = order.map((one) => cycles.find((circle) => circle.includes(one)) ?? [one]);
  const names = [...new Set(groups)].map((group) => new Set(group.map(({ name }) => name)));
  return RELATED_ORDER.flatMap((kind) =>
    [...(kind === "remove" ? names.toReversed() : names), gone(survey, there)]
      .filter((some) => isDue(kind, some))
      .map((some) => ({ kind, names: some })),
  );
}

/** Ids that are in memory together at most. */
const MOST_LEAVING = 500_000;

/** Documents of collections that refer to each other, or to themselves, and are to be removed together. */
interface Circle {
  readonly leaving: Leaving;
  readonly staying: Staying;
}

/** Undefined where nothing refers to anything, or only to other collections, whose turn was before. */
async function circleOf(work: BegunUndo, { kind, names }: Pass): Promise<Circle | undefined> {
  const { target, there, signal } = work;
  const group = there.filter(({ name }) => names?.has(name));
  const isCircle = group.length > 1 || group.some(({ name, after = [] }) => after.includes(name));
  if (kind !== "remove" || target.references === undefined || !isCircle) return undefined;
  const leaving: Leaving = new Map(group.map((one) => [one, new Map()]));
  let room = MOST_LEAVING;
  for await (const { collection, changes } of changesOf(work, kind)) {
    const info = group.find(({ name, uid }) => name === collection.name && uid === collection.uid);
    if (info === undefined) continue;
    for (const id of await acceptedOf(work, info, changes))
      if (room-- > 0) leaving.get(info)?.set(id.key, id.copy());
  }
  return { leaving, staying: await takeOutReferred(target.references, leaving, signal) };
}

/** They were looked at just now; the removal of one may alter another. */
async function removeCircle(work: BegunUndo, { leaving }: Circle, result: Result): Promise<void> {
  const { target, signal } = work;
  for (let isMoving = true; isMoving; ) {
    isMoving = false;
    const left: (readonly [CollectionInfo, readonly Outcome[]])[] = [];
    for (const [info, ids] of [...leaving].reverse()) {
      if (ids.size === 0) continue;
      const all = [...ids.values()];
      const ordered = (await target.references?.referrersFirst(info.name, all, signal)) ?? all;
      const changes = ordered.map((id): Change => ({ id, accepts: () => true }));
      const outcomes = await apply({ ...work, resolvesSwaps: false }, info, changes);
      const isDone = ({ result }: Outcome): boolean => result === "changed" || result === "unchanged";
      const done = outcomes.filter(isDone);
      for (const { change } of done) ids.delete(change.id.key);
      // What another removal has taken along was meant to go.
      result.add(
        info,
        done.map((one) => ({ ...one, result: "changed" as const })),
      );
      work.onProgress(info.name, done.length);
      isMoving ||= done.length > 0 && [...leaving.values()].some((some) => some.size > 0);
      left.push([info, outcomes.filter((one) => !isDone(one))]);
    }
    if (!isMoving) for (const [info, outcomes] of left) result.add(info, outcomes);
  }
}

/** Those that are as the run left them. */
async function acceptedOf(
  { target, signal }: BegunUndo,
  info: CollectionInfo,
  changes: readonly Change[],
): Promise<readonly DocumentId[]> {
  const ids = changes.map(({ id }) => id);
  const found = await find(target, info, ids, signal);
  return changes.flatMap(({ id, accepts }) => {
    const there = found.get(id.key);
    return there !== undefined && accepts(there) ? [id] : [];
  });
}

/** As `apply`; what others refer to is not removed, and what is to go with a circle is left to that. */
async function applyPart(
  work: BegunUndo,
  collection: JournalCollection,
  changes: readonly Change[],
  circle: Circle | undefined,
): Promise<readonly Outcome[]> {
  const { target, there, signal } = work;
  const info = there.find(({ name, uid }) => name === collection.name && uid === collection.uid);
  const removals = changes.filter(({ wanted }) => wanted === undefined);
  if (target.references === undefined || info === undefined || removals.length === 0)
    return await apply(work, collection, changes);
  let staying = circle?.staying;
  if (staying === undefined) {
    const accepted = await acceptedOf(work, info, removals);
    const leaving: Leaving = new Map([[info, new Map(accepted.map((id) => [id.key, id]))]]);
    staying = await takeOutReferred(target.references, leaving, signal);
  }
  const reasons = staying.get(collection.name) ?? new Map<string, string>();
  const going = circle?.leaving.get(info);
  const kept: Outcome[] = [];
  const open: Change[] = [];
  for (const change of changes) {
    const { key } = change.id;
    const reason = change.wanted === undefined ? reasons.get(key) : undefined;
    if (reason !== undefined) kept.push({ change, result: "conflict", reason });
    else if (change.wanted !== undefined || going?.has(key) !== true) open.push(change);
  }
  return [...kept, ...(await apply(work, collection, open))];
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
  { target, there, signal }: BegunUndo,
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

/** Documents that refer to each other can only be put back together. @returns the keys of those that were tried, by collection */
async function insertTogether(
  { target, session, there, signal }: BegunUndo,
  retried: readonly Retried[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const waiting = new Map<string, Batch>();
  if (session?.relatedWrites === undefined) return new Map();
  for (const { collection, changes } of retried) {
    const info = there.find(({ name, uid }) => name === collection.name && uid === collection.uid);
    if (info === undefined) continue;
    const ids = changes.map(({ id }) => id);
    const found = await find(target, info, ids, signal);
    const documents = changes.flatMap(({ id, wanted, accepts }): Doc[] =>
      wanted !== undefined && !found.has(id.key) && accepts(undefined) ? [{ id, bytes: wanted }] : [],
    );
    if (documents.length > 0) waiting.set(info.name, Batch.of(documents));
  }
  if (waiting.size > 0) await session.relatedWrites.writeTogether(waiting, signal);
  return new Map([...waiting].map(([name, batch]) => [name, new Set(batch.docs().map(({ id }) => id.key))]));
}

/** In memory of its own: a journal is read in pieces that are much larger. */
function kept(change: Change): Change {
  return change.wanted === undefined ? change : { ...change, wanted: Uint8Array.from(change.wanted) };
}

/** The changes of one kind, as much at once as was journaled at once. */
async function* changesOf(
  work: BegunUndo,
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
  { target, altered, brokenOff, isOver }: BegunUndo,
  { name }: JournalCollection,
  { id: element, before, after }: JournalEntry,
  { hashes, documents }: Made,
): Change {
  const id = new DocumentId(element);
  return {
    id,
    // What has expired since would be gone again at once.
    wanted: before !== undefined && isOver(name, { id, bytes: before }) ? undefined : before,
    bytes: after?.bytes,
    accepts(found: Doc | undefined): boolean {
      if (found === undefined) return brokenOff || hashes.has("");
      if (hashes.has(hash("sha256", found.bytes, "hex"))) return true;
      const wasLeaving = before !== undefined && after === undefined;
      if (brokenOff && wasLeaving && hasLostOnly(target, name, { id, bytes: before }, found)) return true;
      return documents.some((bytes) => isHeldAs(target, name, { id, bytes }, found, altered?.of(name)));
    },
  };
}

/** The run was killed when what it had removed had taken references along, and before it could journal that. */
function hasLostOnly({ mapping }: Reader, collection: string, before: Doc, found: Doc): boolean {
  const names = mapping?.differing(collection, found, before) ?? [];
  return names.length > 0 && areNull(found.bytes, names);
}

/** What was put into a collection that is gone by now, or another one, is gone with it. */
async function apply(
  { target, session, there, altered, signal, resolvesSwaps = true }: BegunUndo,
  collection: JournalCollection,
  changes: readonly Change[],
): Promise<readonly Outcome[]> {
  const now = there.find(({ name }) => name === collection.name);
  // A collection that the run itself has created was not there yet when that was journaled.
  if (now !== undefined && (now.uid === collection.uid || collection.uid === undefined)) {
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
  isRefused = false;
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
        this.isRefused ||= result === "refused";
        this.left.add(`document ${name}/${printId(change.id.element)}`, reason ?? result);
      }
    }
  }
}
