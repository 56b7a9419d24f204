import { hash } from "node:crypto";
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader, WriteMode, WriteSession } from "../../connectors/contract.ts";
import type { NotReproduced, Rejected } from "../../connectors/write-outcome.ts";
import { Batch, type Doc, type DocumentId } from "../../model/document.ts";
import { isHeldAs } from "../walk/equivalence.ts";
import { canQuery, find } from "../walk/lookup.ts";
import type { JournalEntry, Journaling } from "./journal.ts";

/** One document of a target that should be changed. */
export interface Change {
  readonly id: DocumentId;
  /** The document that should be there; absent to remove the one that is. */
  readonly wanted?: Uint8Array | undefined;
  /** Bytes that the target's document is believed to take up: bounds what is read at once. */
  readonly bytes?: number | undefined;
  /** Whether what the target holds now, or that it holds nothing, may be changed. */
  accepts(found: Doc | undefined): boolean;
}

/**
 * `changed`: done, and seen to be so. `unchanged`: it was so already. `conflict`: the target holds something else than
 * was expected, and was left as it is. `refused`: the server did not take it, or does not hold it as it was written.
 */
export interface Outcome {
  readonly change: Change;
  readonly result: "changed" | "unchanged" | "conflict" | "refused";
  /** For people, without any value of the document; of conflicts and refusals. */
  readonly reason?: string | undefined;
  /** What stood in its way may be gone once other documents are changed: another try is no harm. */
  readonly retry?: true | undefined;
}

export interface ChangeOptions {
  /** What a change overwrites or removes is saved here before. */
  readonly journaling?: Pick<Journaling, "journal" | "collection"> | undefined;
  /** Documents that hold each other's unique values are taken out together, and put in. Default: true. */
  readonly resolvesSwaps?: boolean | undefined;
  /** What another try has saved of documents, by `DocumentId.key`: it is not saved again. */
  readonly saved?: Map<string, string> | undefined;
  /** Called for each part of the documents that the target has no place for. */
  readonly onLost?: ((lost: NotReproduced) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Where and how changes are made. */
export interface ChangeContext extends ChangeOptions {
  readonly target: Reader;
  /** Without one the changes are only looked at: what would be changed counts as changed. */
  readonly session: WriteSession | undefined;
  readonly collection: CollectionInfo;
  readonly saved: Map<string, string>;
}

/** A context that may write. */
export interface WithSession {
  readonly session: WriteSession;
}

/** A change that should be made, and what it is made to. */
export interface Due {
  readonly change: Change;
  readonly before: Doc | undefined;
}

/** Makes a few changes at once: looks, saves, writes, looks again. */
export async function applyChunk(work: ChangeContext, chunk: readonly Change[]): Promise<readonly Outcome[]> {
  const { session } = work;
  const found = await findAll(work, chunk);
  const outcomes: Outcome[] = [];
  const due: Due[] = [];
  for (const change of chunk) {
    const before = found.get(change.id.key);
    const settled = precheck(work, change, before);
    if (settled === undefined) due.push({ change, before });
    else outcomes.push(settled);
  }
  if (session === undefined)
    return [...outcomes, ...due.map(({ change }) => ({ change, result: "changed" as const }))];
  if (due.length === 0) return outcomes;
  await save(work, due);
  const rejected = await write({ ...work, session }, due);
  const after = await findAll(
    work,
    due.map(({ change }) => change),
  );
  const made = due.map(({ change }) =>
    outcomeOf(work, change, after.get(change.id.key), rejected.get(change.id.key)),
  );
  return [...outcomes, ...made];
}

/** What was saved by another try, and is still so, is not saved again. */
export async function save(
  { journaling, saved }: Pick<ChangeContext, "journaling" | "saved">,
  due: readonly Due[],
): Promise<void> {
  if (journaling === undefined) return;
  const hashed = due.map((one) => ({ one, key: one.change.id.key, hash: hashOf(one.before) }));
  const fresh = hashed.filter(({ key, hash }) => saved.get(key) !== hash);
  if (fresh.length === 0) return;
  await journaling.journal.save(
    journaling.collection,
    fresh.map(({ one }) => entryOf(one)),
  );
  for (const { key, hash } of fresh) saved.set(key, hash);
}

function hashOf(document: Doc | undefined): string {
  return document === undefined ? "" : hash("sha256", document.bytes, "base64");
}

export async function findAll(
  work: ChangeContext,
  changes: readonly Change[],
): Promise<ReadonlyMap<string, Doc>> {
  const ids = changes.map(({ id }) => id);
  return await find(work.target, work.collection, ids, work.signal);
}

/** The outcome of what is not to be done; undefined for a change that is. */
export function precheck(work: ChangeContext, change: Change, found: Doc | undefined): Outcome | undefined {
  const conflict = (reason: string): Outcome => ({ change, result: "conflict", reason });
  if (!canQuery(work.target, change.id)) return conflict("its _id cannot be used in a query");
  if (isWanted(work, change, found)) return { change, result: "unchanged" };
  if (change.accepts(found)) return undefined;
  return conflict(
    found === undefined ? "it is no longer in the target" : "it has changed in the target since",
  );
}

/** Equal bytes, or what the target's mapping calls equivalent. */
export function isWanted(
  { target, collection }: ChangeContext,
  { id, wanted }: Change,
  found: Doc | undefined,
): boolean {
  if (wanted === undefined) return found === undefined;
  return isHeldAs(target, collection.name, { id, bytes: wanted }, found);
}

function entryOf({ change: { id, wanted }, before }: Due): JournalEntry {
  return {
    id: before === undefined ? id.element : before.id.element,
    before: before?.bytes,
    after: wanted && { sha256: hash("sha256", wanted, "buffer"), bytes: wanted.length },
  };
}

/** Removes, replaces, inserts. @returns what was not taken, by key */
async function write(
  work: ChangeContext & WithSession,
  due: readonly Due[],
): Promise<ReadonlyMap<string, Rejected>> {
  const { session, collection, signal } = work;
  const removed = due.filter(({ change }) => change.wanted === undefined).map(({ change }) => change.id);
  if (removed.length > 0) await session.remove(collection.name, removed, signal);
  const put = async (mode: WriteMode, some: readonly Due[]): Promise<readonly Rejected[]> => {
    const documents = some.flatMap(({ change: { id, wanted } }) =>
      wanted === undefined ? [] : [{ id, bytes: wanted }],
    );
    if (documents.length === 0) return [];
    const outcome = await session.write(collection.name, Batch.of(documents), mode, signal);
    for (const lost of outcome.notReproduced ?? []) work.onLost?.(lost);
    return outcome.rejected;
  };
  const refused = [
    ...(await put(
      "replace",
      due.filter(({ before }) => before !== undefined),
    )),
    ...(await put(
      "create",
      due.filter(({ before }) => before === undefined),
    )),
  ];
  return new Map(refused.map((one) => [one.id.key, one]));
}

function outcomeOf(
  work: ChangeContext,
  change: Change,
  after: Doc | undefined,
  rejected: Rejected | undefined,
): Outcome {
  if (isWanted(work, change, after)) return { change, result: "changed" };
  if (rejected !== undefined) {
    const result = rejected.occupied === true ? "conflict" : "refused";
    return { change, result, reason: rejected.reason, retry: true };
  }
  // Never written again: it may be somebody else's by now.
  const reason =
    after === undefined
      ? "it was written but is missing again: does another program remove it, or does it expire?"
      : change.wanted === undefined
        ? "it was removed but is back: does another program write it?"
        : "it was written but reads back differently: does another program or the server change it?";
  return { change, result: "refused", reason };
}
