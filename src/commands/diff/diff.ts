/** Compares a store with its copy, and writes to neither. */
import { setMaxListeners } from "node:events";
import { Comparing } from "../../core/compare/compare.ts";
import type { DiffRun } from "../../core/compare/diff-job.ts";
import { metered } from "../../core/compare/metered.ts";
import { reportUnpaired } from "../../core/compare/pairing/unpaired.ts";
import { DiffCheckpoint } from "../../core/compare/progress/diff-checkpoint.ts";
import { type Memory, memoryToJson } from "../../core/compare/progress/diff-history.ts";
import { planCollection, RepairPlanWriter } from "../../core/repair/repair-plan.ts";
import type { DiffReport } from "../../model/reporter.ts";
import { WholeFile } from "../../state/files/whole-file.ts";
import type { RunContext } from "../command.ts";
import { copyNotes, withCopy } from "../run/copy-layout.ts";
import type { Stores } from "../run/stores.ts";
import { limitTime } from "../run/time-limit.ts";
import type { DiffOptions } from "./diff-options.ts";
import { reportOf, writeReport } from "./diff-report.ts";
import type { Compared } from "./diff-verdict.ts";
import { Findings } from "./findings.ts";
import { type Remembered, remember } from "./history.ts";
import { comparisonOf, type PairedStores, pairStores } from "./pair-stores.ts";

/** Looks, compares, reports. @returns the exit status; @throws DualsyncError when the comparison cannot be done */
export async function diff(options: DiffOptions, context: RunContext): Promise<number> {
  await options.state.check();
  const started = new Date();
  return await withCopy(options, context.signal, async (stores) => {
    let bytesRead = 0;
    const count = (bytes: number): void => {
      bytesRead += bytes;
    };
    const counted = { source: metered(stores.source, count), target: metered(stores.target, count) };
    const found = await pairStores(counted, options, context);
    const remembered = await remember(options);
    const { copy } = stores;
    const primary = copy?.role === "source" ? stores.target : stores.source;
    const notes = copy === undefined ? [] : await copyNotes(copy, primary.label, context.signal);
    context.reporter.comparison(comparisonOf(options, found, remembered, notes));
    const plan = await openPlan(options, found, context.runId, started);
    try {
      const compared = await compare(counted, options, context, { found, remembered, started, plan });
      const report = reportOf(options, found, { ...compared, bytesRead }, remembered);
      await plan?.commit(report.complete);
      await keep(options, remembered, compared, report, started);
      if (options.report !== undefined) await writeReport(options.report.path, report, context.redactor);
      context.reporter.compared(report);
      return report.exitCode;
    } finally {
      await plan?.discard();
    }
  });
}

async function openPlan(
  options: DiffOptions,
  { pairs }: PairedStores,
  run: string,
  created: Date,
): Promise<RepairPlanWriter | undefined> {
  if (options.plan === undefined) return undefined;
  return await RepairPlanWriter.create(await WholeFile.create(options.plan.path), {
    run,
    created,
    source: options.from.label,
    target: options.to.label,
    collections: pairs.map(planCollection),
  });
}

/** Ended before its end, on purpose. */
class StopEarly extends Error {}

interface DiffSetup {
  readonly found: PairedStores;
  readonly remembered: Remembered;
  readonly started: Date;
  readonly plan: RepairPlanWriter | undefined;
}

async function compare(
  stores: Stores,
  options: DiffOptions,
  context: RunContext,
  { found, remembered, started, plan }: DiffSetup,
): Promise<Omit<Compared, "bytesRead">> {
  const stopper = new AbortController();
  const stop = (error: unknown): void => stopper.abort(error);
  const signal = AbortSignal.any([context.signal, stopper.signal]);
  setMaxListeners(0, signal); // every command in flight listens
  const findings = new Findings({
    reporter: context.reporter,
    accept: options.accept,
    oneWay: options.oneWay,
    seen: remembered.memory.seen,
    maxDiffs: options.maxDiffs,
    plan,
    onLimit: () => stop(new StopEarly("--max-diffs")),
  });
  const since = remembered.resumed?.since ?? started;
  const exact = !options.ignoreFieldOrder && (remembered.resumed?.exact ?? true);
  const checkpoint = new DiffCheckpoint(
    options.state,
    remembered.resumed?.collections ?? [],
    (collections) =>
      memoryToJson({
        ...remembered.memory,
        interrupted: { since, saved: new Date(), exact, collections },
      }),
    stop,
  );
  const report = findings.take.bind(findings);
  const run: DiffRun = {
    source: stores.source,
    target: stores.target,
    concurrency: options.concurrency,
    now: found.now,
    delays: options.delays,
    ignoreFieldOrder: options.ignoreFieldOrder,
    oneWay: options.oneWay,
    values: options.values,
    renames: found.renames,
    indexes: options.indexes,
    signal,
    stop,
    report,
  };
  const comparing = new Comparing(run, found.pairs, checkpoint);
  const clock = limitTime(options.maxMinutes, stop, () => new StopEarly("--max-minutes"));
  let ended: string | undefined;
  let unpaired: Awaited<ReturnType<typeof reportUnpaired>> = [];
  try {
    unpaired = await reportUnpaired(run, found);
    await comparing.all(context.reporter);
  } catch (error) {
    context.signal.throwIfAborted();
    const reason: unknown = stopper.signal.aborted ? stopper.signal.reason : error;
    if (!(reason instanceof StopEarly)) throw reason;
    ended = reason.message;
  } finally {
    clearTimeout(clock);
    await checkpoint.flush();
  }
  for (const key of findings.unused)
    context.reporter.note(`--accept ${JSON.stringify(key)} matches no difference.`);
  return {
    findings,
    collections: [...comparing.collections, ...unpaired],
    ranges: comparing.ranges,
    bytesCompared: comparing.bytes,
    ended,
    since,
    exact,
  };
}

/** What the next comparison needs. One that ran out of time is resumed. */
async function keep(
  options: DiffOptions,
  { memory }: Remembered,
  { ended, findings }: Omit<Compared, "bytesRead">,
  { exitCode, verdict, collections }: DiffReport,
  started: Date,
): Promise<void> {
  if (ended === "--max-minutes") return;
  const documents = collections.reduce((sum, { sourceDocuments }) => sum + sourceDocuments, 0);
  const past = { started, ended: new Date(), exitCode, documents, differences: findings.counted, verdict };
  // What was not looked at this time is not known to be gone.
  const whole = ended === undefined && !options.selective;
  const seen = whole ? findings.seen : new Map([...memory.seen, ...findings.seen]);
  const next: Memory = { seen, past: [past, ...memory.past] };
  await options.state.write(memoryToJson(next));
}
