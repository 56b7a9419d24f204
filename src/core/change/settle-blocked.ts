/**
 * Documents that a target refuses for as long as others hold their unique values, or what they refer to is missing. Each is
 * tried again once those that hold its values have become what they should be. Where documents hold one another's, none can
 * go first: they are exchanged.
 */
import type { UniqueRules } from "../../connectors/powers/unique-values.ts";
import type { DocumentId } from "../../model/document.ts";
import { applyChunk, type Change, type ChangeContext, type Outcome, type WithSession } from "./change.ts";
import { exchange } from "./exchange.ts";
import { cyclesOf, freeFirst, type ValueHolder } from "./value-holders.ts";
import { findAll } from "./write-and-verify.ts";

/** Documents that are looked at, written and read back at once, and their bytes. The first ones tell how large they are. */
const CHUNK = { first: 50, count: 500, bytes: 8_000_000 };

/** How often they are all tried, as long as each time gets some through. Where their values are known, once nearly always does. */
const PASSES = 50;

/** More bytes of documents are not exchanged at once. */
const MOST_EXCHANGED = 64_000_000;

/** Of as many of those that stay blocked it is asked who holds their values. */
const MOST_ASKED = 1_000;

/** What became of one of them. */
export interface Settled extends Omit<Outcome, "change"> {
  readonly id: DocumentId;
  /** The document of the target that holds a value which this one should have, where that is known. */
  readonly holder?: DocumentId | undefined;
}

/** What documents should become, as of now. Those that it leaves out are not to be changed any more. */
export type ChangesOf = (ids: readonly DocumentId[]) => Promise<readonly Change[]>;

/** Only ids and unique values are in memory together. @returns one result for each document that was to be changed */
export async function settleBlocked(
  work: ChangeContext & WithSession,
  ids: readonly DocumentId[],
  changesOf: ChangesOf,
): Promise<readonly Settled[]> {
  const rules = await work.target.uniqueValues?.of(work.collection.name, work.signal);
  const results = new Map<string, Settled>();
  let open = ids;
  for (let pass = 0; pass < PASSES && open.length > 0; pass++) {
    const before = open.length;
    // Of values that have moved up by one the last must move first. Where they are not known, each pass turns the order round.
    const order =
      rules === undefined ? open.toReversed() : freeFirst(await valuesOf(work, rules, open, changesOf));
    open = await tryEach(work, order, changesOf, results);
    if (open.length < before) continue;
    if (rules === undefined || work.resolvesSwaps === false) break;
    const done = await exchangeCycles(work, rules, open, changesOf);
    for (const one of done) results.set(one.id.key, one);
    const keys = new Set(done.map(({ id }) => id.key));
    open = open.filter(({ key }) => !keys.has(key));
    if (open.length === before) break;
  }
  if (rules !== undefined && work.resolvesSwaps !== false)
    await nameHolders(work, rules, open.slice(0, MOST_ASKED), changesOf, results);
  return ids.map(({ key }) => results.get(key)).filter((result) => result !== undefined);
}

/** @returns those that are still blocked */
async function tryEach(
  work: ChangeContext & WithSession,
  ids: readonly DocumentId[],
  changesOf: ChangesOf,
  results: Map<string, Settled>,
): Promise<readonly DocumentId[]> {
  const blocked: DocumentId[] = [];
  for await (const changes of inChunks(ids, changesOf)) {
    for (const { change, ...outcome } of await applyChunk(work, changes)) {
      results.set(change.id.key, { id: change.id, ...outcome });
      if (outcome.retry) blocked.push(change.id);
    }
  }
  return blocked;
}

/** What must be unique of the documents as they are in the target, and as they should be. */
async function valuesOf(
  work: ChangeContext,
  rules: UniqueRules,
  ids: readonly DocumentId[],
  changesOf: ChangesOf,
): Promise<readonly ValueHolder[]> {
  const holders: ValueHolder[] = [];
  for await (const changes of inChunks(ids, changesOf)) {
    const found = await findAll(work, changes);
    for (const { id, wanted } of changes) {
      const there = found.get(id.key);
      holders.push({
        id,
        holds: there === undefined ? [] : rules.valuesOf(there),
        claims: wanted === undefined ? [] : rules.valuesOf({ id, bytes: wanted }),
        bytes: (there?.bytes.length ?? 0) + (wanted?.length ?? 0),
      });
    }
  }
  return holders;
}

/** @returns what became of those that were exchanged, or could not be */
async function exchangeCycles(
  work: ChangeContext & WithSession,
  rules: UniqueRules,
  ids: readonly DocumentId[],
  changesOf: ChangesOf,
): Promise<readonly Settled[]> {
  const holders = await valuesOf(work, rules, ids, changesOf);
  const done: Settled[] = [];
  for (const cycle of await cyclesOf(holders, (value) => rules.holderOf(value, work.signal))) {
    if (cycle.reduce((sum, { bytes }) => sum + bytes, 0) > MOST_EXCHANGED) continue;
    const changes = await changesOf(cycle.map(({ id }) => id));
    for (const { change, ...outcome } of await exchange(work, changes))
      done.push({ id: change.id, ...outcome });
  }
  return done;
}

async function nameHolders(
  work: ChangeContext,
  rules: UniqueRules,
  ids: readonly DocumentId[],
  changesOf: ChangesOf,
  results: Map<string, Settled>,
): Promise<void> {
  for (const { id, claims } of await valuesOf(work, rules, ids, changesOf)) {
    const result = results.get(id.key);
    for (const value of claims) {
      const holder = await rules.holderOf(value, work.signal);
      if (result === undefined || holder === undefined || holder.key === id.key) continue;
      results.set(id.key, { ...result, holder });
      break;
    }
  }
}

async function* inChunks(
  ids: readonly DocumentId[],
  changesOf: ChangesOf,
): AsyncGenerator<readonly Change[]> {
  let count = CHUNK.first;
  for (let at = 0; at < ids.length; ) {
    const changes = await changesOf(ids.slice(at, at + count));
    yield changes;
    at += count;
    const bytes = changes.reduce(
      (sum, { wanted, bytes = 0 }) => sum + Math.max(wanted?.length ?? 0, bytes),
      0,
    );
    count = Math.max(1, Math.min(CHUNK.count, Math.floor((count * CHUNK.bytes) / Math.max(1, bytes))));
  }
}
