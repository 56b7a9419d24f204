/**
 * What a store gave of a collection, held against what it counts. Documents that it passes over are seen in no other way:
 * its answers may be cut short, its index damaged, or the ids by which it is read not unique.
 */
import { createHash } from "node:crypto";
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
const ROUNDS = 4;

/** While documents come and go, a reader may well see fewer, or more, than there are at any time: so many, or a hundredth. */
const CHURN = { documents: 100, part: 0.01 };

/**
 * One sentence where the store did not give what it counts, while nothing changes: read twice again it gives the same ids, and
 * its count stays. `given`: how many documents it gave when all of it was read.
 */
export async function shortfall(giver: Giver, given: number): Promise<string | undefined> {
  const { role } = giver;
  let counted = giver.counted ?? (await count(giver));
  // What is cheap to read again is always read again.
  if (given === counted || (giver.store.ids === undefined && hasMoved(giver, given, counted)))
    return undefined;
  let last: Reading | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const reading = await readAgain(giver);
    const before = counted;
    counted = await count(giver);
    const isStill = reading.ids === last?.ids && counted === before;
    last = reading;
    if (!isStill) continue;
    if (reading.documents !== counted) return disagreeing(role, reading.documents, counted);
    const wasStill = giver.before === counted;
    return wasStill
      ? `the ${role} gave ${given} documents and counts ${counted}, and gave as many when it was read again: not all of it was read at first`
      : undefined;
  }
  const documents = last?.documents ?? given;
  return Math.abs(documents - counted) > churn(counted) ? disagreeing(role, documents, counted) : undefined;
}

function disagreeing(role: string, given: number, counted: number): string {
  return `the ${role} gave ${given} documents and counts ${counted}, each time: several may have the same key, or an index of it be damaged`;
}

interface Reading {
  readonly documents: number;
  /** A hash of all ids, in the order in which they came. */
  readonly ids: string;
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

async function readAgain({ store, collection, filter, signal }: Giver): Promise<Reading> {
  const options = { signal, ...(filter === undefined ? {} : { filter }) };
  const hash = createHash("sha256");
  let documents = 0;
  for await (const batch of store.ids?.(collection, options) ?? store.read(collection, options)) {
    for (let i = 0; i < batch.length; i++) hash.update(batch.idOf(i).element);
    documents += batch.length;
    batch.release();
  }
  return { documents, ids: hash.digest("hex") };
}
