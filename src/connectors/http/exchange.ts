import { isUtf8 } from "node:buffer";
import { Fault, waitIn } from "./fault.ts";

/** Bounds of one request and its answer. */
export interface ExchangeLimits {
  /** Milliseconds from the first byte sent to the last one received. */
  readonly deadline: number;
  /** Milliseconds that a body may stand still. */
  readonly stall: number;
  /** Bytes of a body, after decompression. */
  readonly largestBody: number;
}

/** Gateways give up after 60 seconds by themselves. */
export const DEFAULT_LIMITS: ExchangeLimits = {
  deadline: 60_000,
  stall: 20_000,
  largestBody: 128 * 1024 * 1024,
};

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The whole body, exactly, in UTF-8; never the beginning of one. */
  readonly body: Buffer;
}

/**
 * Sends one request and reads its whole answer, once. Redirects are answers, not followed. Throws a Fault, or the
 * signal's reason when that has ended it.
 */
export async function exchange(
  url: URL,
  init: RequestInit,
  limits: ExchangeLimits,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  signal.throwIfAborted();
  const ender = new AbortController();
  const end = (): void => ender.abort();
  signal.addEventListener("abort", end, { once: true });
  const timer = setTimeout(end, limits.deadline);
  try {
    const response = await fetch(url, { ...init, redirect: "manual", signal: ender.signal });
    const { status, headers } = response;
    return { status, headers, body: await bodyOf(response, ender, limits) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof Fault) throw error;
    throw ender.signal.aborted ? new Fault({ reason: "late" }, error) : broken(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    end(); // nothing of an answer that was given up is received any longer
  }
}

const NO_BYTES = Buffer.alloc(0);

async function bodyOf(response: Response, ender: AbortController, limits: ExchangeLimits): Promise<Buffer> {
  if (response.body === null) return NO_BYTES;
  const timer = setTimeout(() => ender.abort(), limits.stall);
  try {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      timer.refresh();
      size += piece.length;
      if (size > limits.largestBody) throw new Fault({ reason: "too-big", status: response.status });
      pieces.push(piece);
    }
    const body = Buffer.concat(pieces, size);
    if (size !== announced(response.headers, size))
      throw new Fault({ reason: "cut", status: response.status });
    // Bytes that are no UTF-8 would become replacement characters, and so another text.
    if (!isUtf8(body)) throw new Fault({ reason: "cut", status: response.status });
    return body;
  } finally {
    clearTimeout(timer);
  }
}

/** The length of the body by its headers; `size` where they do not say it, or say it of a compressed body. */
function announced(headers: Headers, size: number): number {
  const length = headers.get("content-length");
  return length === null || headers.has("content-encoding") ? size : Number(length);
}

/** `fetch` says "failed"; the reason is in the causes. */
function broken(error: unknown): Fault {
  for (let link: unknown = error, depth = 0; link instanceof Error && depth < 5; link = link.cause, depth++) {
    const { code } = link as { code?: unknown };
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]{2,60}$/.test(code))
      return new Fault({ reason: "network", code }, error);
  }
  return new Fault({ reason: "network" }, error);
}

/** Milliseconds that the server asks to wait, if it does: a date is by its own clock. */
export function askedWait(answer: HttpAnswer): number | undefined {
  return waitIn(answer.headers.get("retry-after"), timeOf(answer)?.getTime() ?? Date.now());
}

/** When it was given, by the server's clock; undefined where it does not say. */
export function timeOf({ headers }: HttpAnswer): Date | undefined {
  const time = new Date(headers.get("date") ?? "");
  return Number.isNaN(time.getTime()) ? undefined : time;
}
