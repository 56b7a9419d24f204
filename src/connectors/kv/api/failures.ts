/** From the fault of a request to the sentence that a person reads: where, what, what to do. */
import { DualsyncError, type ExitName } from "../../../model/errors.ts";
import type { StoreRole } from "../../connector.ts";
import type { Failure } from "../../failure.ts";
import { Fault, faultOf, isOfTls } from "../../http/fault.ts";
import { AGAIN, HTTP_FAILURES } from "../../http/http-failures.ts";
import type { Patience } from "../../http/repeated.ts";
import { commandCodeOf, type StoreRefusal } from "./refusals.ts";

const ADDRESS = "Check the REST URL on the database's page; it looks like https://name.upstash.io.";
const TOKEN =
  "Copy KV_REST_API_TOKEN (or UPSTASH_REDIS_REST_TOKEN) again from the database's page; it belongs to the URL beside it.";
const LATER = "Wait until the quota is renewed, or choose a larger plan on the database's page.";

/** Every sentence that a fault of a KV store can end with, by its name. Names are stable. */
export const FAILURES = {
  "host-unknown": {
    exit: "role",
    says: "The host name of {where} cannot be resolved.",
    means:
      "DNS has no address for the host: it is misspelled, or the database was deleted. Free databases are archived when nobody uses them for weeks.",
    hint: "Check the REST URL on the database's page, whether the database is still there, this machine's DNS and any VPN.",
    passes: true,
  },
  "dns-silent": HTTP_FAILURES["dns-silent"],
  refused: {
    exit: "role",
    says: "Connection refused by {where}.",
    means: "Nothing listens on this port, or a firewall refuses the connection.",
    hint: ADDRESS,
    passes: true,
  },
  tls: HTTP_FAILURES.tls,
  broken: HTTP_FAILURES.broken,
  late: {
    exit: "role",
    says: "No complete answer in time from {where} while trying to {doing}.",
    means: "The service hangs, or the connection is too slow for what was requested.",
    hint: AGAIN,
    passes: true,
  },
  "cut-short": {
    exit: "role",
    says: "The answer of {where} ended early on every attempt to {doing}.",
    means:
      "Something between this machine and the service cuts answers short. A partial answer is never used.",
    hint: `Is there a proxy in between? ${AGAIN}`,
    passes: true,
  },
  "too-big": {
    exit: "role",
    says: "{Where} sent more than dualsync holds in memory when trying to {doing}.",
    means: "The values that were read together are very large.",
    hint: "Nothing needs fixing. Please report it.",
  },
  redirected: {
    exit: "role",
    says: "{Where} redirects requests{detail}. Redirects are not followed, so that the token is sent nowhere else.",
    means: "The address begins with http:// instead of https://, or is not the database's own.",
    hint: ADDRESS,
  },
  "not-understood": {
    exit: "role",
    says: "{Where} does not answer as the REST API of Upstash{detail}.",
    means:
      "It sent a web page, another service's data, or texts without the encoding that was asked for and that keeps every byte.",
    hint: `${ADDRESS} Is there a proxy in between?`,
  },
  "no-api": {
    exit: "role",
    says: "There is no REST API of Upstash at the address of {where}{detail}.",
    means: "The address is another page of the service, has an extra path, or the database is gone.",
    hint: ADDRESS,
  },
  gateway: {
    exit: "role",
    says: "{Where} is not available{detail}.",
    means: "The service, or a gateway in front of it, is down or overloaded, and stayed so.",
    hint: `Check the service's status page. ${AGAIN}`,
    passes: true,
  },
  "too-many-requests": {
    exit: "role",
    reason: "throttled",
    says: "{Where} keeps refusing because of too many requests{detail}.",
    means: "A rate limit is reached, and the service asks to come again later.",
    hint: `${AGAIN} --wait-for-recovery waits for it.`,
    passes: true,
  },
  quota: {
    exit: "role",
    reason: "quota",
    says: "{Where} refuses commands: the month's quota or budget of its plan is used up.",
    means: "The database ran as many commands, or moved as much data, as its plan includes.",
    hint: `${LATER} ${AGAIN}`,
  },
  "quota-daily": {
    exit: "role",
    reason: "quota",
    says: "{Where} refuses commands: the day's quota of its plan is used up.",
    means: "The database ran as many commands today as its plan includes.",
    hint: `${LATER} ${AGAIN}`,
  },
  capacity: {
    exit: "role",
    reason: "quota",
    says: "{Where} is full and accepts no more data.",
    means: "The data is as large as the plan allows. Reading still works, and so does deleting.",
    hint: "Delete keys that are not needed or choose a larger plan. Then run the same command again to resume.",
  },
  "token-refused": {
    exit: "denied",
    says: "{Where} refuses the token{detail}.",
    means: "The token belongs to another database, was copied in part or was reset.",
    hint: TOKEN,
  },
  "token-limited": {
    exit: "denied",
    says: "The token for {where} may not {doing}: it is the read-only token, or its user lacks the right{detail}.",
    means:
      "A read-only token may not write, and it may not list keys either, so that it does not even serve as a source.",
    hint: `Use the standard token, not KV_REST_API_READ_ONLY_TOKEN. ${TOKEN}`,
  },
  denied: {
    exit: "denied",
    says: "{Where} does not allow dualsync to {doing}{detail}.",
    means: "The service, or a firewall in front of it, refuses this token or this machine's address.",
    hint: "Check the token and the addresses that the database's page allows.",
  },
  "answer-lost": {
    exit: "role",
    says: "It is not known whether {where} carried out the attempt to {doing}{detail}: its answer was lost.",
    means: "What was asked for must not be done twice, so that it was not tried again.",
    hint: "Run the same command again: it looks at what is there before it changes anything.",
  },
  "done-in-part": {
    exit: "role",
    says: "{Where} carried out a part of the attempt to {doing} and refused the rest{detail}.",
    means: "What was asked for must not be done twice, so that it was not tried again.",
    hint: "Run the same command again: it looks at what is there before it changes anything.",
  },
  "refused-request": {
    exit: "role",
    says: "{Where} refused to {doing}{detail}.",
    means: "dualsync has no more specific advice for this answer.",
    hint: AGAIN,
  },
} as const satisfies Record<string, Failure>;

export type KvFailure = keyof typeof FAILURES;

/** Where and at what it happened. */
export interface KvFailurePlace {
  readonly role: StoreRole;
  /** Host and path, without credentials. */
  readonly label: string;
  /** What was being tried, as "read keys". */
  readonly doing: string;
}

/** Turns whatever a request failed with into the program's own error; never the service's own text. */
export function toDualsyncError(error: unknown, place: KvFailurePlace): DualsyncError {
  if (error instanceof DualsyncError) return error;
  if (!(error instanceof Fault))
    return new DualsyncError("bug", `Could not ${place.doing}: dualsync itself failed.`, { cause: error });
  return failure(nameOf(error), place, error);
}

/** The error to report. */
export function failure(name: KvFailure, place: KvFailurePlace, fault: Fault): DualsyncError {
  const row: Failure = FAILURES[name];
  const { role, label, doing } = place;
  const exit: ExitName = row.exit === "role" ? role : row.exit;
  const words: Readonly<Record<string, string>> = {
    where: `the ${role} ${label}`,
    Where: `The ${role} ${label}`,
    doing,
    detail: detailOf(fault),
  };
  const known = nameOf(fault);
  // What was done in part was refused for the same reason as what was not done at all.
  const { reason } = FAILURES[known] as Failure;
  return new DualsyncError(
    exit,
    row.says.replace(/\{(\w+)\}/g, (_, word: string) => words[word] ?? ""),
    {
      ...{ hint: row.hint, cause: fault, reason },
      retryable: row.passes === true,
      retryAfter: row.passes === true ? fault.wait : undefined,
    },
  );
}

/** Status and code of the system, where there is one. */
function detailOf({ reason, status, code }: Fault): string {
  const facts = [
    status === undefined || status === 200 ? undefined : `HTTP ${status}`,
    reason === "network" ? code : undefined,
  ].filter((fact) => fact !== undefined);
  return facts.length === 0 ? "" : ` (${facts.join(", ")})`;
}

const BY_REASON: Readonly<Record<Exclude<Fault["reason"], "network" | "status">, KvFailure>> = {
  late: "late",
  cut: "cut-short",
  garbled: "not-understood",
  redirect: "redirected",
  "too-big": "too-big",
  "no-count": "not-understood",
};

function nameOf(fault: Fault): KvFailure {
  const { reason, status = 0, code = "" } = fault;
  if (reason === "network") return connectionName(code);
  if (reason !== "status") return BY_REASON[reason];
  if (code !== "") return commandCodeOf(fault) === undefined ? (code as StoreRefusal) : "refused-request";
  if (status === 429) return "too-many-requests";
  if (status === 401) return "token-refused";
  if (status === 402) return "quota";
  if (status === 403) return "denied";
  if (status === 404 || status === 405 || status === 410) return "no-api";
  return status >= 500 ? "gateway" : "refused-request";
}

function connectionName(code: string): KvFailure {
  if (code === "ENOTFOUND") return "host-unknown";
  if (code === "EAI_AGAIN") return "dns-silent";
  if (code === "ECONNREFUSED") return "refused";
  return isOfTls(code) ? "tls" : "broken";
}

const FEW_STATUS = new Set([408, 425]);

export function patienceFor({ reason, status = 0, code = "" }: Fault): Patience {
  if (reason === "network") return isOfTls(code) ? "none" : code === "ENOTFOUND" ? "few" : "many";
  if (reason === "cut") return "many";
  if (reason === "late") return "few";
  if (reason !== "status") return "none";
  if (code !== "") return code === "too-many-requests" ? "many" : "none";
  if (FEW_STATUS.has(status)) return "few";
  return status >= 500 || status === 429 ? "many" : "none";
}

/** There was no connection. */
const UNREACHED = new Set([
  ...["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"],
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Whether nothing of a request was carried out, for certain, that failed as a whole. */
export function ranNothing({ reason, status = 0, code = "" }: Fault): boolean {
  if (reason === "network") return UNREACHED.has(code) || isOfTls(code);
  if (reason === "redirect") return true;
  return reason === "status" && (code !== "" || (status >= 400 && status < 500 && !FEW_STATUS.has(status)));
}

/** Less may be had: the answer was larger than what is held in memory, or did not come in time. */
export function isTooMuch(error: unknown): boolean {
  const fault = faultOf(error);
  return fault?.reason === "too-big" || fault?.reason === "late";
}
