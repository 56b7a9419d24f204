/**
 * The `fetch` that supabase-js is given: all that it sends and receives passes here, whole, unaltered and in time.
 *
 * Exact texts. The SDK reads bodies with JSON.parse and writes values with JSON.stringify, and both round numbers. So
 * - a good answer comes to it without its body: the `data` that it returns is the name under which `texts` holds the
 *   body's exact text;
 * - a value given to it as a string is sent as that exact text: `upsert(text)` sends `text`, not a quoted string.
 * Query parameters that its builders garble or compute from values (`select`, `columns`, …) travel to this place in
 * the header QUERY, which is never sent.
 */
import { type ExchangeLimits, exchange, type HttpAnswer, timeOf } from "../../http/exchange.ts";
import { repeated } from "../../http/repeated.ts";
import type { RetryPolicy } from "../../wrappers/retry.ts";
import type { ServerPause } from "../../wrappers/server-pause.ts";
import { assertProper, type ExpectedRows, lengthIn } from "./answer.ts";
import { patienceFor } from "./fault.ts";
import { ExactText, type RowTexts } from "./texts.ts";

/** Header whose value, a query string, is put into the address. */
export const QUERY = "dualsync-query";

export interface TransportOptions {
  /** Where PostgREST is, ending in /rest/v1. Nothing is ever sent elsewhere. */
  readonly base: string;
  readonly key: string;
  readonly policy: RetryPolicy;
  readonly pause: ServerPause;
  readonly limits: ExchangeLimits;
  /** Where the bodies of good answers are left. */
  readonly texts: RowTexts;
}

export function transport(options: TransportOptions): typeof fetch {
  const base = new URL(`${options.base}/`);
  return async (input, init = {}) => {
    const signal = init.signal ?? new AbortController().signal;
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname))
      throw new Error("a request left the project's REST address");
    const headers = new Headers(init.headers ?? {});
    for (const [name, value] of new URLSearchParams(headers.get(QUERY) ?? ""))
      url.searchParams.set(name, value);
    headers.delete(QUERY);
    identify(headers, options.key);
    const method = init.method ?? "GET";
    const counted = /\bcount=exact\b/.test(headers.get("prefer") ?? "");
    const body = typeof init.body === "string" ? unwrapped(init.body) : undefined;
    const request: RequestInit = { method, headers, ...(body !== undefined && { body }) };
    const expected = expectedOf(method, url.pathname.slice(base.pathname.length));
    const answer = await repeated({ ...options, patienceFor, hurries: true }, signal, async () => {
      const received = await exchange(url, request, options.limits, signal);
      assertProper(received, expected, counted);
      return received;
    });
    options.texts.time = timeOf(answer);
    return named(answer, options.texts);
  };
}

/** A secret key is no token: beside `apikey` it would be refused as a malformed one. */
function identify(headers: Headers, key: string): void {
  headers.set("apikey", key);
  if (key.startsWith("sb_")) headers.delete("authorization");
  else headers.set("authorization", `Bearer ${key}`);
}

function expectedOf(method: string, path: string): ExpectedRows {
  if (method === "GET") return path === "" ? "object" : "rows";
  return method === "POST" && path.startsWith("rpc/") ? "value" : "nothing";
}

/** The exact text behind a body that is one JSON string; any other body would have been rounded on its way here. */
function unwrapped(body: string): string {
  const text: unknown = JSON.parse(body);
  if (typeof text !== "string") throw new Error("a value to send is not an exact text");
  // It would be sent as a replacement character.
  if (/\p{Surrogate}/u.test(text)) throw new Error("a text with an unpaired surrogate cannot be sent");
  return text;
}

function named({ status, headers, body }: HttpAnswer, texts: RowTexts): Response {
  const range = headers.get("content-range");
  const name = body.length === 0 ? null : JSON.stringify(texts.keep(new ExactText(body, lengthIn(range))));
  return new Response(name, { status, headers: range === null ? {} : { "content-range": range } });
}
