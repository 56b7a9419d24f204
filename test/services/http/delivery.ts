import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";

/** What a service answers. A string body is sent as UTF-8. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What happens to a request on its way, whatever it asks for. */
export interface Disturbance {
  /** It gets this, and nothing is executed. */
  readonly answer?: Answer;
  /** The connection is reset, before anything is executed or after ("lost-reply"). */
  readonly reset?: "before" | "lost-reply";
  /** There is never an answer and nothing is executed; or it is executed, and the body stops after so many bytes. */
  readonly stall?: "before" | { readonly after: number };
  /** The connection ends after so many bytes of a body that was announced by its length, or came in chunks. */
  readonly cut?: { readonly after: number; readonly chunked?: boolean };
  /** The body comes in pieces of so many bytes, one in so many ms. */
  readonly drip?: { readonly bytes: number; readonly ms: number };
  /** It is executed so many ms later. */
  readonly delay?: number;
}

/** The answer with its body in gzip. */
export function compressed({ status, headers, body }: Answer): Answer {
  if (body === undefined || body.length === 0) return { status, headers };
  return { status, headers: { ...headers, "Content-Encoding": "gzip" }, body: gzipSync(body) };
}

/** Sends an answer, the way that `effect` tells; gives how many bytes of its body: none in reply to a HEAD. */
export async function deliver(
  response: ServerResponse,
  { status, headers, body }: Answer,
  { stall, cut, drip }: Disturbance,
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

/** Ends the connection without an answer. */
export function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
