import { askedWait, type HttpAnswer } from "../../http/exchange.ts";
import { Fault } from "../../http/fault.ts";

/**
 * What a proper answer is. `rows`: a JSON array, of which only the ends are looked at: whoever reads it finds every fault
 * within, and how many rows it has. `object`: a JSON object.
 * `value`: any JSON, or nothing. `nothing`: a write was done and nothing is said of it.
 */
export type ExpectedRows = "rows" | "object" | "value" | "nothing";

const STATUSES: Readonly<Record<ExpectedRows, readonly number[]>> = {
  rows: [200, 206],
  object: [200],
  value: [200, 204],
  nothing: [200, 201, 204],
};

const [OPEN_BRACKET, CLOSE_BRACKET] = [0x5b, 0x5d];

/** Not 300: PostgREST has an error of that status. */
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Throws a Fault unless the answer is whole, of the expected kind, and PostgREST's own. */
export function assertProper(answer: HttpAnswer, expected: ExpectedRows, counted: boolean): void {
  const { status, headers, body } = answer;
  if (status < 200 || status > 299) throw refusal(answer);
  if (!STATUSES[expected].includes(status)) throw new Fault({ reason: "garbled", status });
  const range = headers.get("content-range");
  // A gateway's page, or its empty answer, says nothing about rows.
  if (expected === "nothing" && (body.length > 0 || range === null))
    throw new Fault({ reason: "garbled", status });
  if (counted && totalIn(range) === undefined) throw new Fault({ reason: "no-count", status });
  if (expected === "nothing") return;
  if (body.length === 0 && expected === "value") return;
  mustBeJson(answer);
  if (expected === "rows") {
    if (body.length > 0 && body[0] !== OPEN_BRACKET) throw new Fault({ reason: "garbled", status });
    if (body.at(-1) !== CLOSE_BRACKET) throw new Fault({ reason: "cut", status });
    return;
  }
  const found = parsed(answer);
  if (expected === "object" && (typeof found !== "object" || found === null || Array.isArray(found)))
    throw new Fault({ reason: "garbled", status });
}

function mustBeJson({ status, headers }: HttpAnswer): void {
  const type = headers.get("content-type") ?? "";
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) throw new Fault({ reason: "garbled", status });
}

/** Only to see that the text is whole: its numbers are rounded here. */
function parsed({ status, body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Fault({ reason: "cut", status });
  }
}

/** How many rows a Content-Range says that the answer holds, if it does. */
export function lengthIn(range: string | null): number | undefined {
  const found = /^(\d{1,15})-(\d{1,15})\//.exec(range ?? "");
  if (found === null) return range?.startsWith("*/") === true ? 0 : undefined;
  return Number(found[2]) - Number(found[1]) + 1;
}

/** The total that a Content-Range gives, if it gives one. */
export function totalIn(range: string | null): number | undefined {
  const found = /^(?:\*|\d{1,15}-\d{1,15})\/(\d{1,15})$/.exec(range ?? "");
  return found === null ? undefined : Number(found[1]);
}

function refusal(answer: HttpAnswer): Fault {
  const { status, headers, body } = answer;
  if (REDIRECTS.has(status)) return new Fault({ reason: "redirect", status });
  const proxy = headers.get("proxy-status") ?? "";
  const spoken = codeIn(body.toString("utf8"));
  const code = spoken ?? asCode(/^PostgREST; error=([\w]+)/i.exec(proxy)?.[1]);
  return new Fault({
    reason: "status",
    status,
    gateway: spoken === undefined && !/^PostgREST\b/i.test(proxy),
    code,
    wait: askedWait(answer),
  });
}

/** The code alone: `message`, `details` and `hint` hold values of rows. */
function codeIn(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return asCode(
      typeof body === "object" && body !== null ? (body as { readonly code?: unknown }).code : undefined,
    );
  } catch {
    return undefined;
  }
}

function asCode(code: unknown): string | undefined {
  return typeof code === "string" && /^(?:[0-9A-Z]{5}|PGRST[0-9A-Z]{3})$/.test(code) ? code : undefined;
}
