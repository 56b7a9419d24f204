/** Makes single documents of a target what the source holds, as far as both are still as they were seen. */

import { printId } from "../../bson/print-id.ts";
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader, WriteSession } from "../../connectors/contract.ts";
import type { Doc, DocumentId } from "../../model/document.ts";
import type { Side } from "../../model/reporter.ts";
import { applyChanges } from "../change/apply-changes.ts";
import type { Change, Outcome } from "../change/change.ts";
import type { Journal } from "../change/journal.ts";
import { settleBlocked } from "../change/settle-blocked.ts";
import { sideOf } from "../compare/candidate.ts";
import { isOfOneCollection, reasonOf } from "../concurrency/one-collection.ts";
import { MOST_BLOCKED } from "../progress/blocked.ts";
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
  await repairRun.pass(plan, options.delete);
  // What blocked a document may have been repaired after it.
  await repairRun.settle();
  await pairs.assertStillExists(repairRun.result);
  for (const { source } of plan.collections)
    for (const { key, reason } of context.source.exactness?.inexact(source) ?? [])
      repairRun.result.name(key, reason);
  return repairRun.result;
}

class RepairRun {
  readonly result = new RepairResult();
  readonly #context: RepairContext;
  readonly #pairs: PlannedPairs;
  /** Rows whose documents others blocked, by their collections. */
  readonly #blocked = new Map<string, PlanRow[]>();
  #blockedRows = 0;
  /** What was saved of them, by collection. */
  readonly #saved = new Map<string, Map<string, string>>();
  #chunk: PlanRow[] = [];
  #bytes = 0;

  constructor(context: RepairContext, pairs: PlannedPairs) {
    this.#context = context;
    this.#pairs = pairs;
  }

  /** Goes through the plan. */
  async pass(plan: RepairPlan, deletes: boolean): Promise<void> {
    for (const action of ORDER) {
      for await (const row of plan.rows()) {
        if (row.do !== action) continue;
        if (action === "remove" && !deletes) this.result.of(row).skipped++;
        else await this.#add(row);
      }
      await this.#flush();
    }
  }

  /** Tries again what others blocked, now that these are repaired. */
  async settle(): Promise<void> {
    const { target, session, signal, journal } = this.#context;
    if (session === undefined) return;
    for (const rows of this.#blocked.values()) {
      const [first] = rows;
      const info = first && this.#pairs.info("target", first.targetCollection);
      if (info === undefined) continue;
      const byId = new Map(rows.map((row) => [row.id.key, row]));
      const saved = this.#savedOf(info.name);
      const journaling = journal && { journal, collection: info };
      const work = { target, session, collection: info, journaling, saved, signal };
      const conflicts = new Map<PlanRow, string>();
      const changesOf = async (ids: readonly DocumentId[]): Promise<readonly Change[]> => {
        const some = ids.map(({ key }) => byId.get(key)).filter((row) => row !== undefined);
        const { due, objections } = await this.#changesOf(some);
        for (const [row, objection] of objections) conflicts.set(row, objection);
        return [...due.keys()];
      };
      const ids = rows.map(({ id }) => id);
      for (const { id, holder, reason, ...outcome } of await settleBlocked(work, ids, changesOf)) {
        const row = byId.get(id.key);
        if (row === undefined || conflicts.has(row)) continue;
        const held = holder === undefined ? "" : `: it belongs to ${printId(holder.element)}`;
        this.#take(row, { ...outcome, reason: reason === undefined ? undefined : `${reason}${held}` });
      }
      for (const [row, objection] of conflicts) this.result.conflict(row, objection);
    }
  }

  #savedOf(collection: string): Map<string, string> {
    const known = this.#saved.get(collection) ?? new Map<string, string>();
    this.#saved.set(collection, known);
    return known;
  }

  async #add(row: PlanRow): Promise<void> {
    const bytes = (row.source?.bytes ?? 0) + (row.target?.bytes ?? 0);
    const [first] = this.#chunk;
    const other = first !== undefined && pairOf(first) !== pairOf(row);
    const full = this.#chunk.length >= CHUNK_DOCUMENTS || this.#bytes + bytes > CHUNK_BYTES;
    if (this.#chunk.length > 0 && (other || full)) await this.#flush();
    this.#chunk.push(row);
    this.#bytes += bytes;
  }

  async #flush(): Promise<void> {
    const chunk = this.#chunk;
    this.#chunk = [];
    this.#bytes = 0;
    const [first] = chunk;
    if (first === undefined) return;
    const { due, objections } = await this.#changesOf(chunk);
    for (const [row, objection] of objections) this.result.conflict(row, objection);
    const to = this.#pairs.info("target", first.targetCollection);
    if (to === undefined || due.size === 0) return;
    const { target, session, signal, journal } = this.#context;
    const saved = this.#savedOf(to.name);
    const journaling = journal && { journal, collection: to };
    const options = { journaling, signal, saved, resolvesSwaps: false };
    for (const { change, ...outcome } of await applyChanges(
      { target, session },
      to,
      [...due.keys()],
      options,
    )) {
      if (outcome.retry !== true) saved.delete(change.id.key);
      const row = due.get(change);
      if (row === undefined) throw new RangeError("an outcome of no row");
      if (outcome.retry !== true || !this.#block(row)) this.#take(row, outcome);
    }
  }

  /** @returns false where too many wait already */
  #block(row: PlanRow): boolean {
    if (this.#blockedRows >= MOST_BLOCKED) return false;
    this.#blockedRows++;
    const rows = this.#blocked.get(pairOf(row)) ?? [];
    this.#blocked.set(pairOf(row), rows);
    rows.push(row);
    return true;
  }

  /** What rows of one collection ask for by now, and what speaks against each of the others. */
  async #changesOf(rows: readonly PlanRow[]): Promise<{
    readonly due: ReadonlyMap<Change, PlanRow>;
    readonly objections: ReadonlyMap<PlanRow, string>;
  }> {
    const due = new Map<Change, PlanRow>();
    const objections = new Map<PlanRow, string>();
    const [first] = rows;
    if (first === undefined) return { due, objections };
    const unreadable = await this.#pairs.unreadable(first);
    const all = (reason: string) => ({ due, objections: new Map(rows.map((row) => [row, reason])) });
    if (unreadable !== undefined) return all(unreadable);
    const { source, isInterruptedReplacement = () => false } = this.#context;
    const ids = rows.map(({ id }) => id);
    const now = await this.#sources(this.#pairs.info("source", first.collection), ids);
    if (typeof now === "string") return all(now);
    // Asked after the documents: what is found in a collection that is gone was not looked for in the one that is meant.
    const pair = await this.#pairs.look(first);
    const wanted = await this.#wanted(first, rows, now);
    for (const row of rows) {
      const { key } = row.id;
      const gone = pair.target !== undefined && isInterruptedReplacement(row, pair.target);
      const objection = pair.objection ?? objectionTo(source, row, now.get(key));
      if (objection !== undefined) objections.set(row, objection);
      else due.set(changeOf(row, wanted.get(key), gone), row);
    }
    return { due, objections };
  }

  /** The documents as the source holds them, or why this collection alone cannot be read. */
  async #sources(
    from: CollectionInfo | undefined,
    ids: readonly DocumentId[],
  ): Promise<ReadonlyMap<string, Doc> | string> {
    const { source, signal } = this.#context;
    try {
      return from === undefined ? new Map() : await find(source, from, ids, signal);
    } catch (error) {
      if (!isOfOneCollection(error)) throw error;
      return reasonOf(error);
    }
  }

  /** What should be written: the source's, with what the target holds besides where its documents may hold more. */
  async #wanted(
    { collection, targetCollection }: PlanRow,
    rows: readonly PlanRow[],
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
    const ids = rows.map(({ id }) => id);
    const to = this.#pairs.info("target", targetCollection);
    const held = to === undefined ? new Map<string, Doc>() : await find(target, to, ids, signal);
    return new Map(
      [...now].map(([key, expected]) => {
        const found = held.get(key);
        return [key, found === undefined ? expected : equivalence.wanted({ expected, found })];
      }),
    );
  }

  #take(row: PlanRow, { result, reason = "" }: Omit<Outcome, "change">): void {
    if (result === "changed" || result === "unchanged") this.result.of(row)[result]++;
    else this.result.conflict(row, reason);
  }
}

function pairOf({ collection, targetCollection }: PlanRow): string {
  return JSON.stringify([collection, targetCollection]);
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
