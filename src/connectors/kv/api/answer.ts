/** The body of an answer: one item for each command. */
import { askedWait, type HttpAnswer } from "../../http/exchange.ts";
import { Fault } from "../../http/fault.ts";
import type { KvReply } from "./commands.ts";
import { codeIn, storeRefusalIn } from "./refusals.ts";

/** What came of one command; `error` holds the service's own words, which are never shown. */
export type KvItem = { readonly result: KvReply } | { readonly error: string };

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Throws a Fault unless the answer is whole and the service's own, and when all of it is refused. */
export function itemsOf(answer: HttpAnswer, count: number): readonly KvItem[] {
  const { status } = answer;
  if (REDIRECTS.has(status)) throw new Fault({ reason: "redirect", status });
  const body = parsed(answer);
  const error = errorIn(body);
  if (status !== 200 || error !== undefined) throw refusal(answer, error);
  if (!Array.isArray(body) || body.length !== count) throw garbled(answer);
  return body.map((item: unknown) => itemOf(item, answer));
}

/** Nothing is carried out: for the store's sake, for that of a command of a transaction, or as the request cannot be read. */
function refusal(answer: HttpAnswer, error: string | undefined): Fault {
  const { status } = answer;
  const wait = askedWait(answer);
  const known = error === undefined ? undefined : storeRefusalIn(error);
  // Also a quota's words may come with a time to wait: then it is over by then.
  if (status === 429 && (known === undefined || wait !== undefined))
    return new Fault({ reason: "status", status, wait });
  if (status === 413) return new Fault({ reason: "status", status, code: "TOOLARGE" });
  // What is used up does not come back for being waited for.
  if (known !== undefined && known !== "too-many-requests")
    return new Fault({ reason: "status", status, code: known });
  const isOfCommands = error !== undefined && (status === 200 || status === 400);
  return new Fault({
    ...{ reason: "status", status, wait },
    code: known ?? (isOfCommands ? codeIn(error) : undefined),
  });
}

function parsed(answer: HttpAnswer): unknown {
  const { status, headers, body } = answer;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    if (status !== 200) return undefined;
    const isJson = /^application\/json\b/i.test(headers.get("content-type") ?? "");
    throw isJson ? new Fault({ reason: "cut", status }) : garbled(answer);
  }
}

function garbled({ status }: HttpAnswer): Fault {
  return new Fault({ reason: "garbled", status });
}

function errorIn(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { error } = body as { readonly error?: unknown };
  return typeof error === "string" ? error : undefined;
}

function itemOf(item: unknown, answer: HttpAnswer): KvItem {
  const error = errorIn(item);
  if (error !== undefined) return { error };
  if (typeof item !== "object" || item === null || !("result" in item)) throw garbled(answer);
  return { result: replyOf(item.result, answer, 0) };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** No command's answer has more lists in lists. */
const DEEPEST = 20;

/** Every text comes in base64, but for the OK of a command that has no other answer. */
function replyOf(value: unknown, answer: HttpAnswer, depth: number): KvReply {
  if (value === null || typeof value === "number") return value;
  if (value === "OK") return Buffer.from(value);
  if (typeof value === "string" && value.length % 4 === 0 && BASE64.test(value))
    return Buffer.from(value, "base64");
  if (Array.isArray(value) && depth < DEEPEST)
    return value.map((one: unknown) => replyOf(one, answer, depth + 1));
  throw garbled(answer);
}
