import { setMaxListeners } from "node:events";
import type { Lease, Run, Target } from "../../connectors/contract.ts";
import { DualsyncError } from "../../model/errors.ts";
import { isDead, thisProcess } from "../../state/process/process-identity.ts";
import type { RunContext } from "../command.ts";

/** A run that may write, until `signal` ends it. */
export interface Writing {
  readonly lease: Lease;
  /** Ends every wait: the person, the lease, the time or a failure anywhere in the run stops it. */
  readonly signal: AbortSignal;
  /** Ends the run; the first reason counts. */
  readonly stop: (error: unknown) => void;
}

/** Holds the target's lease around the work, and gives it back however that ends. */
export async function underLease<T>(
  target: Target,
  command: string,
  from: string,
  context: RunContext,
  work: (writing: Writing) => Promise<T>,
): Promise<T> {
  const run: Run = { id: context.runId, command, holder: thisProcess(), from, isGone: isDead };
  const lease = await target.claim(run, context.signal);
  const stopper = new AbortController();
  setMaxListeners(0, stopper.signal); // every command in flight listens
  const stop = (error: unknown): void => stopper.abort(error);
  const onAbort = (): void => stop(context.signal.reason);
  const onLost = (): void => stop(lease.lost.reason);
  context.signal.addEventListener("abort", onAbort, { once: true });
  lease.lost.addEventListener("abort", onLost, { once: true });
  try {
    context.signal.throwIfAborted();
    return await work({ lease, signal: stopper.signal, stop });
  } finally {
    context.signal.removeEventListener("abort", onAbort);
    lease.lost.removeEventListener("abort", onLost);
    // However the run ended, that is its end: a lease that cannot be given back runs out by itself.
    await lease.release().catch((error: unknown) => {
      const why = error instanceof DualsyncError ? error.message : `${target.label} does not answer.`;
      context.reporter.warn(
        `The right to write could not be given back; it ends by itself within a minute. ${why}`,
      );
    });
  }
}
