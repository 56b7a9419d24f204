import { setMaxListeners } from "node:events";
import { DualsyncError } from "../../model/errors.ts";

interface StoppableRun {
  readonly signal: AbortSignal;
  /** Stops the whole run: called with the first failure. */
  readonly stop: (error: unknown) => void;
}

/**
 * Does the work of one collection. What is the matter with this collection alone ends its work, all of which has come to
 * rest by then, and is handed to `onFailure`; every other failure ends the run, as before.
 */
export async function oneCollection<T extends StoppableRun, R>(
  run: T,
  work: (own: T) => Promise<R>,
  onFailure: (error: DualsyncError) => R | Promise<R>,
): Promise<R> {
  const ender = new AbortController();
  const signal = AbortSignal.any([run.signal, ender.signal]);
  setMaxListeners(0, signal); // every command in flight listens
  const stop = (error: unknown): void => {
    if (isOfOneCollection(error)) ender.abort(error);
    else run.stop(error);
  };
  try {
    return await work({ ...run, signal, stop });
  } catch (error) {
    run.signal.throwIfAborted();
    const reason: unknown = ender.signal.aborted ? ender.signal.reason : error;
    if (!isOfOneCollection(reason)) throw error;
    return await onFailure(reason);
  }
}

/** Whether one collection alone is the matter. `incomplete`: the store cannot have such a collection at all. */
export function isOfOneCollection(error: unknown): error is DualsyncError {
  return error instanceof DualsyncError && (error.ofOneCollection || error.exit === "incomplete");
}

/**
 * For failures of single collections: a right that is missing for all of them is missing for the store.
 * @throws DualsyncError `denied`, the first of them
 */
export function assertNotAllDenied(failures: readonly DualsyncError[], collections: number): void {
  const denied = failures.filter(({ exit }) => exit === "denied");
  if (denied[0] !== undefined && denied.length === collections) throw denied[0];
}

/** The failure as the reason of a loss: what happened, and what to do about it. */
export function reasonOf({ message, hint }: DualsyncError): string {
  return hint === undefined ? message : `${message} ${hint}`;
}
