import { configurationError } from "../../model/configuration-error.ts";

/** What a timer can count: 24 days. A longer one would end at once. */
const MOST_MINUTES = 35_000;

/** Reads --max-minutes. @throws DualsyncError `usage` */
export function minutes(text: string): number {
  const value = /^\d{1,5}(\.\d{1,3})?$/.test(text.trim()) ? Number(text) : 0;
  if (value > 0 && value <= MOST_MINUTES) return value;
  throw configurationError(
    "--max-minutes must be a number of minutes above 0, such as 90 or 0.5, and at most 35000.",
    "Correct it and run again.",
  );
}

/** Calls `stop` with the error when the time is up; clear the timer at the end. Undefined without a limit. */
export function limitTime(
  limit: number | undefined,
  stop: (error: unknown) => void,
  error: (minutes: number) => unknown,
): NodeJS.Timeout | undefined {
  return limit === undefined ? undefined : setTimeout(() => stop(error(limit)), limit * 60_000);
}

/** Gives the work a signal that also ends when the time is up, with the error as its reason. */
export async function withinTime<T>(
  limit: number | undefined,
  signal: AbortSignal,
  error: (minutes: number) => unknown,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (limit === undefined) return await work(signal);
  const ender = new AbortController();
  const timer = limitTime(limit, (reason) => ender.abort(reason), error);
  try {
    return await work(AbortSignal.any([signal, ender.signal]));
  } finally {
    clearTimeout(timer);
  }
}
