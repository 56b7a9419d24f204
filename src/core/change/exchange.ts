/** Documents that hold one another's unique values: none can be replaced before another one is. */
import { Batch, type Doc } from "../../model/document.ts";
import type { Change, ChangeContext, Outcome } from "./change.ts";
import { precheck, type WithSession } from "./change.ts";
import { findAll, isWanted, save } from "./write-and-verify.ts";

/** One of them: what it is now, and what it should be. */
interface SwapMember {
  readonly change: Change;
  readonly before: Doc;
  readonly wanted: Doc;
}

/**
 * Takes the documents out together and puts in what they should be. All of that is saved first; where one does not go in
 * after all, everything is as it was before. @returns nothing, and does nothing, where one of them is no longer to be changed
 */
export async function exchange(
  work: ChangeContext & WithSession,
  changes: readonly Change[],
): Promise<readonly Outcome[]> {
  const found = await findAll(work, changes);
  const swap = changes.flatMap((change) => memberOf(work, change, found.get(change.id.key)));
  if (swap.length < changes.length || swap.length < 2) return [];
  await save(work, swap);
  work.signal.throwIfAborted();
  // Once they are taken out, only a lost connection or a lost lease keeps them from being put in.
  const bound = { ...work, signal: new AbortController().signal };
  await replaceAll(bound, swap, "wanted");
  const after = await findMembers(bound, swap);
  if (swap.every(({ change }) => isWanted(work, change, after.get(change.id.key))))
    return swap.map(({ change }) => ({ change, result: "changed" }));
  await replaceAll(bound, swap, "before");
  const back = await findMembers(bound, swap);
  await saveGone(
    bound,
    swap.filter(({ change }) => !back.has(change.id.key)),
  );
  return swap.map(({ change, before }) => {
    const found = back.get(change.id.key);
    const isBack = found !== undefined && Buffer.compare(found.bytes, before.bytes) === 0;
    const reason = isBack
      ? "it swaps a unique value with other documents, one of which could not be written"
      : "it swaps a unique value with other documents, and another program wrote to them meanwhile: dualsync undo puts it back";
    return { change, result: "refused", reason };
  });
}

function memberOf(work: ChangeContext, change: Change, before: Doc | undefined): SwapMember[] {
  const { id, wanted } = change;
  if (wanted === undefined || before === undefined || precheck(work, change, before) !== undefined) return [];
  return [{ change, before, wanted: { id, bytes: wanted } }];
}

/** What could not be put back is absent by this run's doing: only then does undoing put it back where there is nothing. */
async function saveGone({ journaling }: ChangeContext, gone: readonly SwapMember[]): Promise<void> {
  if (gone.length === 0) return;
  await journaling?.journal.save(
    journaling.collection,
    gone.map(({ before }) => ({ id: before.id.element, before: before.bytes })),
  );
}

async function findMembers(
  work: ChangeContext,
  swap: readonly SwapMember[],
): Promise<ReadonlyMap<string, Doc>> {
  return await findAll(
    work,
    swap.map(({ change }) => change),
  );
}

/** Removes what the swap's documents are now, where that is theirs, and puts in what they should be. */
async function replaceAll(
  work: ChangeContext & WithSession,
  swap: readonly SwapMember[],
  to: "wanted" | "before",
): Promise<void> {
  const { session, collection, signal } = work;
  const there = await findMembers(work, swap);
  const ours = swap.filter(({ change, before }) => {
    const found = there.get(change.id.key);
    if (found === undefined) return false;
    return isWanted(work, change, found) || Buffer.compare(found.bytes, before.bytes) === 0;
  });
  await session.remove(
    collection.name,
    ours.map(({ change }) => change.id),
    signal,
  );
  await session.write(collection.name, Batch.of(swap.map((member) => member[to])), "create", signal);
}
