/** Looks at both stores and makes the plan of a synchronization. Everything here only looks, and refuses. */
import { printId } from "../../bson/print-id.ts";
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader, Store, With } from "../../connectors/contract.ts";
import type { CopyLayouts, LaidOutStore, LayoutFound, UnfinishedRun } from "../../connectors/copy-layouts.ts";
import type { CostEstimate, Estimate } from "../../connectors/powers/costs.ts";
import { connectorOf } from "../../connectors/registry.ts";
import { assertNotHalfRestored } from "../../core/plan/guards.ts";
import { DualsyncError, exitCode } from "../../model/errors.ts";
import { SeenIds } from "../../model/seen-ids.ts";
import { shellWord } from "../../model/shell-word.ts";
import type { SyncPlan } from "../../model/sync.ts";
import { count, grouped } from "../../reporting/text/format.ts";
import { minute } from "../../reporting/text/time-window.ts";
import { asideNotes, notPartNotes, onlyLayout } from "../run/copy-layout.ts";
import { directionText, isLimited, type SyncKvOptions } from "./sync-kv-options.ts";

/** A KV store, with the powers that this command cannot do without. */
export type KvStore = Store & Reader & With<"lookup" | "keys" | "contents" | "costs">;

/** A copy of so many collections does not fit into every free cluster. */
const MANY_COLLECTIONS = 100;
/** Names of keys that a plan lists. */
const LISTED = 20;
/** A run every night. */
const RUNS_A_MONTH = 30;

export interface PlannedSync {
  readonly plan: SyncPlan;
  readonly kv: KvStore;
  readonly copy: LaidOutStore;
  readonly layout: string;
  readonly collections: { readonly kv: CollectionInfo; readonly copy: CollectionInfo };
  /** The copy was begun by an earlier run, from this store. */
  readonly isKnown: boolean;
  /** Stands for everything that decides what the run does with a key. */
  readonly kind: string;
  /** A run of that kind that ended early. */
  readonly unfinished: UnfinishedRun | undefined;
}

/** `isAgain`: the run was planned before, and allowed. */
export async function planSyncKv(
  stores: { readonly kv: Store; readonly mongodb: Store },
  options: SyncKvOptions,
  isAgain: boolean,
  signal: AbortSignal,
): Promise<PlannedSync> {
  const kv = withPowers(stores.kv);
  const layouts = await layoutsOf(options);
  const { mongodb } = stores;
  const [kvHistory, history, found] = await Promise.all([
    kv.history?.read(signal),
    mongodb.history?.read(signal),
    layouts.look(mongodb, signal),
  ]);
  if (kvHistory !== undefined) assertNotHalfRestored({ label: kv.label, history: kvHistory });
  if (history !== undefined) assertNotHalfRestored({ label: mongodb.label, history });
  const layout = chooseLayout(found, layouts, options);
  assertOwn(found, kv, options);
  const copy = layouts.open(mongodb, layout);
  const [kvInfo, copyInfo] = await Promise.all([onlyOf(kv, signal), onlyOf(copy, signal)]);
  const [copyDocuments, agreed, unfinished] = await Promise.all([
    copy.count(copyInfo.name, {}, signal),
    copy.agreements.count(signal),
    unfinishedOf(copy, kindOf(kv, options), signal),
  ]);
  const passedOver = isLimited(options) ? unfinished?.settled.size : undefined;
  const rest = options.direction === "to copy" ? 0 : Math.max(0, copyDocuments - (passedOver ?? 0));
  // Keys on which nothing was agreed are written at least as far as KV has fewer of them.
  const writing = { least: agreed > 0 ? 0 : Math.max(0, rest - kvInfo.documents), most: rest };
  const cost = await kv.costs.estimate(kvInfo.name, { writing, passedOver }, signal);
  if (!isAgain) assertAffordable(cost, options);
  const plan: SyncPlan = {
    command: "sync-kv",
    primary: kv.label,
    copy: mongodb.label,
    direction: directionText(options.direction),
    layout,
    primaryDocuments: kvInfo.documents,
    copyDocuments,
    agreed,
    ...{ commands: cost.commands, requests: cost.requests, bytes: cost.bytes },
    commandsAMonth: aMonth(cost),
    notes: isAgain
      ? []
      : await notesOf(
          { found, layout, copy, copyInfo, copyDocuments, kv, agreed, cost, unfinished },
          options,
          signal,
        ),
    dryRun: options.dryRun,
  };
  const collections = { kv: kvInfo, copy: copyInfo };
  const isKnown = found.remembered?.from === kv.label;
  return { plan, kv, copy, layout, collections, isKnown, kind: kindOf(kv, options), unfinished };
}

function kindOf(
  { label }: Store,
  { direction, onConflict, delete: deletes, restoresMarked }: SyncKvOptions,
): string {
  return JSON.stringify([label, direction, onConflict, deletes, restoresMarked]);
}

async function unfinishedOf(
  copy: LaidOutStore,
  kind: string,
  signal: AbortSignal,
): Promise<UnfinishedRun | undefined> {
  const found = await copy.unfinished(signal);
  return found?.kind === kind ? found : undefined;
}

async function layoutsOf({ kv }: SyncKvOptions): Promise<CopyLayouts> {
  const layouts = await connectorOf(kv).layouts?.();
  if (layouts === undefined) throw new DualsyncError("bug", "Copies of a KV store have no layout.");
  return layouts;
}

function withPowers(store: Store): KvStore {
  const { lookup, keys, contents, costs } = store;
  if (lookup === undefined || keys === undefined || contents === undefined || costs === undefined)
    throw new DualsyncError("bug", "The KV store lacks a power.");
  return { ...store, lookup, keys, contents, costs };
}

async function onlyOf(store: Reader, signal: AbortSignal): Promise<CollectionInfo> {
  const [only] = (await store.list(signal)).collections;
  if (only === undefined) throw new DualsyncError("bug", `${store.label} lists no collection.`);
  return only;
}

/** @throws DualsyncError `usage` or `refused` where it is not clear how the copy lies there */
function chooseLayout(
  found: LayoutFound,
  { names }: CopyLayouts,
  { layout, mongodb }: SyncKvOptions,
): string {
  if (layout !== undefined && !names.includes(layout))
    throw new DualsyncError("usage", `--layout must be ${names.join(" or ")}.`, {
      hint: "Nothing was changed. Correct it and run again.",
    });
  const { remembered } = found;
  if (remembered !== undefined) {
    if (layout === undefined || layout === remembered.layout) return remembered.layout;
    throw new DualsyncError(
      "refused",
      `The copy in ${mongodb.label} has the layout ${remembered.layout}, not ${layout}.`,
      { hint: "Nothing was changed. Leave --layout out, or begin another copy in another database." },
    );
  }
  if (layout !== undefined) return layout;
  const next = "Say which one counts with --layout.";
  return onlyLayout(found, mongodb.label, "keys", next) ?? (names[0] as string);
}

/** @throws DualsyncError `refused` where the database holds what is not known to be this store's copy */
function assertOwn(
  { remembered, present, isEmpty }: LayoutFound,
  kv: Store,
  { mongodb, database, intoExisting }: SyncKvOptions,
): void {
  if (intoExisting || isEmpty || remembered?.from === kv.label) return;
  const shaped = [...present].find(([, documents]) => documents > 0);
  const what =
    remembered !== undefined
      ? `holds the copy of another KV store, ${remembered.from}`
      : shaped === undefined
        ? "holds collections that are no copy of a KV store"
        : `holds what looks like a copy of ${count(shaped[1], "key")} (layout ${shaped[0]}) that dualsync did not begin`;
  throw new DualsyncError("refused", `The database ${mongodb.label} ${what}.`, {
    hint: `Nothing was changed. Is this the right database? Then add --into-existing ${shellWord(database)} once; with --dry-run, that shows the plan.`,
  });
}

/** What a run must be able to send beyond its overhead, so that it settles one key for certain. */
const ONE_KEY = 20;

/** A limit that does not do for the whole is no reason to refuse: several runs do together what one must not. */
function assertAffordable({ commands, overhead }: CostEstimate, { maxCommands }: SyncKvOptions): void {
  const needed = Math.min(commands.most, overhead + ONE_KEY);
  if (maxCommands === undefined || needed <= maxCommands) return;
  throw new DualsyncError(
    "refused",
    `--max-commands ${grouped(maxCommands)} cannot suffice: to settle a key for certain a run needs ${grouped(needed)}.`,
    { hint: "Nothing was changed. Give a larger number." },
  );
}

function aMonth({ readingOnly: { least, most } }: CostEstimate): Estimate {
  return { least: least * RUNS_A_MONTH, most: most * RUNS_A_MONTH };
}

interface Planned {
  readonly found: LayoutFound;
  readonly layout: string;
  readonly copy: LaidOutStore;
  readonly copyInfo: CollectionInfo;
  readonly copyDocuments: number;
  readonly kv: KvStore;
  readonly agreed: number;
  readonly cost: CostEstimate;
  readonly unfinished: UnfinishedRun | undefined;
}

/** What a limit, and a run that ended early, mean for this one. */
function limitNotes({ cost, unfinished }: Planned, options: SyncKvOptions): string[] {
  const { maxCommands } = options;
  const { least } = cost.commands;
  return [
    ...(unfinished === undefined
      ? []
      : [
          `${count(unfinished.settled.size, "key")} settled since ${minute(unfinished.since)} UTC by runs that ended early: ${isLimited(options) ? "this one goes on with the others" : "the others come first"}.`,
        ]),
    ...(maxCommands !== undefined && least > maxCommands
      ? [
          `At least ${grouped(least)} commands are needed. This run sends ${grouped(maxCommands)} and ends with ${exitCode("inconclusive")}; the next ones go on.`,
        ]
      : []),
  ];
}

async function notesOf(planned: Planned, options: SyncKvOptions, signal: AbortSignal): Promise<string[]> {
  const { found, layout, copy, copyDocuments } = planned;
  const { direction, onConflict } = options;
  const conflicts = {
    park: "What was changed on both sides is named and left.",
    primary: "What was changed on both sides becomes what KV holds.",
    copy: "What was changed on both sides becomes what MongoDB holds.",
  };
  const survey = await copy.survey(signal);
  return [
    ...(found.remembered === undefined && found.isEmpty && layout === "records"
      ? [
          "The copy becomes one collection, kv_records. An application that falls back to MongoDB key by key needs --layout collections.",
        ]
      : []),
    ...(direction === "to copy" ? ["KV is only read."] : []),
    conflicts[onConflict],
    ...(direction !== "to primary" && found.remembered === undefined && !found.isEmpty
      ? [
          "What is overwritten in MongoDB and dualsync did not write is saved first: dualsync undo puts it back.",
        ]
      : []),
    ...(direction === "to copy"
      ? []
      : ["What is overwritten or removed in KV is saved first: dualsync undo puts it back."]),
    ...(options.delete ? ["What is removed is saved first: dualsync undo puts it back."] : []),
    ...(layout === "collections" && copyDocuments > MANY_COLLECTIONS
      ? [`${grouped(copyDocuments)} keys in as many collections: free clusters take a few hundred.`]
      : []),
    ...notPartNotes(survey),
    ...asideNotes(survey),
    ...limitNotes(planned, options),
    ...(await firstWrites(planned, options, signal)),
  ];
}

/** Billed commands for the names of keys that a first run would create: a plan costs at most 20 altogether. */
const NAMES_COST = 12;

/** What a first run would create in KV of a copy that somebody else made. */
async function firstWrites(
  { layout, agreed, copy, copyInfo, kv }: Planned,
  { direction, dryRun }: SyncKvOptions,
  signal: AbortSignal,
): Promise<string[]> {
  if (!asksFirst({ layout, agreed }, direction)) return [];
  const there = new SeenIds();
  const most = kv.costs.spent.commands + (dryRun ? NAMES_COST : Number.POSITIVE_INFINITY);
  let isWhole = true;
  for await (const batch of kv.keys.read(copyInfo, { signal })) {
    for (let index = 0; index < batch.length; index++) there.add(batch.idOf(index).key);
    batch.release();
    if (kv.costs.spent.commands < most) continue;
    isWhole = false;
    break;
  }
  const names: string[] = [];
  let lacking = 0;
  for await (const batch of copy.read(copyInfo, { signal })) {
    for (let index = 0; index < batch.length; index++) {
      const { key } = batch.idOf(index);
      if (there.has(key)) continue;
      if (names.length < LISTED) names.push(printId(batch.idOf(index).element));
      lacking++;
    }
    batch.release();
  }
  if (lacking === 0) return [];
  const more = lacking > names.length ? ` and ${grouped(lacking - names.length)} more` : "";
  const which = isWhole ? "KV lacks" : `are not among the first ${grouped(there.size)} of KV`;
  return [`Keys that ${which} and would be given: ${names.join(", ")}${more}.`];
}

/** Collections that somebody else made may hold more than keys: people look at the list before it is written to KV. */
export function asksFirst(
  { layout, agreed }: { readonly layout: string; readonly agreed: number },
  direction: SyncKvOptions["direction"],
): boolean {
  return layout === "collections" && agreed === 0 && direction !== "to copy";
}
