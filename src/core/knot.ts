/** Documents that hold each other's unique values: none can be replaced before another one is. */
import { Binary, Decimal128, Double, Int32, Long, ObjectId } from "bson";
import { toOrdered } from "../bson/ordered.ts";
import type { Filter, Metadata } from "../connectors/connector.ts";
import { Batch, type Doc } from "../document.ts";
import type { Change, Outcome, Work } from "./change.ts";
import { find, isWanted, judge, save } from "./change-step.ts";

/** One document of a knot: what it is now, and what it is to be. */
interface Strand {
  readonly change: Change;
  readonly before: Doc;
  readonly wanted: Doc;
  /** Conditions on documents that would hold one of its unique values. */
  readonly rivals: readonly Filter[];
}

/** Values that mean themselves in a query, on any server. */
const PLAIN = [Binary, Decimal128, Double, Int32, Long, ObjectId, Date];

/**
 * Finds among replacements that were refused those that only stand in each other's way, takes their documents out
 * together and puts the new ones in. All of that is saved first; where one does not go in after all, everything is as
 * it was before. @returns outcomes of those alone
 */
export async function untie(work: Work, changes: readonly Change[]): Promise<readonly Outcome[]> {
  if (changes.length < 2) return [];
  const indexes = (await work.target.indexes(work.collection.name, work.signal)).filter(isPlainUnique);
  if (indexes.length === 0) return [];
  const found = await find(work, changes);
  const strands = changes.flatMap((change) => strandOf(work, indexes, change, found.get(change.id.key)));
  const knot = await closed(work, strands);
  return knot.length < 2 ? [] : await exchange(work, knot);
}

/** Others cannot be asked for a value without reading the whole collection. */
function isPlainUnique(index: Metadata): boolean {
  return index.get("unique") === true && !index.has("collation") && !index.has("partialFilterExpression");
}

function strandOf(
  { target }: Work,
  indexes: readonly Metadata[],
  change: Change,
  before: Doc | undefined,
): Strand[] {
  const { id, wanted } = change;
  if (wanted === undefined || before === undefined || judge(target, change, before) !== undefined) return [];
  const content = toOrdered(wanted);
  const rivals = indexes.map((index) => rivalOf(index, content)).filter((filter) => filter !== undefined);
  return [{ change, before, wanted: { id, bytes: wanted }, rivals }];
}

/** Undefined where such a document cannot be asked for with certainty. */
function rivalOf(index: Metadata, content: Metadata): Filter | undefined {
  const key = index.get("key");
  if (!(key instanceof Map)) return undefined;
  const condition = new Map<string, unknown>();
  for (const path of key.keys() as MapIterator<string>) {
    const value = valueAt(content, path);
    if (!isPlain(value)) return undefined;
    condition.set(path, new Map([["$eq", value]]));
  }
  return condition;
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
async function closed(work: Work, strands: readonly Strand[]): Promise<readonly Strand[]> {
  let knot = strands;
  for (;;) {
    const all = idsOf(knot);
    const left: Strand[] = [];
    for (const strand of knot) {
      const [own] = idsOf([strand]);
      const among = new Map<string, unknown>([
        ["$in", all],
        ["$ne", own],
      ]);
      const held = async (id: Metadata): Promise<boolean> => await isHeld(work, strand, id);
      if (!(await held(new Map([["$nin", all]]))) && (await held(among))) left.push(strand);
    }
    if (left.length === knot.length || left.length < 2) return left;
    knot = left;
  }
}

function idsOf(strands: readonly Strand[]): unknown[] {
  return strands.map(({ before }) => toOrdered(before.bytes).get("_id"));
}

async function isHeld(
  { target, collection, signal }: Work,
  { rivals }: Strand,
  id: Metadata,
): Promise<boolean> {
  for (const rival of rivals) {
    const filter = new Map<string, unknown>([...rival, ["_id", id]]);
    if ((await target.count(collection.name, { filter }, signal)) > 0) return true;
  }
  return false;
}

async function exchange(work: Work, knot: readonly Strand[]): Promise<readonly Outcome[]> {
  await save(work, knot);
  work.signal.throwIfAborted();
  // Once they are taken out, only a lost connection or a lost lease keeps them from being put in.
  const bound = { ...work, signal: new AbortController().signal };
  await replaceAll(bound, knot, "wanted");
  const after = await findAll(bound, knot);
  if (knot.every(({ change }) => isWanted(change, after.get(change.id.key))))
    return knot.map(({ change }) => ({ change, result: "changed" }));
  await replaceAll(bound, knot, "before");
  const back = await findAll(bound, knot);
  await saveGone(
    bound,
    knot.filter(({ change }) => !back.has(change.id.key)),
  );
  return knot.map(({ change, before }) => {
    const found = back.get(change.id.key);
    const isBack = found !== undefined && Buffer.compare(found.bytes, before.bytes) === 0;
    const reason = isBack
      ? "it exchanges a unique value with others, of which one could not be written"
      : "it exchanges a unique value with others, and another program wrote there meanwhile: dualsync undo puts it back";
    return { change, result: "refused", reason };
  });
}

/** What could not be put back is absent by this run's doing: only then does undoing put it back where there is nothing. */
async function saveGone({ journal, collection }: Work, gone: readonly Strand[]): Promise<void> {
  if (gone.length === 0) return;
  await journal?.save(
    collection,
    gone.map(({ before }) => ({ id: before.id.element, before: before.bytes })),
  );
}

async function findAll(work: Work, knot: readonly Strand[]): Promise<ReadonlyMap<string, Doc>> {
  return await find(
    work,
    knot.map(({ change }) => change),
  );
}

/** Takes out what the knot's documents are now, where that is theirs, and puts in what they are to be. */
async function replaceAll(work: Work, knot: readonly Strand[], to: "wanted" | "before"): Promise<void> {
  const { target, collection, signal } = work;
  const there = await findAll(work, knot);
  const ours = knot.filter(({ change, before }) => {
    const found = there.get(change.id.key);
    if (found === undefined) return false;
    return isWanted(change, found) || Buffer.compare(found.bytes, before.bytes) === 0;
  });
  await target.remove(
    collection.name,
    ours.map(({ change }) => change.id),
    signal,
  );
  await target.write(collection.name, Batch.of(knot.map((strand) => strand[to])), "create", signal);
}
