import { MessageChannel } from "node:worker_threads";

/**
 * Buffers up to this size may be pieces of memory that others use too (Node's own pool, a chunk read from a socket);
 * larger ones were made for one message.
 */
const SHARED_BYTES = 256 * 1024;

/** A port that nobody listens to: what is handed over to it is freed. */
const drain = (() => {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.unref();
  return port1;
})();

/**
 * Frees the memory behind `bytes` now, where it is large and theirs alone; `bytes` is empty afterwards. Left to the
 * garbage collector, megabytes that pass through make it walk the whole heap again and again: a third of the time.
 */
export function free(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength > SHARED_BYTES) drain.postMessage(null, [buffer]);
}
