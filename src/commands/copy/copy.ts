/** Copies a store into another one and proves the copy. */

import type { Listing } from "../../connectors/collection.ts";
import type { Store } from "../../connectors/contract.ts";
import type { RunRecord } from "../../connectors/powers/run-history.ts";
import { connectorOf } from "../../connectors/registry.ts";
import { withMembers } from "../../connectors/wrappers/with-members.ts";
import { Budget } from "../../core/concurrency/byte-budget.ts";
import { copyOnce } from "../../core/copy/copy-once.ts";
import { keepNewer } from "../../core/copy/keeping.ts";
import { NewerBy } from "../../core/copy/newer.ts";
import { type Transferred, transferAll } from "../../core/copy/transfer.ts";
import { assertDifferentStores } from "../../core/plan/guards.ts";
import { NOT_CHOSEN } from "../../core/plan/plan.ts";
import { SizeLimit } from "../../core/plan/size-limit.ts";
import { weaker } from "../../core/plan/verify-mode.ts";
import { Checkpoint } from "../../core/progress/checkpoint.ts";
import { Losses } from "../../core/progress/losses.ts";
import type { NotCopied } from "../../model/collection.ts";
import { DualsyncError, exitCode } from "../../model/errors.ts";
import type { Plan, RunReport } from "../../model/reporter.ts";
import { minute } from "../../reporting/text/time-window.ts";
import type { UndoJournal } from "../../state/undo/undo-journal.ts";
import type { RunContext } from "../command.ts";
import { savedSentence } from "../run/backup-notice.ts";
import { assertConfirmed } from "../run/confirm.ts";
import { journaled } from "../run/journal.ts";
import { runOf, type WritableRun, withSession } from "../run/session.ts";
import { type Stores, withStores } from "../run/stores.ts";
import { limitTime } from "../run/time-limit.ts";
import { noteUnused } from "../run/unused-acceptances.ts";
import type { CopyingOptions } from "./copy-options.ts";
import { verdictOf } from "./copy-verdict.ts";
import { type PlannedRun, planRun } from "./plan-copy.ts";

/** Bytes of documents that may be on their way to the target at once. */
const BYTES_IN_FLIGHT = 32_000_000;

/** Plans, asks where it must, copies, verifies. @returns the exit status; @throws DualsyncError when the run cannot end well */
export async function copying(options: CopyingOptions, context: RunContext): Promise<number> {
  const started = new Date();
  return await withStores(options, context.signal, async (opened) => {
    const stores = { ...opened, target: asPlanned(opened.target) };
    if (options.dryRun) {
      const planned = await planRun(stores, options, context);
      context.reporter.plan(planned.plan);
      return finish(context, dryReport(planned.plan, started, lossesOf(planned, options)));
    }
    if (stores.target.begin !== undefined) {
      return await copyingOnce(stores, options, context, started).catch((error: unknown) => {
        throw interrupted(error);
      });
    }
    await options.state.check();
    return await withSession(
      stores.target,
      options.command,
      stores.source.label,
      context,
      async (writing) => {
        await assertDifferentStores(stores.source, writing.session, writing.signal);
        if (options.restart) await options.state.remove();
        const planned = await planRun(stores, options, context);
        context.reporter.plan(planned.plan);
        await assertAllowed(options, planned.plan, context);
        const losses = lossesOf(planned, options);
        const head = { run: context.runId, command: options.command, started, ...labelsOf(stores) };
        return await journaled(options.cwd, head, context, async (journal) => {
          const done = await copy(stores, options, context, { planned, losses, started, journal }, writing);
          noteUnused(losses, context);
          const result = report(planned.plan, started, done, losses, options);
          return finish(context, {
            ...result,
            verdict: [result.verdict, ...savedSentence(journal)].join(" "),
          });
        });
      },
    );
  });
}

/** What the plan knows of already. */
function lossesOf({ jobs, lost }: PlannedRun, { accept }: CopyingOptions): Losses {
  const losses = new Losses(accept);
  for (const { doubts } of jobs) for (const { key, reason } of doubts) losses.add(key, reason);
  for (const { name, reason } of lost) losses.add(`collection ${name}`, reason);
  return losses;
}

/** What was published before in a place that is written once is another copy: this one begins with nothing. */
function asPlanned(target: Store): Store {
  if (target.begin === undefined) return target;
  const list = async (): Promise<Listing> => ({ collections: [], notCopied: [] });
  return withMembers(target, { list, history: undefined });
}

/** Into a place that is written once: nothing there is changed, so that nothing need be asked, saved or resumed. */
async function copyingOnce(
  stores: Stores,
  options: CopyingOptions,
  context: RunContext,
  started: Date,
): Promise<number> {
  const planned = await planRun(stores, options, context);
  const { plan, jobs } = planned;
  context.reporter.plan(plan);
  const losses = lossesOf(planned, options);
  const { source, target } = stores;
  const { product, label } = await source.identity(context.signal);
  const { database } = connectorOf(options.from).place(options.from);
  const copied = { kind: options.from.kind, label, product, database };
  const sink = await target.begin?.(runOf(options.command, source.label, context), copied, context.signal);
  if (sink === undefined) throw new DualsyncError("bug", `${target.label} cannot be written to.`);
  const stopper = new AbortController();
  const signal = AbortSignal.any([context.signal, stopper.signal]);
  const stop = (error: unknown): void => stopper.abort(error);
  const clock = limitTime(options.maxMinutes, stop, outOfTimeOnce);
  const { verify, indexes, batchSize } = options;
  const note = (message: string): void => context.reporter.note(message);
  const left = leftOut(planned, losses);
  const redact = (text: string): string => context.redactor.redact(text);
  const how = { verify, indexes, batchSize, losses, left, redact, note };
  const run = { source, sink, label: target.label, ...how, signal, stop };
  try {
    const done = await copyOnce(run, jobs, context.reporter);
    if (options.keep !== undefined) await prune(stores, options.keep, context);
    noteUnused(losses, context);
    return finish(context, report(plan, started, done, losses, options));
  } finally {
    clearTimeout(clock);
  }
}

/** An interrupted run is not resumed here, as it is elsewhere. */
function interrupted(error: unknown): unknown {
  const isAsked = error instanceof DualsyncError && ["interrupted", "terminated"].includes(error.exit);
  if (!isAsked) return error;
  return new DualsyncError(error.exit, error.message, {
    hint: "Nothing of this run was kept, and what was written there before is as it was. Run the same command again to begin anew.",
    cause: error,
  });
}

/** What no run ever copies is not missed, and what a person has accepted to be lost is no loss of a later one. */
function leftOut({ plan, unselected, renames }: PlannedRun, losses: Losses): readonly NotCopied[] {
  const missed = plan.notCopied.filter(({ reason, isLoss }) => isLoss === true || reason === NOT_CHOSEN);
  return [...missed, ...unselected].map(({ name, reason, isLoss }) => {
    const inCopy = { name: renames.get(name) ?? name, reason };
    return isLoss === true && !losses.accepts(`collection ${name}`) ? { ...inCopy, isLoss } : inCopy;
  });
}

/** Only once the new one is whole. */
async function prune({ source, target }: Stores, keep: number, context: RunContext): Promise<void> {
  const { reporter, signal, runId } = context;
  const done = { run: runId, source: source.label };
  const removed = await target.keptCopies?.prune(keep, done, signal).catch((error: unknown) => {
    if (!(error instanceof DualsyncError)) throw error;
    throw new DualsyncError(error.exit, error.message, {
      hint: `The new archive is whole. Earlier ones are whole, too, or were being removed (--keep ${keep}). ${error.hint ?? ""}`.trimEnd(),
      cause: error,
    });
  });
  if (removed === undefined || removed.length === 0) return;
  const times = removed.map(({ since }) => `${minute(since)} UTC`);
  reporter.note(
    `Removed ${removed.length === 1 ? "an earlier archive" : `${removed.length} earlier archives`} of this source (--keep ${keep}): ${times.join(", ")}.`,
  );
}

function labelsOf({ source, target }: Stores): { source: string; target: string } {
  return { source: source.label, target: target.label };
}

/** Removing documents needs a yes. */
async function assertAllowed(options: CopyingOptions, plan: Plan, context: RunContext): Promise<void> {
  if (!options.delete || options.yes) return;
  await assertConfirmed(context, {
    question: `Remove from ${plan.target} what ${plan.source} no longer has?`,
    nobody: "--delete removes documents from the target: confirmation needed, but there is no terminal.",
    hint: "Look at the plan with --dry-run; add --yes to confirm.",
  });
}

interface CopySetup {
  readonly planned: PlannedRun;
  readonly losses: Losses;
  readonly started: Date;
  readonly journal: UndoJournal;
}

/** Moves everything, and remembers on both sides how far it is: here what is done, in the target who does it. */
async function copy(
  stores: Stores,
  options: CopyingOptions,
  context: RunContext,
  { planned, losses, started, journal }: CopySetup,
  { session, signal, stop }: WritableRun,
): Promise<Transferred> {
  const { saved, jobs, used, time = started } = planned;
  const run = {
    command: options.command,
    from: stores.source.label,
    run: context.runId,
    token: saved?.token ?? session.nonce,
    since: saved?.since ?? time,
  };
  const checkpoint = new Checkpoint({
    ...run,
    store: options.state,
    verify: saved === undefined ? options.verify : weaker(saved.verify, options.verify),
    onFailure: stop,
    saved,
  });
  await session.record({ ...run, complete: false, verified: false, documents: new Map() });
  const clock = limitTime(options.maxMinutes, stop, outOfTime);
  const { verify, indexes, concurrency, allowShrink, batchSize, maxTargetSize } = options;
  const newerBy = new NewerBy(options.newerBy === undefined ? undefined : [options.newerBy]);
  const transfer = {
    ...stores,
    session,
    verify,
    indexes,
    concurrency,
    allowShrink,
    newerBy,
    keeping: keepNewer(newerBy),
    losses,
    checkpoint,
    signal,
    stop,
    journal,
    delete: options.delete,
    budget: new Budget(BYTES_IN_FLIGHT),
    note: (message: string) => context.reporter.note(message),
    batchSize,
    sizeLimit: maxTargetSize === undefined ? undefined : new SizeLimit(stores.target, maxTargetSize, used),
  };
  try {
    const done = await transferAll(transfer, jobs, context.reporter);
    await checkpoint.flush();
    signal.throwIfAborted();
    await session.record({ ...run, complete: true, ...proved(done) });
    await journal.complete();
    await options.state.remove();
    if (options.newerBy !== undefined && newerBy.isUnknown)
      context.reporter.note(unknownDate(options.newerBy));
    return done;
  } finally {
    clearTimeout(clock);
    await checkpoint.flush();
  }
}

function unknownDate(field: string): string {
  return `--newer-by ${JSON.stringify(field)}: no document that differs has a date in this field on both sides, so none counted as newer in the copy.`;
}

function outOfTime(minutes: number): DualsyncError {
  return new DualsyncError(
    "inconclusive",
    `Stopped after ${minutes} minutes (--max-minutes): not everything is copied yet.`,
    { hint: "What was copied is kept. Run the same command again within a day to resume." },
  );
}

function outOfTimeOnce(minutes: number): DualsyncError {
  return new DualsyncError(
    "inconclusive",
    `Stopped after ${minutes} minutes (--max-minutes): not everything was written, and nothing of it was kept.`,
    { hint: "What was written there before is as it was. Run the same command again with more time." },
  );
}

function proved({ collections }: Transferred): Pick<RunRecord, "verified" | "documents"> {
  const isVerified = collections.every(({ verdict }) => verdict === "verified" || verdict === "defined");
  return {
    verified: collections.length > 0 && isVerified,
    // Of what is not all there, the changes alone would not make it whole.
    documents: new Map(
      collections
        .filter(({ verdict }) => verdict !== "incomplete" && verdict !== "failed")
        .map(({ target, targetCount, read, rejected }) => [target, targetCount ?? read - rejected]),
    ),
  };
}

function finish(context: RunContext, result: RunReport): number {
  context.reporter.finish(result);
  return result.exitCode;
}

/** What every report of a run begins with. */
function heading({ command, source, target, resumed }: Plan, started: Date) {
  return {
    command,
    source,
    target,
    started,
    ended: new Date(),
    resumed,
  };
}

function dryReport(plan: Plan, started: Date, losses: Losses): RunReport {
  const { counted } = losses;
  const things = counted === 1 ? "1 thing" : `${counted} things`;
  const but = counted === 0 ? "" : ` ${things} cannot be copied (named above).`;
  return {
    ...heading(plan, started),
    collections: [],
    items: losses.items,
    itemCount: losses.total,
    bytes: 0,
    exitCode: exitCode(counted > 0 ? "incomplete" : "done"),
    verdict: `Dry run: nothing was written.${but} Run the same command without --dry-run to copy.`,
  };
}

function report(
  plan: Plan,
  started: Date,
  done: Transferred,
  losses: Losses,
  options: CopyingOptions,
): RunReport {
  const failed = done.collections.some(({ verdict }) => verdict === "failed");
  const exit = failed
    ? exitCode("unverified")
    : losses.counted > 0
      ? exitCode("incomplete")
      : exitCode("done");
  return {
    ...heading(plan, started),
    collections: done.collections,
    items: losses.items,
    itemCount: losses.total,
    bytes: done.bytes,
    exitCode: exit,
    verdict: verdictOf(done, losses, { verify: options.verify, failed, resumed: plan.resumed }),
  };
}
