/** What a fault says about the line to a server and about what was sent over it. */
import { isSocketFault, shapeOf } from "./faults.ts";

/** Answers of a server, or of what stands before it, that is asked for too much at a time. */
const THROTTLED = new Set([50, 89, 202, 262, 462, 16500]);

/** The server gave up because its time was over: it would be again. */
const OUT_OF_TIME = new Set([50, 262]);

export function isOutOfTime(error: unknown): boolean {
  const { code } = shapeOf(error);
  return code !== undefined && OUT_OF_TIME.has(code);
}

/** Sent, and no answer in time: the server may still be at it. */
export function isLate(error: unknown): boolean {
  return shapeOf(error).name === "MongoNetworkTimeoutError" && !wasNotSent(error);
}

/** The connection was closed while the server had the command. */
export function isBroken(error: unknown): boolean {
  if (isSocketFault(error)) return true;
  const { name } = shapeOf(error);
  return (name === "MongoNetworkError" || name === "PoolClearedOnNetworkError") && !wasNotSent(error);
}

/** No connection could be had, so the server never saw the command. */
export function wasNotSent(error: unknown): boolean {
  const { name, labels } = shapeOf(error);
  if (/^Mongo(ServerSelection|WaitQueueTimeout|PoolCleared)Error$/.test(name)) return true;
  // The driver's own marks of a connection that did not come about, and a server's of a command that it did not begin.
  return labels.includes("HandshakeError") || labels.includes("SystemOverloadedError");
}

/** Less at a time might have gone through. */
export function isOverload(error: unknown): boolean {
  if (isLate(error) || isBroken(error)) return true;
  const { code, labels } = shapeOf(error);
  return (code !== undefined && THROTTLED.has(code)) || labels.includes("SystemOverloadedError");
}
