import type { ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Effect } from "../faults.ts";
import type { Answer } from "./errors.ts";

/** The answer with its body in gzip. */
export function compressed({ status, headers, body }: Answer): Answer {
  if (body === undefined || body.length === 0) return { status, headers };
  return { status, headers: { ...headers, "Content-Encoding": "gzip" }, body: gzipSync(body) };
}

/** Sends an answer, the way that `effect` tells; gives how many bytes of its body: none in reply to a HEAD. */
export async function deliver(
  response: ServerResponse,
  { status, headers, body }: Answer,
  { stall, cut, drip }: Effect,
): Promise<number> {
  const bytes = body === undefined || response.req.method === "HEAD" ? undefined : Buffer.from(body);
  const length = bytes === undefined ? {} : { "Content-Length": bytes.length };
  response.writeHead(status, { ...headers, ...(cut?.chunked === true ? {} : length) });
  if (bytes !== undefined && typeof stall === "object")
    return write(response, bytes.subarray(0, stall.after));
  if (bytes !== undefined && cut !== undefined) {
    const sent = await write(response, bytes.subarray(0, cut.after));
    response.socket?.destroySoon();
    return sent;
  }
  if (bytes !== undefined && drip !== undefined) return pieces(response, bytes, drip);
  response.end(bytes);
  return bytes?.length ?? 0;
}

async function write(response: ServerResponse, bytes: Uint8Array): Promise<number> {
  response.flushHeaders();
  if (bytes.length > 0) await new Promise((done) => response.write(bytes, done));
  return bytes.length;
}

async function pieces(
  response: ServerResponse,
  bytes: Buffer,
  { bytes: step, ms }: { readonly bytes: number; readonly ms: number },
): Promise<number> {
  let sent = 0;
  while (sent < bytes.length && !response.destroyed) {
    sent += await write(response, bytes.subarray(sent, sent + step));
    await wait(ms);
  }
  response.end();
  return sent;
}
