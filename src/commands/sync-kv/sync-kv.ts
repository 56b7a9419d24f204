/** Plans, asks where it must, brings KV and its copy together; where KV does not serve and it is told to, it waits and begins again. */
import { randomUUID } from "node:crypto";
import type { StoreRole } from "../../connectors/connector.ts";
import type { WriteSession } from "../../connectors/contract.ts";
import type { LaidOutSession, UnfinishedRun } from "../../connectors/copy-layouts.ts";
import type { Spent } from "../../connectors/powers/costs.ts";
import { openStore } from "../../connectors/registry.ts";
import { CLOCK } from "../../connectors/wrappers/clock.ts";
import type { Journal } from "../../core/change/journal.ts";
import { fastestClock } from "../../core/plan/same-store.ts";
import { Losses } from "../../core/progress/losses.ts";
import type { WritableSide } from "../../core/sync/sync-run.ts";
import { SyncTally, type SyncWords } from "../../core/sync/sync-tally.ts";
import { synchronize } from "../../core/sync/synchronize.ts";
import { DualsyncError, type ExitName } from "../../model/errors.ts";
import { SeenIds } from "../../model/seen-ids.ts";
import type { SyncReport } from "../../model/sync.ts";
import { count, grouped } from "../../reporting/text/format.ts";
import type { UndoJournal } from "../../state/undo/undo-journal.ts";
import type { RunContext } from "../command.ts";
import { savedSentence } from "../run/backup-notice.ts";
import { assertConfirmed } from "../run/confirm.ts";
import { journaled } from "../run/journal.ts";
import { type WritableRun, withSession } from "../run/session.ts";
import { type Stores, withStores } from "../run/stores.ts";
import { withinTime } from "../run/time-limit.ts";
import { asksFirst, type KvStore, type PlannedSync, planSyncKv } from "./plan-sync-kv.ts";
import { isLimited, type SyncKvOptions } from "./sync-kv-options.ts";
import { isInStep, syncReport } from "./sync-kv-report.ts";
import { isOutage, waitForRecovery } from "./wait-for-recovery.ts";

const WORDS: SyncWords = { primary: "KV", copy: "MongoDB", document: "key" };

/** Billed commands a second after an outage: the application wants its part, and what broke before may break again. */
const GENTLE_PACE = 100;

/** What a document may cost to be settled, in billed commands: a look, a guarded write, and a look at what was written. */
const MOST_COMMANDS = 16;

/** A run, for as long as it takes, however often it begins again. */
interface SyncTask {
  readonly options: SyncKvOptions;
  readonly context: RunContext;
  readonly started: Date;
  readonly losses: Losses;
  readonly tally: SyncTally;
  readonly settled: SeenIds;
  readonly journals: { readonly copy: UndoJournal; readonly kv: UndoJournal | undefined };
  /** By the attempts before this one, and to see whether KV serves. */
  readonly spent: { -readonly [Each in keyof Spent]: number };
  /** The plan was shown, and what needs a confirmation has it. */
  isPlanned: boolean;
  isRecovered: boolean;
  /** What runs before this one had settled, as long as that is of use. */
  earlier: UnfinishedRun | undefined;
  /** Keys of which the copy holds a note that they are settled, by this run. */
  kept: number;
}

/** @returns the exit status; @throws DualsyncError when the run cannot end well */
export async function syncKv(options: SyncKvOptions, context: RunContext): Promise<number> {
  const started = new Date();
  const losses = new Losses(options.accept);
  const tally = new SyncTally(losses, WORDS, options.direction, (message) => context.reporter.note(message));
  return await withinTime(options.maxMinutes, context.signal, outOfTime, async (signal) => {
    const inTime = { ...context, signal };
    return await withJournals(options, inTime, started, async (journals) => {
      const task: SyncTask = {
        ...{ options, context: inTime, started, losses, tally, settled: new SeenIds(), journals },
        spent: { commands: 0, requests: 0, bytes: 0 },
        ...{ isPlanned: false, isRecovered: false, earlier: undefined, kept: 0 },
      };
      for (;;) {
        const failure = await attempt(task).catch((error: unknown) => outageOf(error, task));
        if (typeof failure === "number") return failure;
        await recovered(task, failure);
      }
    });
  });
}

/** A run in both directions has one for each store. */
async function withJournals(
  { kv, mongodb, direction, cwd }: SyncKvOptions,
  context: RunContext,
  started: Date,
  work: (journals: SyncTask["journals"]) => Promise<number>,
): Promise<number> {
  const run = context.runId;
  const head = { command: "sync-kv", started };
  const toCopy = { ...head, run, source: kv.label, target: mongodb.label };
  const toKv = { ...head, run, source: mongodb.label, target: kv.label };
  if (direction === "to primary")
    return await journaled(cwd, toKv, context, (saved) => work({ copy: saved, kv: saved }));
  return await journaled(cwd, toCopy, context, async (copy) => {
    if (direction === "to copy") return await work({ copy, kv: undefined });
    const own = { ...toKv, run: randomUUID().slice(0, 8) };
    return await journaled(cwd, own, context, (saved) => work({ copy, kv: saved }));
  });
}

function roleOfKv({ direction }: SyncKvOptions): StoreRole {
  return direction === "to primary" ? "target" : "source";
}

/** The failure, where it is worth waiting for its end. */
function outageOf(error: unknown, task: SyncTask): DualsyncError {
  const { options, context } = task;
  const { waitsForRecovery } = options;
  if (waitsForRecovery && !context.signal.aborted && isOutage(error, roleOfKv(options))) return error;
  sayKept(task);
  throw error;
}

/** Returns when KV serves again. No lease is held meanwhile. */
async function recovered(task: SyncTask, failure: DualsyncError): Promise<void> {
  const { options, context } = task;
  const { reporter, signal, clock = CLOCK } = context;
  const role = roleOfKv(options);
  await waitForRecovery(failure, {
    ...{ role, clock, signal },
    note: (message) => reporter.note(message),
    async probe() {
      const store = await openStore(options.kv, { role, retries: 0, brief: true, signal });
      try {
        await store.probe?.serves(signal);
      } finally {
        add(task.spent, store.costs?.spent);
        await store.close();
      }
    },
  });
  task.isRecovered = true;
  reporter.note(`KV serves again. Going on, with at most ${GENTLE_PACE} commands a second.`);
}

function add(sum: SyncTask["spent"], spent: Spent | undefined): void {
  sum.commands += spent?.commands ?? 0;
  sum.requests += spent?.requests ?? 0;
  sum.bytes += spent?.bytes ?? 0;
}

async function attempt(task: SyncTask): Promise<number> {
  const { options, context } = task;
  const { kv, mongodb, retries, direction } = options;
  const [from, to] = direction === "to primary" ? [mongodb, kv] : [kv, mongodb];
  return await withStores({ from, to, retries }, context.signal, async (opened) => {
    const stores = sidesOf(opened, options);
    try {
      return await planned(task, await planSyncKv(stores, options, task.isPlanned, context.signal));
    } finally {
      add(task.spent, stores.kv.costs?.spent);
    }
  });
}

function sidesOf({ source, target }: Stores, { direction }: SyncKvOptions) {
  return direction === "to primary" ? { kv: target, mongodb: source } : { kv: source, mongodb: target };
}

async function planned(task: SyncTask, found: PlannedSync): Promise<number> {
  const { options, context, losses, started, spent } = task;
  const { plan, kv, copy } = found;
  if (!task.isPlanned) {
    context.reporter.syncPlan(plan);
    if (options.dryRun)
      return finish(
        context,
        syncReport(found, undefined, { losses, started, options, spent, resumed: undefined }, []),
      );
    await assertAllowed(options, found, context);
    task.earlier = found.unfinished;
    task.isPlanned = true;
  }
  if (options.maxCommands !== undefined) kv.costs.limit(Math.max(0, options.maxCommands - spent.commands));
  if (task.isRecovered) kv.costs.pace(GENTLE_PACE);
  const outer = { ...context, beginsAgain: task.isRecovered };
  await withSession(copy, "sync-kv", kv.label, outer, async (copying) => {
    if (options.direction === "to copy") return await work(task, found, copying, undefined);
    const inner = { ...outer, signal: copying.signal };
    await withSession(kv, "sync-kv", copy.label, inner, (writing) => work(task, found, copying, writing));
  });
  return conclude(task, found);
}

/** What several limited runs settle together is not compared again by the last of them. */
function resumedBy({ options, earlier }: SyncTask): UnfinishedRun | undefined {
  return isLimited(options) ? earlier : undefined;
}

/** What releasing the leases cost is known by now, too. */
function conclude(task: SyncTask, found: PlannedSync): number {
  const { options, context, losses, started, spent, tally, journals } = task;
  const { reporter } = context;
  const resumed = resumedBy(task);
  if (tally.moreNoted > 0)
    reporter.note(`and ${tally.moreNoted} more keys that the direction leaves as they are.`);
  if (resumed === undefined)
    for (const key of losses.unusedAcceptances)
      reporter.note(`--accept ${JSON.stringify(key)} matches nothing of this run.`);
  const saved = [...new Set([journals.copy, ...(journals.kv === undefined ? [] : [journals.kv])])];
  const about = { losses, started, options, spent, resumed };
  return finish(context, syncReport(found, tally.counts, about, saved.flatMap(savedSentence)));
}

async function assertAllowed(
  options: SyncKvOptions,
  { plan, layout }: PlannedSync,
  context: RunContext,
): Promise<void> {
  if (options.yes) return;
  if (options.delete)
    await assertConfirmed(context, {
      question: "Remove from one side what is gone from the other one?",
      nobody: "--delete removes keys or their copies: confirmation needed, but there is no terminal.",
      hint: "Look at the plan with --dry-run; add --yes to confirm.",
    });
  if (asksFirst({ layout, agreed: plan.agreed }, options.direction))
    await assertConfirmed(context, {
      question: `Write these keys to ${plan.primary}?`,
      nobody: `The first run that writes to ${plan.primary} needs a confirmation, but there is no terminal.`,
      hint: "Look at the keys with --dry-run; add --yes to confirm.",
    });
}

async function work(
  task: SyncTask,
  planned: PlannedSync,
  copying: WritableRun,
  writing: WritableRun | undefined,
): Promise<void> {
  const { options, context, losses, started, tally, settled, journals } = task;
  const { reporter } = context;
  const session = copying.session as LaidOutSession;
  const signal = writing?.signal ?? copying.signal;
  const { plan, collections, copy, layout, kv } = planned;
  const meter = reporter.meter(collections.kv.name, plan.primaryDocuments);
  const earlier = task.earlier?.settled ?? new SeenIds();
  try {
    const identities = await Promise.all([kv, copy].map((store) => store.identity(signal)));
    const clockNow = fastestClock(identities);
    if (!planned.isKnown) await session.remember(layout, kv.label, signal);
    await synchronize(
      {
        collection: collections.kv.name,
        primary: kv,
        copy,
        primarySide: writing && journals.kv && sideOf(writing.session, journals.kv),
        copySide: options.direction === "to primary" ? undefined : sideOf(session, journals.copy),
        agreements: session.agreements,
        rules: {
          direction: options.direction,
          onConflict: options.onConflict,
          deletes: options.delete,
          restoresMarked: options.restoresMarked,
        },
        ...{ tally, words: WORDS, settled, earlier, isLimited: isLimited(options) },
        now: () => clockNow().getTime(),
        allowShrink: options.allowShrink,
        isAdopting: !planned.isKnown,
        atOnce: () =>
          writing === undefined ? Number.POSITIVE_INFINITY : Math.floor(kv.costs.left / MOST_COMMANDS),
        signal,
        advance: (documents) => meter.advance(documents, 0),
      },
      collections.kv,
      collections.copy,
    );
    signal.throwIfAborted();
    if (options.direction !== "to primary") {
      nameNotKept(kv, collections.kv.name, losses);
      const held = await copy.count(collections.copy.name, {}, signal);
      await session.record({
        ...{ command: "sync-kv", from: kv.label, run: context.runId, token: session.nonce },
        ...{ complete: true, verified: isInStep({ losses, resumed: resumedBy(task) }), since: started },
        documents: new Map([[collections.copy.name, held]]),
      });
    }
    if (task.earlier !== undefined || task.kept > 0) await session.leaveUnfinished(undefined, signal);
    await journals.copy.complete();
    if (journals.kv !== journals.copy) await journals.kv?.complete();
  } catch (error) {
    if (options.direction !== "to primary") nameNotKept(kv, collections.kv.name, losses);
    if (error instanceof DualsyncError && CLEAN_ENDS.has(error.exit))
      await keep(task, planned, session, earlier);
    throw error;
  } finally {
    meter.end();
  }
}

/** Parts of keys that no copy has. Keys that are not read at all were named before. */
function nameNotKept({ exactness }: Pick<KvStore, "exactness">, collection: string, losses: Losses): void {
  for (const { key, reason } of exactness?.inexact(collection) ?? [])
    if (!key.startsWith(`document ${collection}/`)) losses.add(key, reason);
}

function sideOf(session: WriteSession, journal: Journal): WritableSide {
  const { guarded } = session;
  if (guarded === undefined) throw new DualsyncError("bug", "The store has no guarded writes.");
  return { session: { ...session, guarded }, journal };
}

function outOfTime(minutes: number): DualsyncError {
  return new DualsyncError(
    "inconclusive",
    `Stopped after ${minutes} minutes (--max-minutes): not every key was compared.`,
    { hint: "What was done is kept. Run the same command again to go on." },
  );
}

function finish(context: RunContext, report: SyncReport): number {
  context.reporter.synced(report);
  return report.exitCode;
}

/** Ends after which the copy takes a note of what was settled. */
const CLEAN_ENDS: ReadonlySet<ExitName> = new Set([
  ...(["source", "target", "denied", "inconclusive", "interrupted", "terminated"] as const),
]);
/** Milliseconds for that note. */
const KEEP_MS = 5_000;
/** So that the next run goes on where this one ended, and a limit on each is none on all of them together. */
async function keep(
  task: SyncTask,
  { kind }: PlannedSync,
  session: LaidOutSession,
  earlier: SeenIds,
): Promise<void> {
  const { losses, settled, started } = task;
  if (settled.size === 0) return;
  const all = new SeenIds();
  for (const one of [earlier, settled]) all.addDigests(one.digests());
  const before = earlier.size > 0 ? task.earlier : undefined;
  const open = (before?.open ?? 0) + losses.counted;
  const unfinished = { kind, since: before?.since ?? started, settled: all, open };
  await session.leaveUnfinished(unfinished, AbortSignal.timeout(KEEP_MS)).then(
    () => {
      task.kept = all.size;
    },
    () => undefined, // then the next run begins at the beginning
  );
}

/** As many items are named when a run ends early; the others are named again when they are looked at again. */
const NAMED = 20;

/** What is known of a run that ends early. */
function sayKept({ context: { reporter }, losses, kept }: SyncTask): void {
  if (kept === 0) return;
  for (const { key, reason } of losses.items.slice(0, NAMED)) reporter.note(`${key}: ${reason}`);
  const more = losses.total - NAMED;
  const others = more > 0 ? `, ${grouped(more)} more of them named` : "";
  reporter.note(`${count(kept, "key")} settled so far${others}; the same command goes on with the others.`);
}
