/** Gives a store back what its copy holds: shows a plan, asks, saves, writes, verifies. */
import type { WriteSession } from "../../connectors/contract.ts";
import { RESTORE, type RestoreScope, type RunRecord } from "../../connectors/powers/run-history.ts";
import { withMembers } from "../../connectors/wrappers/with-members.ts";
import { AlteredFields } from "../../core/change/altered-fields.ts";
import { Budget } from "../../core/concurrency/byte-budget.ts";
import { type Transferred, transferAll } from "../../core/copy/transfer.ts";
import { assertDifferentStores } from "../../core/plan/guards.ts";
import type { PlannedJob } from "../../core/plan/plan.ts";
import { Checkpoint } from "../../core/progress/checkpoint.ts";
import { Losses } from "../../core/progress/losses.ts";
import { afterRestore, earlierRestores, openRestores } from "../../core/restore/open-restores.ts";
import { keepingOf } from "../../core/restore/restore-mode.ts";
import { DualsyncError, exitCode } from "../../model/errors.ts";
import type { RunReport } from "../../model/reporter.ts";
import type { UndoJournal } from "../../state/undo/undo-journal.ts";
import type { RunContext } from "../command.ts";
import { withCopy } from "../run/copy-layout.ts";
import { journaled } from "../run/journal.ts";
import { type WritableRun, withSession } from "../run/session.ts";
import { noteUnused } from "../run/unused-acceptances.ts";
import { newerByOf, type PlannedRestore, planRestore } from "./plan-restore.ts";
import type { RestoreOptions } from "./restore-options.ts";
import { restoreVerdict } from "./restore-verdict.ts";
import { noting, type RestoredStores, withoutWhatExpired } from "./restored-stores.ts";

/** Bytes of documents that may be on their way to the target at once. */
const BYTES_IN_FLIGHT = 32_000_000;

/** Milliseconds after which what a plan has shown to be equal is compared again. */
const LONGEST_PAUSE = 60_000;

/** @returns the exit status; @throws DualsyncError when the run cannot end well */
export async function restoring(options: RestoreOptions, context: RunContext): Promise<number> {
  const started = new Date();
  return await withCopy(options, context.signal, async (opened) => {
    const stores = await withoutWhatExpired(opened, context.signal);
    if (!options.apply) {
      const planned = await planRestore(stores, options, context);
      context.reporter.plan(planned.plan);
      return finish(context, nothingRestored(planned, options, started));
    }
    const { source, target } = stores;
    return await withSession(target, RESTORE, source.label, context, async (writing) => {
      await assertDifferentStores(source, writing.session, writing.signal);
      return await holdingCopy(stores, { ...context, signal: writing.signal }, async (signal, copying) => {
        const looked = await planRestore(stores, options, { ...context, signal });
        const shown = performance.now();
        context.reporter.plan(looked.plan);
        assertRestorable(looked);
        await assertConfirmed(options, looked, { ...context, signal });
        const isFresh = performance.now() - shown < LONGEST_PAUSE;
        const planned = isFresh ? looked : { ...looked, jobs: comparedAgain(looked.jobs) };
        const labels = { source: source.label, target: target.label };
        const head = { run: context.runId, command: RESTORE, started, ...labels };
        return await journaled(options.cwd, head, context, async (journal) => {
          const work = { planned, started, journal, copying };
          return finish(context, await restore(stores, options, context, work, { ...writing, signal }));
        });
      });
    });
  });
}

/**
 * Takes the copy's lock, too: nothing else is to change the copy while a store is restored from it. Where it may not be taken that
 * is said. `work` gets a signal that ends with either lock, and what may be done to the copy.
 */
async function holdingCopy(
  { source, target }: RestoredStores,
  context: RunContext,
  work: (signal: AbortSignal, copying: WriteSession | undefined) => Promise<number>,
): Promise<number> {
  if (source.claim === undefined) return await work(context.signal, undefined);
  let isHeld = false;
  try {
    return await withSession(source, RESTORE, target.label, context, async ({ session, signal }) => {
      isHeld = true;
      return await work(signal, session);
    });
  } catch (error) {
    if (isHeld || !(error instanceof DualsyncError) || error.exit !== "denied") throw error;
    context.reporter.warn(
      `The copy cannot be locked (${error.message}): see to it that no other run writes to it meanwhile.`,
    );
    return await work(context.signal, undefined);
  }
}

/** Much may have happened while somebody read the plan. */
function comparedAgain(jobs: readonly PlannedJob[]): readonly PlannedJob[] {
  return jobs.map(({ compared: _, ...job }) => job);
}

/** @throws DualsyncError `refused` where all that was chosen cannot be restored */
function assertRestorable({ jobs, lost, lostDocuments }: PlannedRestore): void {
  if (jobs.length > 0) return;
  const reasons = [
    ...lost.map(({ name, reason }) => `collection ${name}: ${reason}`),
    ...lostDocuments.map(({ key, reason }) => `${key}: ${reason}`),
  ];
  const more = reasons.length > 5 ? `; and ${reasons.length - 5} more` : "";
  throw new DualsyncError(
    "refused",
    `Nothing of what was chosen can be restored: ${reasons.slice(0, 5).join("; ")}${more}.`,
    { hint: "Nothing was changed." },
  );
}

/** Anything but adding to an empty target needs its name. @throws DualsyncError `refused` */
async function assertConfirmed(
  { mode, confirmed, nextCommand }: RestoreOptions,
  { isEmpty, asks, at, plan }: PlannedRestore,
  { ask, signal }: RunContext,
): Promise<void> {
  if (mode === "missing" && isEmpty) return;
  if (confirmed === asks || confirmed === plan.target) return;
  const hint = `Nothing was restored. To restore: ${nextCommand(asks, at)}`;
  if (confirmed !== undefined) {
    throw new DualsyncError(
      "refused",
      `The copy ${plan.source} was not filled from ${plan.target}, which holds other documents: ${JSON.stringify(confirmed)} alone does not say that it is the right target.`,
      { hint },
    );
  }
  if (ask === undefined) {
    throw new DualsyncError(
      "refused",
      `restore changes ${plan.target}: its name is needed, but there is no terminal.`,
      { hint },
    );
  }
  const answer = await ask(`Type ${asks} to restore into ${plan.target}:`);
  signal.throwIfAborted();
  if (answer === asks) return;
  throw new DualsyncError("refused", `Not confirmed: that is not ${asks}.`, { hint });
}

interface RestoreWork {
  readonly planned: PlannedRestore;
  readonly started: Date;
  readonly journal: UndoJournal;
  /** Of the copy, where it is locked. */
  readonly copying: WriteSession | undefined;
}

/** Marks the target as being restored for as long as it is not whole again. */
async function restore(
  stores: RestoredStores,
  options: RestoreOptions,
  context: RunContext,
  { planned, started, journal, copying }: RestoreWork,
  { session, signal, stop }: WritableRun,
): Promise<RunReport> {
  const losses = lossesOf(planned, options);
  const record: RunRecord = {
    command: RESTORE,
    from: stores.source.label,
    run: context.runId,
    token: session.nonce,
    since: started,
    complete: false,
    verified: false,
    documents: new Map(),
    scope: planned.scope,
    earlier: earlierRestores(planned.history, context.runId),
  };
  // A marked target can be unmarked by undoing the run, whatever it had done.
  await journal.begin();
  await session.record(record);
  // Written nowhere: a restore that is run again compares everything, and what was written is equal by then.
  const checkpoint = new Checkpoint({
    token: record.token,
    since: started,
    verify: "content",
    onFailure: stop,
  });
  const newerBy = newerByOf(options);
  const { indexes, concurrency, allowShrink, batchSize, includeNewer } = options;
  const transfer = {
    source: stores.source,
    target: await noting(stores, copying, signal),
    // What is proved of an original is no checksum of a copy.
    session: withMembers(session, { checksums: undefined }),
    verify: "content" as const,
    indexes,
    concurrency,
    allowShrink,
    batchSize,
    newerBy,
    keeping: keepingOf(options.mode, newerBy, planned.isInterrupted),
    savesAll: true,
    altered: new AlteredFields(),
    losses,
    checkpoint,
    signal,
    stop,
    journal,
    delete: options.mode === "exact",
    staysAsExtra: includeNewer ? undefined : planned.age.mayBeNewer.bind(planned.age),
    budget: new Budget(BYTES_IN_FLIGHT),
    note: (message: string) => context.reporter.note(message),
  };
  const done = await transferAll(transfer, planned.jobs, context.reporter).catch(async (error: unknown) => {
    await unmark(session, record, planned, journal);
    throw error;
  });
  signal.throwIfAborted();
  for (const [name, fields] of transfer.altered.all) {
    for (const field of fields)
      losses.add(
        `field ${name}.${field}`,
        "the target's own rules, a trigger for example, make something else of what is written there: it was not compared",
      );
  }
  await journal.complete();
  // What is not as the copy has it is not copied back over the copy.
  const complete = !hasFailed(done);
  const earlier = complete ? afterRestore(record.earlier ?? [], record) : (record.earlier ?? []);
  const ended = { ...record, earlier, complete, verified: isVerified(done) };
  await session.record(ended);
  if (complete)
    for (const { run, scope } of openRestores({ collections: new Map(), lastRestore: ended }))
      context.reporter.warn(stillOpen(run, scope));
  noteUnused(losses, context);
  const { comparedBy } = stores.target.words;
  return report(planned, { started, done, losses, journal, comparedBy });
}

/** Of a run that failed before it had changed anything the target bears no mark. */
async function unmark(
  session: WriteSession,
  record: RunRecord,
  { history, jobs }: PlannedRestore,
  { saved: { documents, added } }: UndoJournal,
): Promise<void> {
  // What has no _id is written and not journaled.
  if (documents + added > 0 || jobs.some(({ from }) => from.kind === "sequence")) return;
  // The failure is what is to be said; where this fails, too, undoing the run removes the mark.
  await session.record(history.lastRestore ?? { ...record, complete: true }).catch(() => undefined);
}

function stillOpen(run: string, scope: RestoreScope | undefined): string {
  const what = scope === undefined ? "" : ` (--mode ${scope.mode})`;
  return `The restore ${run}${what} was interrupted, and this one did less: no command copies from the target until it is run again or taken back with dualsync undo ${run}.`;
}

function hasFailed({ collections }: Transferred): boolean {
  return collections.some(({ verdict }) => verdict === "failed");
}

function isVerified({ collections }: Transferred): boolean {
  return collections.every(({ verdict }) => verdict === "verified" || verdict === "defined");
}

function lossesOf({ jobs, lost, lostDocuments }: PlannedRestore, { accept }: RestoreOptions): Losses {
  const losses = new Losses(accept);
  for (const { doubts } of jobs) for (const { key, reason } of doubts) losses.add(key, reason);
  for (const { name, reason } of lost) losses.add(`collection ${name}`, reason);
  for (const { key, reason } of lostDocuments) losses.add(key, reason);
  return losses;
}

function finish(context: RunContext, result: RunReport): number {
  context.reporter.finish(result);
  return result.exitCode;
}

function nothingRestored(planned: PlannedRestore, options: RestoreOptions, started: Date): RunReport {
  const losses = lossesOf(planned, options);
  const cannot =
    losses.counted === 0
      ? ""
      : ` ${losses.counted} ${losses.counted === 1 ? "thing" : "things"} cannot be restored (named above).`;
  return {
    command: RESTORE,
    source: planned.plan.source,
    target: planned.plan.target,
    started,
    ended: new Date(),
    collections: [],
    items: losses.items,
    itemCount: losses.total,
    bytes: 0,
    exitCode: exitCode(options.dryRun ? (losses.counted > 0 ? "incomplete" : "done") : "refused"),
    verdict: `This is the plan; nothing was restored.${cannot} To restore: ${options.nextCommand(planned.asks, planned.at)}`,
  };
}

interface RestoreDone {
  readonly started: Date;
  readonly done: Transferred;
  readonly losses: Losses;
  readonly journal: UndoJournal;
  readonly comparedBy: string;
}

function report(
  { plan }: PlannedRestore,
  { started, done, losses, journal, comparedBy }: RestoreDone,
): RunReport {
  const failed = hasFailed(done);
  return {
    command: RESTORE,
    source: plan.source,
    target: plan.target,
    started,
    ended: new Date(),
    collections: done.collections,
    items: losses.items,
    itemCount: losses.total,
    bytes: done.bytes,
    exitCode: exitCode(failed ? "unverified" : losses.counted > 0 ? "incomplete" : "done"),
    verdict: restoreVerdict(done, losses, { failed, journal, comparedBy }),
  };
}
