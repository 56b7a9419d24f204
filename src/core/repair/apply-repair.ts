/** Makes single documents of a target what the source holds, as far as both are still as they were seen. */

import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader, WriteSession } from "../../connectors/contract.ts";
import type { Doc } from "../../model/document.ts";
import type { Side } from "../../model/reporter.ts";
import { applyChanges } from "../change/apply-changes.ts";
import type { Change, Outcome } from "../change/change.ts";
import type { Journal } from "../change/journal.ts";
import { sideOf } from "../compare/candidate.ts";
import { equivalenceOf } from "../walk/equivalence.ts";
import { canQuery, find } from "../walk/lookup.ts";
import { PlannedPairs } from "./planned-pairs.ts";
import type { PlanRow, RepairAction, RepairPlan } from "./repair-plan.ts";
import { RepairResult } from "./repair-result.ts";

/** Documents of a chunk, and their bytes on both sides. */
const CHUNK_DOCUMENTS = 500;
const CHUNK_BYTES = 8_000_000;
/** Removals free unique values that replacements need, and these the ones that new documents need. */
const ORDER: readonly RepairAction[] = ["remove", "replace", "insert"];

export interface RepairContext {
  readonly source: Reader;
  readonly target: Reader;
  readonly signal: AbortSignal;
  /** What is replaced or removed is saved here before. */
  readonly journal?: Journal | undefined;
  /** Without one the plan is only looked at. */
  readonly session: WriteSession | undefined;
  /** Whether a document that is gone from this collection was removed by a repair that did not finish. */
  readonly isInterruptedReplacement?: ((row: PlanRow, collection: CollectionInfo) => boolean) | undefined;
}

/** @throws DualsyncError `unverified` when a collection was dropped or replaced while it was repaired */
export async function applyRepair(
  context: RepairContext,
  plan: RepairPlan,
  options: { readonly delete: boolean },
): Promise<RepairResult> {
  const pairs = await PlannedPairs.of(context, plan.collections);
  const repairRun = new RepairRun(context, pairs);
  let refused = await repairRun.pass(plan, options.delete);
  // What blocked a document may have been repaired after it; swaps are resolved when that no longer helps.
  for (let resolvesSwaps = repairRun.chunks === 1; refused.size > 0; ) {
    const before = refused.size;
    refused = await repairRun.pass(plan, options.delete, { only: refused, resolvesSwaps });
    if (refused.size === before && resolvesSwaps) break;
    resolvesSwaps = refused.size === before;
  }
  if (refused.size > 0) await repairRun.name(plan, refused);
  await pairs.assertStillExists(repairRun.result);
  for (const { source } of plan.collections)
    for (const { key, reason } of context.source.exactness?.inexact(source) ?? [])
      repairRun.result.name(key, reason);
  return repairRun.result;
}

interface Numbered {
  readonly number: number;
  readonly row: PlanRow;
}

interface PassOptions {
  /** Only these rows. */
  readonly only?: ReadonlyMap<number, string> | undefined;
  readonly resolvesSwaps: boolean;
}

class RepairRun {
  readonly result = new RepairResult();
  readonly #context: RepairContext;
  readonly #pairs: PlannedPairs;
  /** Chunks of the last pass in which there was something to do. */
  chunks = 0;
  #refused = new Map<number, string>();
  #resolvesSwaps = false;
  /** What was saved of refused documents, by collection. */
  readonly #saved = new Map<string, Map<string, string>>();
  #chunk: Numbered[] = [];
  #bytes = 0;

  constructor(context: RepairContext, pairs: PlannedPairs) {
    this.#context = context;
    this.#pairs = pairs;
  }

  /** Goes through the plan, or those rows of it. @returns why which rows were refused, by their numbers */
  async pass(
    plan: RepairPlan,
    deletes: boolean,
    { only, resolvesSwaps }: PassOptions = { resolvesSwaps: false },
  ): Promise<ReadonlyMap<number, string>> {
    this.#refused = new Map();
    this.#resolvesSwaps = resolvesSwaps;
    this.chunks = 0;
    for (const action of ORDER) {
      for await (const one of numbered(plan)) {
        if (one.row.do !== action || only?.has(one.number) === false) continue;
        if (action === "remove" && !deletes) this.result.of(one.row).skipped++;
        else await this.#add(one);
      }
      await this.#flush();
    }
    return this.#refused;
  }

  async name(plan: RepairPlan, refused: ReadonlyMap<number, string>): Promise<void> {
    for await (const { number, row } of numbered(plan)) {
      const reason = refused.get(number);
      if (reason !== undefined) this.result.conflict(row, reason);
    }
  }

  async #add(one: Numbered): Promise<void> {
    const { row } = one;
    const bytes = (row.source?.bytes ?? 0) + (row.target?.bytes ?? 0);
    const first = this.#chunk[0]?.row;
    const other =
      first !== undefined &&
      (first.collection !== row.collection || first.targetCollection !== row.targetCollection);
    const full = this.#chunk.length >= CHUNK_DOCUMENTS || this.#bytes + bytes > CHUNK_BYTES;
    if (this.#chunk.length > 0 && (other || full)) await this.#flush();
    this.#chunk.push(one);
    this.#bytes += bytes;
  }

  async #flush(): Promise<void> {
    const chunk = this.#chunk;
    this.#chunk = [];
    this.#bytes = 0;
    const [first] = chunk;
    if (first === undefined) return;
    const unreadable = await this.#pairs.unreadable(first.row);
    if (unreadable !== undefined) {
      for (const { row } of chunk) this.result.conflict(row, unreadable);
      return;
    }
    const {
      source,
      target,
      session,
      signal,
      journal,
      isInterruptedReplacement = () => false,
    } = this.#context;
    const ids = chunk.map(({ row }) => row.id);
    const from = this.#pairs.info("source", first.row.collection);
    const now = from === undefined ? new Map<string, Doc>() : await find(source, from, ids, signal);
    // Asked after the documents: what is found in a collection that is gone was not looked for in the one that is meant.
    const pair = await this.#pairs.look(first.row);
    const wanted = await this.#wanted(first.row, chunk, now);
    const due = new Map<Change, Numbered>();
    for (const one of chunk) {
      const { key } = one.row.id;
      const gone = pair.target !== undefined && isInterruptedReplacement(one.row, pair.target);
      const objection = pair.objection ?? objectionTo(source, one.row, now.get(key));
      if (objection !== undefined) this.result.conflict(one.row, objection);
      else due.set(changeOf(one.row, wanted.get(key), gone), one);
    }
    if (pair.target === undefined || due.size === 0) return;
    this.chunks++;
    const { name } = pair.target;
    const saved = this.#saved.get(name) ?? new Map<string, string>();
    this.#saved.set(name, saved);
    const journaling = journal && { journal, collection: pair.target };
    const options = { journaling, signal, saved, resolvesSwaps: this.#resolvesSwaps };
    for (const outcome of await applyChanges({ target, session }, pair.target, [...due.keys()], options)) {
      if (outcome.retry !== true) saved.delete(outcome.change.id.key);
      this.#take(due.get(outcome.change), outcome);
    }
  }

  /** What should be written: the source's, with what the target holds besides where its documents may hold more. */
  async #wanted(
    { collection, targetCollection }: PlanRow,
    chunk: readonly Numbered[],
    now: ReadonlyMap<string, Doc>,
  ): Promise<ReadonlyMap<string, Doc>> {
    const { source, target, signal } = this.#context;
    const equivalence = equivalenceOf({
      source,
      target,
      from: { name: collection },
      to: { name: targetCollection },
    });
    if (equivalence === undefined) return now;
    const ids = chunk.map(({ row }) => row.id);
    const to = this.#pairs.info("target", targetCollection);
    const held = to === undefined ? new Map<string, Doc>() : await find(target, to, ids, signal);
    return new Map(
      [...now].map(([key, expected]) => {
        const found = held.get(key);
        return [key, found === undefined ? expected : equivalence.wanted({ expected, found })];
      }),
    );
  }

  #take(one: Numbered | undefined, { result, retry, reason = "" }: Outcome): void {
    if (one === undefined) throw new RangeError("an outcome of no row");
    const { number, row } = one;
    if (result === "changed" || result === "unchanged") this.result.of(row)[result]++;
    else if (retry === true) this.#refused.set(number, reason);
    else this.result.conflict(row, reason);
  }
}

async function* numbered(plan: RepairPlan): AsyncGenerator<Numbered> {
  let number = 0;
  for await (const row of plan.rows()) yield { number: number++, row };
}

/** A plan is a list of what was looked at: where the source is another by now, nobody has looked at that. */
function objectionTo(store: Reader, { id, source }: PlanRow, now: Doc | undefined): string | undefined {
  if (!canQuery(store, id)) return "its _id cannot be used in a query";
  if (isSide(source, now)) return undefined;
  if (now === undefined) return "the source no longer has it";
  return source === undefined ? "the source has it again" : "it has changed in the source since";
}

function changeOf({ id, target }: PlanRow, wanted: Doc | undefined, gone: boolean): Change {
  return {
    id: wanted?.id ?? id,
    wanted: wanted?.bytes,
    bytes: target?.bytes,
    accepts: (found) => isSide(target, found) || (gone && found === undefined),
  };
}

function isSide(side: Side | undefined, found: Doc | undefined): boolean {
  return side?.sha256 === sideOf(found)?.sha256;
}
