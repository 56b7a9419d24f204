/**
 * What a store gave of a collection, held against what it counts. Documents that it passes over are seen in no other way:
 * its answers may be cut short, its index damaged, or the ids by which it is read not unique.
 */
import type { CollectionInfo, Filter, Source } from "../connectors/connector.ts";

export interface Giver {
  readonly store: Source;
  readonly role: "source" | "target";
  readonly collection: CollectionInfo;
  readonly filter?: Filter;
  /** Documents that it held, by its own word, before it was read; undefined where that is not known. */
  readonly before?: number;
  /** Documents that it counts now, where it was asked already. */
  readonly counted?: number;
  readonly signal: AbortSignal;
}

/** How often it is read again while its numbers change. */
const ROUNDS = 3;

/** While documents come and go, a reader may well see fewer, or more, than there are at any time: so many, or a hundredth. */
const CHURN = { documents: 100, part: 0.01 };

/**
 * One sentence where the store gives another number of documents than it counts, twice and the same each time. `given`: how
 * many it gave when all of it was read.
 */
export async function shortfall(giver: Giver, given: number): Promise<string | undefined> {
  let [gave, counted] = [given, giver.counted ?? (await count(giver))];
  // What is cheap to read again is always read again.
  if (gave === counted || (giver.store.ids === undefined && hasMoved(giver, gave, counted))) return undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const again = await readAgain(giver);
    const now = await count(giver);
    if (again === now) return undefined;
    const isSame = again === gave && now === counted;
    [gave, counted] = [again, now];
    if (isSame || (round === ROUNDS - 1 && Math.abs(gave - counted) > churn(counted)))
      return `the ${giver.role} gave ${gave} documents and counts ${counted}, each time: several may have the same key, or an index of it be damaged`;
  }
  return undefined;
}

function count({ store, collection, filter, signal }: Giver): Promise<number> {
  return store.count(collection.name, filter === undefined ? {} : { filter }, signal);
}

/** Documents have come or gone since before it was read, and what it gave fits to that. */
function hasMoved({ before }: Giver, given: number, counted: number): boolean {
  if (before === undefined || before === counted) return false;
  const slack = churn(counted);
  return given >= Math.min(before, counted) - slack && given <= Math.max(before, counted) + slack;
}

function churn(documents: number): number {
  return Math.max(CHURN.documents, Math.ceil(documents * CHURN.part));
}

async function readAgain({ store, collection, filter, signal }: Giver): Promise<number> {
  const options = { signal, ...(filter === undefined ? {} : { filter }) };
  let documents = 0;
  for await (const batch of store.ids?.(collection, options) ?? store.read(collection, options)) {
    documents += batch.length;
    batch.release();
  }
  return documents;
}
