/** A server that has not answered an ordinary command after this many milliseconds is held dead, or the line too thin. */
export const DEADLINE = 120_000;

/** Ends the driver's wait when the time is up; the connection is given up then, and the call may be tried again. */
export async function withDeadline<T>(
  signal: AbortSignal,
  deadline: number,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const ender = new AbortController();
  const end = (): void => ender.abort(signal.reason);
  const late = Object.assign(new Error("no answer in time"), { name: "MongoNetworkTimeoutError" });
  const timer = Number.isFinite(deadline) ? setTimeout(() => ender.abort(late), deadline) : undefined;
  signal.addEventListener("abort", end, { once: true });
  try {
    return await call(ender.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}
