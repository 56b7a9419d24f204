/** Mends a copy by a plan that diff has written. */

import { mustDiffer } from "../core/guard.ts";
import { type Mended, mend } from "../core/mend.ts";
import { isHead, type PlanHead, type PlanRow, type RepairAction, readPlan } from "../core/repair-plan.ts";
import { DualsyncError } from "../errors.ts";
import type { ChangePlan } from "../reporting/reporter.ts";
import { minute } from "../reporting/time-window.ts";
import { readLines } from "../state/read-lines.ts";
import type { RunContext } from "./command.ts";
import { journaled } from "./journaled.ts";
import type { RepairOptions } from "./repair-flags.ts";
import { repairReport } from "./repair-report.ts";
import { savedSentence } from "./saved-first.ts";
import { type Stores, withStores } from "./stores.ts";
import { underLease } from "./under-lease.ts";

/** Reads the plan, shows it, asks, mends. @returns the exit status; @throws DualsyncError when it cannot be done */
export async function repair(options: RepairOptions, context: RunContext): Promise<number> {
  const started = new Date();
  const { head, counts } = await readWhole(options);
  mustBeOf(head, options);
  const plan = changePlan(options, head, counts);
  if (options.dryRun || counts.size === 0) {
    context.reporter.changePlan(plan);
    if (counts.size === 0)
      context.reporter.note(`${options.name} names no document: there is nothing to mend.`);
  }
  return await withStores(options, context.signal, async (stores) => {
    if (options.dryRun) {
      const mended = await mend(
        { ...stores, signal: context.signal, dryRun: true },
        planOf(options),
        options,
      );
      return finish(options, context, mended, started);
    }
    return await underLease(
      stores.target,
      "repair",
      stores.source.label,
      context,
      async ({ lease, signal }) => {
        await mustDiffer(stores.source, lease, signal);
        context.reporter.changePlan(plan);
        await mustBeAllowed(options, plan, context);
        return await work(stores, options, context, signal, started);
      },
    );
  });
}

async function work(
  stores: Stores,
  options: RepairOptions,
  context: RunContext,
  signal: AbortSignal,
  started: Date,
): Promise<number> {
  const head = {
    run: context.runId,
    command: "repair",
    target: stores.target.label,
    source: stores.source.label,
    started,
  };
  return await journaled(options.cwd, head, context, async (journal) => {
    const mended = await mend({ ...stores, signal, journal }, planOf(options), options);
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

type Counts = Map<string, Record<RepairAction, number>>;

/** Reads the plan to its end before anything is done by it: a damaged one does nothing. */
async function readWhole(options: RepairOptions): Promise<{ head: PlanHead; counts: Counts }> {
  let head: PlanHead | undefined;
  const counts: Counts = new Map();
  for await (const part of readPlan(readLines(options.path), options.name)) {
    if (isHead(part)) {
      head = part;
      continue;
    }
    const count = counts.get(part.targetCollection) ?? { insert: 0, replace: 0, remove: 0 };
    count[part.do]++;
    counts.set(part.targetCollection, count);
  }
  if (head === undefined) throw new DualsyncError("bug", "A plan without a head was read.");
  return { head, counts };
}

/** The plan's lines, again from the beginning each time. */
function planOf(options: RepairOptions): () => AsyncGenerator<PlanRow> {
  return async function* () {
    for await (const part of readPlan(readLines(options.path), options.name)) if (!isHead(part)) yield part;
  };
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

function changePlan(options: RepairOptions, head: PlanHead, counts: Counts): ChangePlan {
  const removals = [...counts.values()].some(({ remove }) => remove > 0);
  return {
    command: "repair",
    source: head.source,
    target: head.target,
    collections: [...counts].map(([collection, { insert, replace, remove }]) => ({
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
  if (context.confirm === undefined) {
    throw new DualsyncError("refused", "repair changes documents, and nobody can be asked here.", {
      hint: "Nothing was changed. Add --yes when that is meant; --dry-run shows what would be done.",
    });
  }
  if (await context.confirm(`Change ${plan.target} as the plan says?`)) return;
  context.signal.throwIfAborted();
  throw new DualsyncError("refused", "Not confirmed.", { hint: "Nothing was changed." });
}
