/**
 * Writing single documents and reading them back: what is saved before, how each is written, what is read back, and what
 * counts as held. What follows where a document is not held is up to the caller: `change.ts` names it as refused;
 * `core/copy/verify.ts` writes it again, rejects it or gives up. `exchange.ts` takes all documents out before
 * it puts any in, so it uses the parts only.
 */
import { hash } from "node:crypto";
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader, WriteMode, WriteSession } from "../../connectors/contract.ts";
import type { NotReproduced, Rejected } from "../../connectors/write-outcome.ts";
import { Batch, type Doc, type DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import { isHeldAs } from "../walk/equivalence.ts";
import { find } from "../walk/lookup.ts";
import type { AlteredFields } from "./altered-fields.ts";
import type { JournalEntry, Journaling } from "./journal.ts";

/** What a document of the target should be. */
export interface WantedDocument {
  readonly id: DocumentId;
  /** The document that should be there; absent to remove the one that is. */
  readonly wanted?: Uint8Array | undefined;
}

/** A change that should be made, and what it is made to. */
export interface Due<Change extends WantedDocument = WantedDocument> {
  readonly change: Change;
  readonly before: Doc | undefined;
}

/** A change that was made or tried, and what the target holds since. */
export interface ReadBack<Change extends WantedDocument = WantedDocument> extends Due<Change> {
  readonly after: Doc | undefined;
  /** `after` is what was wanted. */
  readonly isHeld: boolean;
}

/** Where documents are looked at. */
export interface Place {
  readonly target: Reader;
  readonly collection: CollectionInfo;
  readonly signal: AbortSignal;
  /** What is known of the fields that the target's own rules alter; absent where they count like all others. */
  readonly altered?: AlteredFields | undefined;
}

interface Saving {
  readonly target: Reader;
  /** What a change overwrites or removes is saved here before. */
  readonly journaling?: Pick<Journaling, "journal" | "collection"> | undefined;
  /** What another try has saved of documents, by `DocumentId.key`: it is not saved again. */
  readonly saved?: Map<string, string> | undefined;
  /** What a document was before the run's other changes made this of it, where they have. */
  readonly originalOf?: ((before: Doc) => Uint8Array | undefined) | undefined;
}

/** Where and how documents are written. */
export interface Writing extends Place, Saving {
  readonly session: WriteSession;
  /** Called for each part of the documents that the target has no place for. */
  readonly onLost?: ((lost: NotReproduced) => void) | undefined;
}

/**
 * Saves what is there, writes, and reads everything back. The `first` write of a document leaves alone what has appeared
 * where nothing was, and saves that nothing was. To write it `again` replaces whatever is there; where nothing is, it is
 * this run's own document that is gone, and nothing is saved.
 */
export async function writeAndReadBack<Change extends WantedDocument>(
  writing: Writing,
  due: readonly Due<Change>[],
  which: "first" | "again",
): Promise<{ readonly readBack: readonly ReadBack<Change>[]; readonly rejected: readonly Rejected[] }> {
  const isThere = ({ before }: Due): boolean => before !== undefined;
  await save(writing, which === "again" ? due.filter(isThere) : due);
  const rejected = await write(writing, due, (one) =>
    which === "again" || isThere(one) ? "replace" : "create",
  );
  const found = await findAll(
    writing,
    due.map(({ change }) => change),
  );
  const refused = new Set(rejected.map(({ id }) => id.key));
  const taken = due.filter(({ change }) => !refused.has(change.id.key));
  await learnAltered(writing, taken, found);
  const readBack = due.map(({ change, before }) => {
    const after = found.get(change.id.key);
    return { change, before, after, isHeld: isWanted(writing, change, after) };
  });
  // What stands where a document was not taken is somebody else's.
  await saveOwnForms(
    writing,
    readBack.filter(({ change }) => !refused.has(change.id.key)),
  );
  return { readBack, rejected };
}

/** What the target's own rules made of documents counts as the run's, too, where it is undone. */
export async function saveOwnForms(
  { session, journaling }: Writing,
  readBack: readonly ReadBack[],
): Promise<void> {
  if (journaling === undefined || session.alters !== true) return;
  const entries = readBack.flatMap((one): JournalEntry[] => {
    const { change, after, isHeld } = one;
    const { wanted } = change;
    if (isHeld || wanted === undefined || after === undefined || isAsBefore(one)) return [];
    const made = { sha256: hash("sha256", after.bytes, "buffer"), bytes: after.bytes.length };
    return [{ id: after.id.element, before: wanted, after: made }];
  });
  if (entries.length > 0) await journaling.journal.save(journaling.collection, entries);
}

/** The target holds what it held before: it took no notice of what was written. */
export function isAsBefore({ before, after }: Pick<ReadBack, "before" | "after">): boolean {
  return before !== undefined && after !== undefined && Buffer.compare(before.bytes, after.bytes) === 0;
}

/**
 * Fields that all documents which are not held as they were written have in common: the target's own rules alter them. `due` are
 * documents that the target has taken, and besides them it holds so many `others` as they were written. Of one among several another
 * program may have changed anything.
 */
export async function learnAltered(
  writing: Writing,
  due: readonly Pick<Due, "change" | "before">[],
  found: ReadonlyMap<string, Doc>,
  others = 0,
): Promise<void> {
  const { target, session, collection, altered, journaling } = writing;
  if (altered === undefined || session.rewritesFields?.(collection.name) !== true) return;
  let common: ReadonlySet<string> | undefined;
  let [written, differing] = [others, 0];
  for (const { change, before } of due) {
    const { id, wanted } = change;
    const own = found.get(id.key);
    if (wanted === undefined || own === undefined || isAsBefore({ before, after: own })) continue;
    written++;
    if (isWanted(writing, change, own)) continue;
    differing++;
    const names = target.mapping?.differing(collection.name, own, { id, bytes: wanted }) ?? [];
    common = new Set(names.filter((name) => common?.has(name) ?? true));
  }
  if (differing === 1 && written > 1) return;
  const fresh = [...(common ?? [])].filter((name) => !altered.of(collection.name).has(name));
  if (fresh.length === 0) return;
  await journaling?.journal.saveAltered?.(journaling.collection, fresh);
  altered.add(collection.name, fresh);
}

/** What was saved by another try, and is still so, is not saved again. */
export async function save(
  { target, journaling, saved, originalOf }: Saving,
  due: readonly Due[],
): Promise<void> {
  if (journaling === undefined) return;
  const hashed = due.map((one) => ({ one, key: one.change.id.key, hash: hashOf(one.before) }));
  const fresh = hashed.filter(({ key, hash }) => saved?.get(key) !== hash);
  if (fresh.length === 0) return;
  await journaling.journal.save(
    journaling.collection,
    fresh.map(({ one: { change, before } }) => {
      const original = before && originalOf?.(before);
      if (before === undefined || original === undefined) return entryOf(change, before, target);
      return ownFormOf(original, before);
    }),
  );
  for (const { key, hash } of fresh) saved?.set(key, hash);
}

/** Of a document that other changes of the run have altered. */
function ownFormOf(original: Uint8Array, { id, bytes }: Doc): JournalEntry {
  const after = { sha256: hash("sha256", bytes, "buffer"), bytes: bytes.length };
  return { id: id.element, before: original, after };
}

function hashOf(document: Doc | undefined): string {
  return document === undefined ? "" : hash("sha256", document.bytes, "base64");
}

/** What is journaled of a change to a document that is `before` now. */
export function entryOf(
  { id, wanted }: WantedDocument,
  before: Doc | undefined,
  { mapping }: Pick<Reader, "mapping">,
): JournalEntry {
  const document = mapping === undefined ? undefined : wanted;
  return {
    id: before === undefined ? id.element : before.id.element,
    before: before?.bytes,
    after: wanted && { sha256: hash("sha256", wanted, "buffer"), bytes: wanted.length, document },
  };
}

/** What the target holds now, by `DocumentId.key`. */
export async function findAll(
  { target, collection, signal }: Place,
  changes: readonly WantedDocument[],
): Promise<ReadonlyMap<string, Doc>> {
  const ids = changes.map(({ id }) => id);
  return await find(target, collection, ids, signal);
}

/** Equal bytes, or what the target's mapping calls equivalent. */
export function isWanted(
  { target, collection, altered }: Pick<Place, "target" | "collection" | "altered">,
  { id, wanted }: WantedDocument,
  found: Doc | undefined,
): boolean {
  if (wanted === undefined) return found === undefined;
  return isHeldAs(target, collection.name, { id, bytes: wanted }, found, altered?.of(collection.name));
}

/** What others refer to may be removed once these are gone. @returns all of them where that is so of some */
async function remove(
  session: WriteSession,
  { name }: CollectionInfo,
  ids: readonly DocumentId[],
  signal: AbortSignal,
): Promise<readonly Rejected[]> {
  if (ids.length === 0) return [];
  try {
    await session.remove(name, ids, signal);
    return [];
  } catch (error) {
    if (!(error instanceof DualsyncError) || error.reason !== "referred") throw error;
    return ids.map((id) => ({ id, reason: "other documents refer to it", waits: true }));
  }
}

/** Removes, replaces, inserts. @returns what was not taken */
async function write(
  { session, collection, onLost, signal }: Writing,
  due: readonly Due[],
  modeOf: (one: Due) => WriteMode,
): Promise<readonly Rejected[]> {
  const removed = due.filter(({ change }) => change.wanted === undefined).map(({ change }) => change.id);
  const rejected: Rejected[] = [...(await remove(session, collection, removed, signal))];
  for (const mode of ["replace", "create"] as const) {
    const documents = due
      .filter((one) => modeOf(one) === mode)
      .flatMap(({ change: { id, wanted } }) => (wanted === undefined ? [] : [{ id, bytes: wanted }]));
    if (documents.length === 0) continue;
    const outcome = await session.write(collection.name, Batch.of(documents), mode, signal);
    for (const lost of outcome.notReproduced ?? []) onLost?.(lost);
    rejected.push(...outcome.rejected);
  }
  return rejected;
}
