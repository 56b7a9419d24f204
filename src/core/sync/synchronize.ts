/**
 * Keeps a primary and its copy in step. First everything that the primary has is settled; then what only the copy has. What is gone from
 * one side is acted on last, when it is known how much that is: a store that has lost most of its documents is a fault, not a wish.
 */
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Batch, Doc, DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import { SeenIds } from "../../model/seen-ids.ts";
import { chunksOf } from "../concurrency/chunks.ts";
import type { Decision } from "./decide.ts";
import { type BothLooks, lookAgain, settle } from "./settle.ts";
import type { SyncRun } from "./sync-run.ts";

/** Documents, and bytes of them, that are settled together. */
const TOGETHER = { count: 500, bytes: 8_000_000 };
const UNREAD_TOGETHER = { count: 20 };

export async function synchronize(
  run: SyncRun,
  primary: CollectionInfo,
  copy: CollectionInfo,
): Promise<void> {
  const seen = new SeenIds();
  const goneFromCopy = await settlePrimary(run, primary, seen);
  await assertNotShrunken(run, seen, goneFromCopy);
  const there = await settleCopyOnly(run, copy, seen);
  await settleAgreed(run, seen, there);
  if (run.isLimited || run.earlier.size === 0) return;
  // By now everything was settled once; what is settled from here on is so for the second time.
  run.earlier.clear();
  for await (const documents of wanted(run, primary, ({ key }) => !run.settled.has(key)))
    await settleRead(run, documents);
}

/** It is not due in this run any more, or not before everything else. */
function isPassedOver({ settled, earlier }: SyncRun, key: string): boolean {
  return settled.has(key) || earlier.has(key);
}

/** It is not due in this run any more. */
function isDone({ settled, earlier, isLimited }: SyncRun, key: string): boolean {
  return settled.has(key) || (isLimited && earlier.has(key));
}

/** What is gone waits until it is known how much that is. */
function isOfGone({ action }: Decision): boolean {
  return action === "remove from copy" || action === "remove from primary" || action === "mark";
}

/** @returns how many documents that were agreed on are gone from the copy */
async function settlePrimary(run: SyncRun, collection: CollectionInfo, seen: SeenIds): Promise<number> {
  const passesOver = run.settled.size + run.earlier.size > 0;
  const wants = ({ key }: DocumentId): boolean => {
    if (!isPassedOver(run, key)) return true;
    seen.add(key);
    return false;
  };
  let goneFromCopy = 0;
  for await (const documents of wanted(run, collection, passesOver ? wants : undefined)) {
    const fresh = documents.filter(({ id }) => seen.add(id.key));
    goneFromCopy += await settleRead(run, fresh);
  }
  return passesOver && removesFromPrimary(run) ? await countGoneFromCopy(run, seen) : goneFromCopy;
}

/** The primary's documents, some at a time. */
async function* wanted(
  { primary, signal }: SyncRun,
  collection: CollectionInfo,
  wants?: (id: DocumentId) => boolean,
): AsyncGenerator<readonly Doc[]> {
  const { selectiveReads } = primary;
  const isSelective = wants !== undefined && selectiveReads !== undefined;
  const batches = isSelective
    ? selectiveReads.read(collection, wants, { signal })
    : primary.read(collection, { signal });
  for await (const batch of batches) {
    const documents = ownDocuments(batch);
    batch.release();
    yield isSelective || wants === undefined ? documents : documents.filter(({ id }) => wants(id));
  }
}

/** @returns how many of them were agreed on and are gone from the copy */
async function settleRead(run: SyncRun, documents: readonly Doc[]): Promise<number> {
  const { copy, signal } = run;
  let goneFromCopy = 0;
  for (const some of portions(run, documents, Number.POSITIVE_INFINITY)) {
    const ids = some.map(({ id }) => id);
    const [copied, agreed] = await Promise.all([
      copy.lookup.find(run.collection, ids, signal),
      copy.agreements.find(ids, signal),
    ]);
    for (const { key } of ids) if (agreed.has(key) && !copied.has(key)) goneFromCopy++;
    const primary = new Map(some.map((doc) => [doc.id.key, doc]));
    await settle(run, ids, { primary, copy: copied, agreed }, isOfGone);
  }
  return goneFromCopy;
}

/** In their order, as many together as the run takes by then. */
function* portions<T>({ atOnce }: SyncRun, items: readonly T[], most: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; ) {
    const some = items.slice(at, at + Math.max(1, Math.min(most, atOnce())));
    at += some.length;
    yield some;
  }
}

/** In memory of their own: the batch is released. */
function ownDocuments(batch: Batch): Doc[] {
  return batch.docs().map(({ id, bytes }) => ({ id: id.copy(), bytes: Uint8Array.from(bytes) }));
}

function removesFromPrimary({ rules: { deletes, direction } }: SyncRun): boolean {
  return deletes && direction === "to primary";
}

/** Of what both agreed on and the primary has. */
async function countGoneFromCopy({ copy, collection, signal }: SyncRun, seen: SeenIds): Promise<number> {
  let gone = 0;
  for await (const some of copy.agreements.read(signal)) {
    const ids = some.map(({ id }) => id).filter(({ key }) => seen.has(key));
    const found = ids.length === 0 ? undefined : await copy.lookup.find(collection, ids, signal);
    for (const { key } of ids) if (found?.has(key) !== true) gone++;
  }
  return gone;
}

/** Of what was agreed on, what was noted as gone before no longer counts, nor does what has expired. */
async function assertNotShrunken(run: SyncRun, seen: SeenIds, goneFromCopy: number): Promise<void> {
  const now = run.now();
  let agreed = 0;
  let goneFromPrimary = 0;
  for await (const some of run.copy.agreements.read(run.signal)) {
    for (const { id, missingSince, expiresAt } of some) {
      const isThere = seen.has(id.key);
      if (!isThere && (missingSince !== undefined || (expiresAt !== undefined && expiresAt <= now))) continue;
      agreed++;
      if (!isThere) goneFromPrimary++;
    }
  }
  if (run.allowShrink) return;
  const { primary, copy, words } = run;
  const lost = `Has ${words.primary} lost data? Then dualsync restore gives it back.`;
  if (goneFromPrimary * 2 > agreed)
    throw shrunken(run, `${words.primary} (${primary.label})`, goneFromPrimary, agreed, lost);
  const wiped = `Has ${words.copy} lost data? Then a run from ${words.primary} to ${words.copy} with --allow-shrink, and without --delete, writes it there again.`;
  if (goneFromCopy * 2 > agreed)
    throw shrunken(run, `${words.copy} (${copy.label})`, goneFromCopy, agreed, wiped);
}

/** What is gone from the copy may have been written there again by now. */
function shrunken(
  { words }: SyncRun,
  side: string,
  gone: number,
  agreed: number,
  advice: string,
): DualsyncError {
  const [some, all] = [gone, agreed].map((number) => number.toLocaleString("en-US"));
  return new DualsyncError(
    "refused",
    `${some} of ${all} ${words.document}s on which both sides agreed are gone from ${side}: more than half.`,
    {
      hint: `Nothing that is gone was removed from the other side or marked. ${advice} If it is intended, add --allow-shrink.`,
    },
  );
}

/** What the copy has and the primary had not. @returns all that the copy has */
async function settleCopyOnly(run: SyncRun, collection: CollectionInfo, seen: SeenIds): Promise<SeenIds> {
  const { copy, primary, signal } = run;
  const there = new SeenIds();
  for await (const batch of copy.read(collection, { signal })) {
    const documents = ownDocuments(batch).filter(
      ({ id: { key } }) => there.add(key) && !seen.has(key) && !isDone(run, key),
    );
    batch.release();
    for (const chunk of chunksOf(documents, ({ bytes }) => bytes.length, TOGETHER))
      for (const some of portions(run, chunk, TOGETHER.count)) {
        const ids = some.map(({ id }) => id);
        const agreed = await copy.agreements.find(ids, signal);
        const copied = new Map(some.map((doc) => [doc.id.key, doc]));
        const looked: BothLooks = { primary: new Map(), copy: copied, agreed };
        // What is written only where it is absent need not be looked for once more.
        const others = await settle(run, ids, looked, ({ action }) => action !== "write primary");
        if (others.length === 0) continue;
        const found = await primary.lookup.find(run.collection, others, signal);
        await settle(run, others, { ...looked, primary: found });
      }
  }
  return there;
}

/** What was agreed on and is gone from the copy, or from both sides. */
async function settleAgreed(run: SyncRun, seen: SeenIds, there: SeenIds): Promise<void> {
  const removes = removesFromPrimary(run);
  for await (const some of run.copy.agreements.read(run.signal)) {
    const gone = some
      .map(({ id }) => id)
      .filter(({ key }) => !there.has(key) && (removes || !seen.has(key)) && !isDone(run, key));
    // How large they are is known only once they are read.
    const { count } = removes ? UNREAD_TOGETHER : TOGETHER;
    for (const ids of portions(run, gone, count)) await settle(run, ids, await lookAgain(run, ids));
  }
}
