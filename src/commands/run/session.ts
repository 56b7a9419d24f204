import { setMaxListeners } from "node:events";
import type { Run, Store, WriteSession } from "../../connectors/contract.ts";
import { DualsyncError } from "../../model/errors.ts";
import { isDead, thisProcess } from "../../state/process/process-identity.ts";
import type { RunContext } from "../command.ts";

/** A run that may write, until `signal` ends it. */
export interface WritableRun {
  readonly session: WriteSession;
  /** Ends every wait: the person, the lease, the time or a failure anywhere in the run stops it. */
  readonly signal: AbortSignal;
  /** Ends the run; the first reason counts. */
  readonly stop: (error: unknown) => void;
}

/** This run, as a target comes to know it. */
export function runOf(
  command: string,
  from: string,
  { runId, beginsAgain }: Pick<RunContext, "runId"> & Pick<Run, "beginsAgain">,
): Run {
  return { id: runId, command, holder: thisProcess(), from, beginsAgain, isGone: isDead };
}

/**
 * Holds a store's lease around the work, and releases it however that ends. Who writes to both stores of a pair holds one
 * inside the other and gives the inner one the signal of the outer one: then the inner signal ends with either lease.
 */
export async function withSession<T>(
  store: Store,
  command: string,
  from: string,
  context: Pick<RunContext, "runId" | "signal" | "reporter"> & Pick<Run, "beginsAgain">,
  work: (writing: WritableRun) => Promise<T>,
): Promise<T> {
  const session = await store.claim?.(runOf(command, from, context), context.signal);
  if (session === undefined)
    throw new DualsyncError("refused", `${store.label} is read-only.`, { hint: "Nothing was changed." });
  const stopper = new AbortController();
  setMaxListeners(0, stopper.signal); // every command in flight listens
  const stop = (error: unknown): void => stopper.abort(error);
  const onAbort = (): void => stop(context.signal.reason);
  const onLost = (): void => stop(session.lost.reason);
  context.signal.addEventListener("abort", onAbort, { once: true });
  session.lost.addEventListener("abort", onLost, { once: true });
  try {
    context.signal.throwIfAborted();
    return await work({ session, signal: stopper.signal, stop });
  } finally {
    context.signal.removeEventListener("abort", onAbort);
    session.lost.removeEventListener("abort", onLost);
    // However the run ended, that is its end: a lease that cannot be released runs out by itself.
    await session.release().catch((error: unknown) => {
      const why = error instanceof DualsyncError ? error.message : `${store.label} does not answer.`;
      context.reporter.warn(`Could not release the lock; it expires within a minute. ${why}`);
    });
  }
}
