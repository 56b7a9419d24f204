/**
 * What a store gave of a collection, held against what it counts. Documents that it passes over are seen in no other way:
 * its answers may be cut short, its index damaged, or the ids by which it is read not unique.
 */
import { createHash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { CollectionInfo, Filter } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";

export interface Giver {
  readonly store: Reader;
  readonly role: "source" | "target";
  readonly collection: CollectionInfo;
  readonly filter?: Filter | undefined;
  /** Documents that it held, by its own word, before it was read; undefined where that is not known. */
  readonly before?: number | undefined;
  /** Documents that it counts now, where it was asked already. */
  readonly counted?: number | undefined;
  readonly signal: AbortSignal;
  /** Waits so many milliseconds; replaced in tests. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** How often it is read again while its numbers change. */
const ROUNDS = 4;

/**
 * While documents come and go, a reader may well see fewer, or more, than there are at any time: so many, or a hundredth, and
 * never more than a quarter.
 */
const CHURN = { documents: 100, part: 0.01, most: 0.25 };

/** Milliseconds for which a store that has come to rest is watched for documents that come and go, before it is doubted. */
const WATCH = 2_000;

/** More documents than these are not read again for what may be nothing but churn. */
const MANY = 1_000_000;

/**
 * One sentence where the store did not give what it counts, and nothing that came or went meanwhile accounts for that. It is
 * read again until it gives the same ids twice and its count stays. `given`: how many documents it gave when all of it was read.
 */
export async function shortfall(giver: Giver, given: number): Promise<string | undefined> {
  const { role, store } = giver;
  // A cursor that ended without a fault is all that such a store can give.
  if (!store.countsExactly) return undefined;
  let counted = giver.counted ?? (await count(giver));
  if (given === counted) return undefined;
  const counts = giver.before === undefined ? [counted] : [giver.before, counted];
  // Each document is given once, by its id: where more were given than there are, some went meanwhile.
  let moves = given > counted || counts.some((one) => one !== counted);
  const isCheap = store.keys !== undefined && counted <= MANY;
  if (!isCheap && moves && fits(given, counts)) return undefined;
  let last: IdReading | undefined;
  let isWatched = false;
  for (let round = 0; round < ROUNDS; round++) {
    const reading = await readAgain(giver);
    const before = counted;
    counted = await count(giver);
    counts.push(counted);
    const isSame = reading.ids === last?.ids;
    moves ||= counted !== before || (last !== undefined && !isSame);
    last = reading;
    if (!isSame || counted !== before) continue;
    if (reading.documents !== counted) return disagreeing(role, reading.documents, counted);
    if (moves || isWatched) break;
    isWatched = true;
    await pause(giver);
  }
  const documents = last?.documents ?? given;
  if (!fits(documents, counts)) return disagreeing(role, documents, counted);
  if (moves ? fits(given, counts) : given === counted) return undefined;
  return `the ${role} returned ${given} documents but counts ${counted}: some may not have been read; run the same command again`;
}

function disagreeing(role: string, given: number, counted: number): string {
  return `the ${role} returned ${given} documents but counts ${counted}, each time: several may have the same key, or an index may be damaged`;
}

/** Whether so many may have been given of what was so many, one time after another. */
function fits(given: number, counts: readonly number[]): boolean {
  const slack = churn(Math.max(...counts));
  return given >= Math.min(...counts) - slack && given <= Math.max(...counts) + slack;
}

function churn(documents: number): number {
  const some = Math.max(CHURN.documents, documents * CHURN.part);
  return Math.floor(Math.min(some, documents * CHURN.most));
}

async function pause({
  pause = (ms, signal) => wait(ms, undefined, { signal }),
  signal,
}: Giver): Promise<void> {
  await pause(WATCH, signal).catch(() => signal.throwIfAborted());
}

interface IdReading {
  readonly documents: number;
  /** A hash of all ids, in the order in which they came. */
  readonly ids: string;
}

function count({ store, collection, filter, signal }: Giver): Promise<number> {
  return store.count(collection.name, { filter }, signal);
}

async function readAgain({ store, collection, filter, signal }: Giver): Promise<IdReading> {
  const options = { signal, filter };
  const hash = createHash("sha256");
  let documents = 0;
  for await (const batch of store.keys?.read(collection, options) ?? store.read(collection, options)) {
    for (let i = 0; i < batch.length; i++) hash.update(batch.idOf(i).element);
    documents += batch.length;
    batch.release();
  }
  return { documents, ids: hash.digest("hex") };
}
