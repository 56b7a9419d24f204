/** Mends a copy by a plan that diff has written. */

import type { CollectionInfo } from "../connectors/connector.ts";
import { mustDiffer } from "../core/guard.ts";
import { mend } from "../core/mend/mend.ts";
import type { Mended } from "../core/mend/mended.ts";
import type { PlanHead, PlanRow } from "../core/mend/repair-plan.ts";
import { DualsyncError } from "../errors.ts";
import type { ChangePlan } from "../reporting/reporter.ts";
import { minute } from "../reporting/time-window.ts";
import type { RunContext } from "./command.ts";
import { mustBeConfirmed } from "./confirmed.ts";
import { journaled } from "./journaled.ts";
import { PlanOnDisk } from "./plan-on-disk.ts";
import { mustBeSafe } from "./repair-guard.ts";
import type { RepairOptions } from "./repair-options.ts";
import { repairReport } from "./repair-report.ts";
import { savedSentence } from "./saved-first.ts";
import { type Stores, withStores } from "./stores.ts";
import { TakenOut } from "./taken-out.ts";
import { underLease } from "./under-lease.ts";

/** Reads the plan, shows it, asks, mends. @returns the exit status; @throws DualsyncError when it cannot be done */
export async function repair(options: RepairOptions, context: RunContext): Promise<number> {
  const started = new Date();
  const plan = await PlanOnDisk.read(options.path, options.name);
  mustBeOf(plan.head, options);
  if (plan.changes.size === 0)
    context.reporter.note(`${options.name} names no document: there is nothing to mend.`);
  const shown = changePlan(options, plan);
  return await withStores(options, context.signal, async (stores) => {
    const { signal } = context;
    await mustBeSafe({ ...stores, signal }, plan, options);
    if (options.dryRun) {
      context.reporter.changePlan(shown);
      return finish(
        options,
        context,
        await mend({ ...stores, signal, dryRun: true }, plan, options),
        started,
      );
    }
    return await underLease(stores.target, "repair", stores.source.label, context, async (writing) => {
      await mustDiffer(stores.source, writing.lease, writing.signal);
      context.reporter.changePlan(shown);
      await mustBeAllowed(options, shown, context);
      return await work({ stores, plan, signal: writing.signal, started }, options, context);
    });
  });
}

interface Beginning {
  readonly stores: Stores;
  readonly plan: PlanOnDisk;
  readonly signal: AbortSignal;
  readonly started: Date;
}

async function work(
  { stores, plan, signal, started }: Beginning,
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
  const taken = await TakenOut.of(options.cwd, stores.target.label);
  const isTakenOut = ({ id, source, target }: PlanRow, collection: CollectionInfo): boolean =>
    source !== undefined &&
    target !== undefined &&
    taken.has({ collection, id, before: target.sha256, after: source.sha256 });
  return await journaled(options.cwd, head, context, async (journal) => {
    const mended = await mend({ ...stores, signal, journal, isTakenOut }, plan, options);
    await journal.complete();
    return finish(options, context, mended, started, savedSentence(journal));
  });
}

function finish(
  options: RepairOptions,
  context: RunContext,
  mended: Mended,
  started: Date,
  saved: readonly string[] = [],
): number {
  const report = repairReport(options, mended, started, saved);
  context.reporter.changed(report);
  return report.exitCode;
}

function mustBeOf(head: PlanHead, { name, from, to }: RepairOptions): void {
  if (head.source === from.label && head.target === to.label) return;
  throw new DualsyncError(
    "refused",
    `${name} was made for ${head.source} and its copy ${head.target}, not for ${from.label} and ${to.label}.`,
    {
      hint: "Nothing was changed. Give the stores of the plan with --from and --to, or write a plan for these.",
    },
  );
}

function changePlan(options: RepairOptions, { head, changes }: PlanOnDisk): ChangePlan {
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
      `The plan was made by the comparison ${head.run} of ${minute(head.created)} UTC. Each document is read again: what changed since is left alone.`,
      ...(removals && !options.delete
        ? ["What only the copy has stays there: --delete would remove it."]
        : []),
      "What is replaced or removed is saved first: dualsync undo puts it back.",
    ],
    dryRun: options.dryRun,
  };
}

async function mustBeAllowed(options: RepairOptions, plan: ChangePlan, context: RunContext): Promise<void> {
  if (options.yes || plan.collections.length === 0) return;
  await mustBeConfirmed(context, {
    question: `Change ${plan.target} as the plan says?`,
    nobody: "repair changes documents, and nobody can be asked here.",
    hint: "Add --yes when that is meant; --dry-run shows what would be done.",
  });
}
