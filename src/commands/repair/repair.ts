/** Repairs a copy from a plan that diff wrote. */

import type { CollectionInfo } from "../../connectors/collection.ts";
import type { WriteSession } from "../../connectors/contract.ts";
import { assertDifferentStores } from "../../core/plan/guards.ts";
import { applyRepair } from "../../core/repair/apply-repair.ts";
import { type PlanHead, type PlanRow, RepairPlanReader } from "../../core/repair/repair-plan.ts";
import type { RepairResult } from "../../core/repair/repair-result.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { ChangePlan } from "../../model/reporter.ts";
import { minute } from "../../reporting/text/time-window.ts";
import { readLines } from "../../state/files/read-lines.ts";
import type { RunContext } from "../command.ts";
import { savedSentence } from "../run/backup-notice.ts";
import { assertConfirmed } from "../run/confirm.ts";
import { journaled } from "../run/journal.ts";
import { withSession } from "../run/session.ts";
import { type Stores, withStores } from "../run/stores.ts";
import { InterruptedReplacements } from "./interrupted-replacements.ts";
import { assertSafe } from "./repair-guard.ts";
import type { RepairOptions } from "./repair-options.ts";
import { repairReport } from "./repair-report.ts";

/** Reads the plan, shows it, asks, repairs. @returns the exit status; @throws DualsyncError when it cannot be done */
export async function repair(options: RepairOptions, context: RunContext): Promise<number> {
  const started = new Date();
  const plan = await RepairPlanReader.read(() => readLines(options.path), options.name);
  assertPlanOf(plan.head, options);
  if (plan.changes.size === 0)
    context.reporter.note(`${options.name} lists no document: there is nothing to repair.`);
  const shown = changePlan(options, plan);
  return await withStores(options, context.signal, async (stores) => {
    const { signal } = context;
    await assertSafe({ ...stores, signal }, plan, options);
    if (options.dryRun) {
      context.reporter.changePlan(shown);
      return finish(
        options,
        context,
        await applyRepair({ ...stores, session: undefined, signal }, plan, options),
        started,
      );
    }
    return await withSession(stores.target, "repair", stores.source.label, context, async (writing) => {
      await assertDifferentStores(stores.source, writing.session, writing.signal);
      context.reporter.changePlan(shown);
      await assertAllowed(options, shown, context);
      return await work(
        { stores, plan, session: writing.session, signal: writing.signal, started },
        options,
        context,
      );
    });
  });
}

interface RepairSetup {
  readonly stores: Stores;
  readonly plan: RepairPlanReader;
  readonly session: WriteSession;
  readonly signal: AbortSignal;
  readonly started: Date;
}

async function work(
  { stores, plan, session, signal, started }: RepairSetup,
  options: RepairOptions,
  context: RunContext,
): Promise<number> {
  const head = {
    run: context.runId,
    command: "repair",
    target: stores.target.label,
    source: stores.source.label,
    started,
  };
  const taken = await InterruptedReplacements.of(options.cwd, stores.target.label);
  const isInterruptedReplacement = ({ id, source, target }: PlanRow, collection: CollectionInfo): boolean =>
    source !== undefined &&
    target !== undefined &&
    taken.has({ collection, id, before: target.sha256, after: source.sha256 });
  return await journaled(options.cwd, head, context, async (journal) => {
    const result = await applyRepair(
      { ...stores, session, signal, journal, isInterruptedReplacement },
      plan,
      options,
    );
    await journal.complete();
    return finish(options, context, result, started, savedSentence(journal));
  });
}

function finish(
  options: RepairOptions,
  context: RunContext,
  result: RepairResult,
  started: Date,
  saved: readonly string[] = [],
): number {
  const report = repairReport(options, result, started, saved);
  context.reporter.changed(report);
  return report.exitCode;
}

function assertPlanOf(head: PlanHead, { name, from, to }: RepairOptions): void {
  if (head.source === from.label && head.target === to.label) return;
  throw new DualsyncError(
    "refused",
    `${name} was made for ${head.source} and its copy ${head.target}, not for ${from.label} and ${to.label}.`,
    {
      hint: "Nothing was changed. Give the stores of the plan with --from and --to, or write a plan for these two.",
    },
  );
}

function changePlan(options: RepairOptions, { head, changes }: RepairPlanReader): ChangePlan {
  const removals = [...changes.values()].some(({ remove }) => remove > 0);
  return {
    command: "repair",
    source: head.source,
    target: head.target,
    collections: [...changes].map(([collection, { insert, replace, remove }]) => ({
      collection,
      insert,
      replace,
      remove: options.delete ? remove : 0,
    })),
    notes: [
      `The plan is from comparison ${head.run} of ${minute(head.created)} UTC. Each document is read again; what changed since is left alone.`,
      ...(removals && !options.delete ? ["Documents only in the copy are kept; --delete removes them."] : []),
      "What is replaced or removed is saved first: dualsync undo puts it back.",
    ],
    dryRun: options.dryRun,
  };
}

async function assertAllowed(options: RepairOptions, plan: ChangePlan, context: RunContext): Promise<void> {
  if (options.yes || plan.collections.length === 0) return;
  await assertConfirmed(context, {
    question: `Apply the plan to ${plan.target}?`,
    nobody: "repair changes documents: confirmation needed, but there is no terminal.",
    hint: "Look at the changes with --dry-run; add --yes to confirm.",
  });
}
