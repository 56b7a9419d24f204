/** Copies a MongoDB database to another one and proves the copy. */
import { setMaxListeners } from "node:events";
import { hostname } from "node:os";
import type { Filled, Lease, Run, Target } from "../connectors/connector.ts";
import { openStore, type StoreAddress } from "../connectors/index.ts";
import { Budget } from "../core/budget.ts";
import { mustDiffer } from "../core/guard.ts";
import type { VerifyMode } from "../core/job.ts";
import { Losses } from "../core/losses.ts";
import { makePlan, type PlannedJob, type Wanted } from "../core/plan.ts";
import { type Transferred, transferAll } from "../core/transfer.ts";
import { DualsyncError, exitCode } from "../errors.ts";
import type { Plan, RunReport } from "../reporting/reporter.ts";
import type { RunContext } from "./command.ts";
import { verdictOf } from "./verdict.ts";

/** Bytes of documents that may be on their way to the target at once. */
const BYTES_IN_FLIGHT = 32_000_000;

export interface DuplicateOptions {
  readonly from: StoreAddress;
  readonly to: StoreAddress;
  /** Given to the plan: include, exclude, renames, filters. */
  readonly wanted: Wanted;
  /** Patterns of --include and --exclude that choose no collection of these names. */
  readonly unmatched: (names: readonly string[]) => readonly string[];
  readonly verify: VerifyMode;
  readonly delete: boolean;
  readonly indexes: boolean;
  readonly batchSize?: number;
  readonly concurrency: number;
  readonly retries?: number;
  readonly accept: readonly string[];
  readonly dryRun: boolean;
  readonly yes: boolean;
}

interface Stores {
  readonly source: Target;
  readonly target: Target;
}

/** Plans, asks where it must, copies, verifies. @returns the exit status; @throws DualsyncError when the run cannot end well */
export async function duplicate(options: DuplicateOptions, context: RunContext): Promise<number> {
  const started = new Date();
  return await withStores(options, context.signal, async (stores) => {
    const { plan, jobs } = await planRun(stores, options, context);
    context.reporter.plan(plan);
    if (options.dryRun) return finish(context, dryReport(plan, started));
    await mustBeAllowed(options, plan, context);
    const losses = new Losses(options.accept);
    const done = await underLease(stores, context, (signal, stop) => {
      const size = options.batchSize === undefined ? {} : { batchSize: options.batchSize };
      const { verify, indexes, concurrency } = options;
      const transfer = {
        ...stores,
        verify,
        indexes,
        concurrency,
        delete: options.delete,
        losses,
        budget: new Budget(BYTES_IN_FLIGHT),
        signal,
        stop,
        note: (message: string) => context.reporter.note(message),
        ...size,
      };
      return transferAll(transfer, jobs, context.reporter);
    });
    return finish(context, report(plan, started, done, losses, options));
  });
}

/** Opens both stores at once and closes them whatever happens. */
async function withStores<T>(
  options: DuplicateOptions,
  signal: AbortSignal,
  work: (stores: Stores) => Promise<T>,
): Promise<T> {
  const retries = options.retries === undefined ? {} : { retries: options.retries };
  const opening = [
    openStore(options.from, { role: "source", signal, ...retries }),
    openStore(options.to, { role: "target", signal, ...retries }),
  ] as const;
  try {
    const [source, target] = await Promise.all(opening);
    return await work({ source, target });
  } finally {
    for (const opened of await Promise.allSettled(opening)) {
      if (opened.status === "fulfilled") await opened.value.close();
    }
  }
}

async function planRun(
  stores: Stores,
  options: DuplicateOptions,
  context: RunContext,
): Promise<{ plan: Plan; jobs: PlannedJob[] }> {
  const [source, target] = await Promise.all([
    stores.source.list(context.signal),
    stores.target.list(context.signal),
  ]);
  const unmatched = options.unmatched(source.collections.map(({ name }) => name));
  if (unmatched.length > 0) {
    throw new DualsyncError(
      "refused",
      `No collection of the source matches ${unmatched.map((pattern) => JSON.stringify(pattern)).join(", ")}.`,
      {
        hint: "Nothing was changed. Check --include, --exclude and SYNC_EXCLUDED_COLLECTIONS.",
      },
    );
  }
  return makePlan(source, target, options.wanted, {
    command: "duplicate",
    source: stores.source.label,
    target: stores.target.label,
    delete: options.delete,
    dryRun: options.dryRun,
    notes: notes(options),
  });
}

function notes(options: DuplicateOptions): string[] {
  const sameServer =
    options.from.uri === options.to.uri || hostOf(options.from.label) === hostOf(options.to.label);
  return [
    ...(sameServer
      ? [
          "Source and target are on the same server: the copy doubles the space there, and is lost together with it.",
        ]
      : []),
    ...(options.verify === "content"
      ? []
      : [`The copy is not read back (--verify ${options.verify}): run without it for a proof.`]),
    ...(options.indexes ? [] : ["Indexes are not built (--no-indexes)."]),
  ];
}

function hostOf(label: string): string {
  return label.slice(0, label.lastIndexOf("/"));
}

/** Removing documents needs a yes. */
async function mustBeAllowed(options: DuplicateOptions, plan: Plan, context: RunContext): Promise<void> {
  if (!options.delete || options.yes) return;
  if (context.confirm === undefined) {
    throw new DualsyncError(
      "refused",
      "--delete removes documents from the target, and nobody can be asked here.",
      {
        hint: "Nothing was changed. Add --yes when that is meant; --dry-run shows the plan.",
      },
    );
  }
  if (await context.confirm(`Remove from ${plan.target} what ${plan.source} no longer has?`)) return;
  context.signal.throwIfAborted();
  throw new DualsyncError("refused", "Not confirmed.", { hint: "Nothing was changed." });
}

/** Holds the target's lease around the work, and proves before it that the two stores are two. */
async function underLease(
  stores: Stores,
  context: RunContext,
  work: (signal: AbortSignal, stop: (error: unknown) => void) => Promise<Transferred>,
): Promise<Transferred> {
  const run = {
    id: context.runId,
    command: "duplicate",
    host: hostname(),
    pid: process.pid,
    from: stores.source.label,
  };
  const lease: Lease = await stores.target.claim(run, context.signal);
  const stopper = new AbortController();
  setMaxListeners(0, stopper.signal); // every command in flight listens
  const stop = (error: unknown): void => stopper.abort(error);
  const onAbort = (): void => stop(context.signal.reason);
  const onLost = (): void => stop(lease.lost.reason);
  context.signal.addEventListener("abort", onAbort, { once: true });
  lease.lost.addEventListener("abort", onLost, { once: true });
  try {
    await mustDiffer(stores.source, lease, context.signal);
    const done = await work(stopper.signal, stop);
    await lease.record(filledBy(run, done));
    return done;
  } finally {
    context.signal.removeEventListener("abort", onAbort);
    lease.lost.removeEventListener("abort", onLost);
    // However the run ended, that is its end: a lease that cannot be given back runs out by itself.
    await lease.release().catch((error: unknown) => {
      context.reporter.warn(
        `The right to write could not be given back; it ends by itself within a minute. ${(error as Error).message}`,
      );
    });
  }
}

function filledBy(run: Run, { collections }: Transferred): Filled {
  const verified = collections.every(({ verdict }) => verdict === "verified" || verdict === "defined");
  const documents = new Map(collections.map(({ target, read, setAside }) => [target, read - setAside]));
  return { command: run.command, from: run.from, run: run.id, verified, documents };
}

function finish(context: RunContext, result: RunReport): number {
  context.reporter.finish(result);
  return result.exitCode;
}

/** What every report of a run begins with. */
function heading({ command, source, target }: Plan, started: Date) {
  return { command, source, target, started, ended: new Date() };
}

function dryReport(plan: Plan, started: Date): RunReport {
  const verdict = "Dry run: nothing was written. Run the same command without --dry-run to copy.";
  return {
    ...heading(plan, started),
    collections: [],
    items: [],
    itemCount: 0,
    bytes: 0,
    exitCode: 0,
    verdict,
  };
}

function report(
  plan: Plan,
  started: Date,
  done: Transferred,
  losses: Losses,
  options: DuplicateOptions,
): RunReport {
  const failed = done.collections.some(({ verdict }) => verdict === "failed");
  const exit = failed
    ? exitCode("unverified")
    : losses.counted > 0
      ? exitCode("set-aside")
      : exitCode("done");
  return {
    ...heading(plan, started),
    collections: done.collections,
    items: losses.items,
    itemCount: losses.total,
    bytes: done.bytes,
    exitCode: exit,
    verdict: verdictOf(done, losses, options.verify, failed),
  };
}
