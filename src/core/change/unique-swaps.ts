/** Documents that hold each other's unique values: none can be replaced before another one is. */
import { Binary, Decimal128, Double, Int32, Long, ObjectId, serialize } from "bson";
import { toOrdered } from "../../bson/ordered.ts";
import type { Filter, Metadata } from "../../connectors/contract.ts";
import { Batch, type Doc, DocumentId, idElement } from "../../model/document.ts";
import type { Change, ChangeContext, Outcome } from "./change.ts";
import { find, isWanted, precheck, save } from "./change.ts";

/** One document of a knot: what it is now, and what it is to be. */
interface SwapMember {
  readonly change: Change;
  readonly before: Doc;
  readonly wanted: Doc;
  readonly claims: readonly Claim[];
}

/** A unique value that a document is to have. */
interface Claim {
  readonly index: Metadata;
  /** Equal for equal values. */
  readonly key: string;
  /** The condition on documents that hold it. */
  readonly filter: Filter;
}

/** Values that mean themselves in a query, on any server. */
const PLAIN = [Binary, Decimal128, Double, Int32, Long, ObjectId, Date];

/**
 * Finds among replacements that were refused those that only stand in each other's way, takes their documents out
 * together and puts the new ones in. All of that is saved first; where one does not go in after all, everything is as
 * it was before. @returns outcomes of those alone
 */
export async function resolveSwaps(
  work: ChangeContext,
  changes: readonly Change[],
): Promise<readonly Outcome[]> {
  if (changes.length < 2) return [];
  const indexes = (await work.target.indexes(work.collection.name, work.signal)).filter(isPlainUnique);
  if (indexes.length === 0) return [];
  const found = await find(work, changes);
  const candidates = changes.flatMap((change) => memberOf(work, indexes, change, found.get(change.id.key)));
  const swap = await findSwap(work, candidates, indexes);
  return swap.length < 2 ? [] : await exchange(work, swap);
}

/** Others cannot be asked for a value without reading the whole collection. */
function isPlainUnique(index: Metadata): boolean {
  return index.get("unique") === true && !index.has("collation") && !index.has("partialFilterExpression");
}

function memberOf(
  work: ChangeContext,
  indexes: readonly Metadata[],
  change: Change,
  before: Doc | undefined,
): SwapMember[] {
  const { id, wanted } = change;
  if (wanted === undefined || before === undefined || precheck(work, change, before) !== undefined) return [];
  return [{ change, before, wanted: { id, bytes: wanted }, claims: claimsOf(indexes, wanted) }];
}

function claimsOf(indexes: readonly Metadata[], document: Uint8Array): Claim[] {
  const content = toOrdered(document);
  return indexes.map((index) => claimOf(index, content)).filter((claim) => claim !== undefined);
}

/** Undefined where the documents that hold such a value cannot be asked for with certainty. */
function claimOf(index: Metadata, content: Metadata): Claim | undefined {
  const paths = index.get("key");
  if (!(paths instanceof Map)) return undefined;
  const values = [...(paths.keys() as MapIterator<string>)].map(
    (path) => [path, valueAt(content, path)] as const,
  );
  if (!values.every(([, value]) => isPlain(value))) return undefined;
  const filter = new Map(values.map(([path, value]) => [path, new Map([["$eq", value]])]));
  // As the server tells values apart: 1, Long 1 and 1.0 are one.
  const key = new DocumentId(idElement(serialize(new Map([["_id", new Map(values)]])))).key;
  return { index, key, filter };
}

function valueAt(content: Metadata, path: string): unknown {
  let value: unknown = content;
  for (const name of path.split(".")) value = value instanceof Map ? value.get(name) : undefined;
  return value;
}

function isPlain(value: unknown): boolean {
  return (
    typeof value === "string" || typeof value === "boolean" || PLAIN.some((type) => value instanceof type)
  );
}

/** Those whose values are held by one another and by nobody else. */
async function findSwap(
  work: ChangeContext,
  candidates: readonly SwapMember[],
  indexes: readonly Metadata[],
): Promise<readonly SwapMember[]> {
  const ids = candidates.map(({ before }) => toOrdered(before.bytes).get("_id"));
  const others = new Map([["$nin", ids]]);
  let swap: SwapMember[] = [];
  for (const member of candidates) if (!(await isClaimed(work, member, others))) swap.push(member);
  const holders = holdersOf(candidates, indexes);
  for (;;) {
    const members = new Set(swap);
    const left = swap.filter((member) => {
      const holdersOfValue = member.claims.flatMap(({ index, key }) => holders.get(index)?.get(key) ?? []);
      const real = holdersOfValue.filter((rival) => rival !== member);
      return real.length > 0 && real.every((rival) => members.has(rival));
    });
    if (left.length === swap.length) return left;
    swap = left;
  }
}

/** Which of them holds which unique value now. */
function holdersOf(
  candidates: readonly SwapMember[],
  indexes: readonly Metadata[],
): ReadonlyMap<Metadata, ReadonlyMap<string, SwapMember>> {
  const holders = new Map(indexes.map((index) => [index, new Map<string, SwapMember>()]));
  for (const member of candidates)
    for (const { index, key } of claimsOf(indexes, member.before.bytes)) holders.get(index)?.set(key, member);
  return holders;
}

async function isClaimed(
  { target, collection, signal }: ChangeContext,
  { claims }: SwapMember,
  id: Metadata,
): Promise<boolean> {
  for (const claim of claims) {
    const filter = new Map<string, unknown>([...claim.filter, ["_id", id]]);
    if ((await target.count(collection.name, { filter }, signal)) > 0) return true;
  }
  return false;
}

async function exchange(work: ChangeContext, swap: readonly SwapMember[]): Promise<readonly Outcome[]> {
  await save(work, swap);
  work.signal.throwIfAborted();
  // Once they are taken out, only a lost connection or a lost lease keeps them from being put in.
  const bound = { ...work, signal: new AbortController().signal };
  await replaceAll(bound, swap, "wanted");
  const after = await findAll(bound, swap);
  if (swap.every(({ change }) => isWanted(work, change, after.get(change.id.key))))
    return swap.map(({ change }) => ({ change, result: "changed" }));
  await replaceAll(bound, swap, "before");
  const back = await findAll(bound, swap);
  await saveGone(
    bound,
    swap.filter(({ change }) => !back.has(change.id.key)),
  );
  return swap.map(({ change, before }) => {
    const found = back.get(change.id.key);
    const isBack = found !== undefined && Buffer.compare(found.bytes, before.bytes) === 0;
    const reason = isBack
      ? "it exchanges a unique value with others, of which one could not be written"
      : "it exchanges a unique value with others, and another program wrote there meanwhile: dualsync undo puts it back";
    return { change, result: "refused", reason };
  });
}

/** What could not be put back is absent by this run's doing: only then does undoing put it back where there is nothing. */
async function saveGone({ journal, collection }: ChangeContext, gone: readonly SwapMember[]): Promise<void> {
  if (gone.length === 0) return;
  await journal?.save(
    collection,
    gone.map(({ before }) => ({ id: before.id.element, before: before.bytes })),
  );
}

async function findAll(work: ChangeContext, swap: readonly SwapMember[]): Promise<ReadonlyMap<string, Doc>> {
  return await find(
    work,
    swap.map(({ change }) => change),
  );
}

/** Takes out what the knot's documents are now, where that is theirs, and puts in what they are to be. */
async function replaceAll(
  work: ChangeContext,
  swap: readonly SwapMember[],
  to: "wanted" | "before",
): Promise<void> {
  const { target, collection, signal } = work;
  const there = await findAll(work, swap);
  const ours = swap.filter(({ change, before }) => {
    const found = there.get(change.id.key);
    if (found === undefined) return false;
    return isWanted(work, change, found) || Buffer.compare(found.bytes, before.bytes) === 0;
  });
  await target.remove(
    collection.name,
    ours.map(({ change }) => change.id),
    signal,
  );
  await target.write(collection.name, Batch.of(swap.map((member) => member[to])), "create", signal);
}
