/** Documents that hold each other's unique values: none can be replaced before another one is. */
import type { UniqueRules, UniqueValue } from "../../connectors/powers/unique-values.ts";
import { Batch, type Doc } from "../../model/document.ts";
import type { Change, ChangeContext, Outcome } from "./change.ts";
import { precheck, type WithSession } from "./change.ts";
import { findAll, isWanted, save } from "./write-and-verify.ts";

/** One document of a swap: what it is now, and what it should be. */
interface SwapMember {
  readonly change: Change;
  readonly before: Doc;
  readonly wanted: Doc;
  /** The unique values that it is to have. */
  readonly claims: readonly UniqueValue[];
}

/**
 * Finds among replacements that were refused those that only stand in each other's way, takes their documents out
 * together and puts the new ones in. All of that is saved first; where one does not go in after all, everything is as
 * it was before. @returns outcomes of those alone
 */
export async function resolveSwaps(
  work: ChangeContext,
  changes: readonly Change[],
): Promise<readonly Outcome[]> {
  const { session, target, collection, signal } = work;
  if (changes.length < 2 || session === undefined) return [];
  const rules = await target.uniqueValues?.of(collection.name, signal);
  if (rules === undefined) return [];
  const found = await findAll(work, changes);
  const members = changes.flatMap((change) => memberOf(work, rules, change, found.get(change.id.key)));
  const swap = await findSwap(work, members, rules);
  return swap.length < 2 ? [] : await exchange({ ...work, session }, swap);
}

function memberOf(
  work: ChangeContext,
  rules: UniqueRules,
  change: Change,
  before: Doc | undefined,
): SwapMember[] {
  const { id, wanted } = change;
  if (wanted === undefined || before === undefined || precheck(work, change, before) !== undefined) return [];
  const document = { id, bytes: wanted };
  return [{ change, before, wanted: document, claims: rules.valuesOf(document) }];
}

/** Those whose values are held by one another and by nobody else. */
async function findSwap(
  { signal }: ChangeContext,
  members: readonly SwapMember[],
  rules: UniqueRules,
): Promise<readonly SwapMember[]> {
  const ids = members.map(({ before }) => before.id);
  let swap: SwapMember[] = [];
  for (const member of members) {
    const held = await Promise.all(member.claims.map((value) => rules.isHeldBeside(value, ids, signal)));
    if (!held.includes(true)) swap.push(member);
  }
  const holders = new Map(
    members.flatMap((member) => rules.valuesOf(member.before).map(({ key }) => [key, member] as const)),
  );
  for (;;) {
    const left = swap.filter((member) => {
      const rivals = member.claims
        .map(({ key }) => holders.get(key))
        .filter((holder) => holder !== undefined && holder !== member);
      return rivals.length > 0 && rivals.every((rival) => swap.includes(rival as SwapMember));
    });
    if (left.length === swap.length) return left;
    swap = left;
  }
}

async function exchange(
  work: ChangeContext & WithSession,
  swap: readonly SwapMember[],
): Promise<readonly Outcome[]> {
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
