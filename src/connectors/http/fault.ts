/** Why a request was not answered as it should be: facts only, never a server's own words. */

/**
 * `network`: no connection, or it broke. `late`: no whole answer in time. `cut`: the answer ended early. `garbled`: not
 * an answer of the service, as a page for people. `redirect`: sent elsewhere, which is never followed. `too-big`: more
 * than is held in memory. `status`: refused, with an HTTP status or a code that says so. `no-count`: no exact number where
 * one was asked for.
 */
export type FaultReason =
  | "network"
  | "late"
  | "cut"
  | "garbled"
  | "redirect"
  | "too-big"
  | "status"
  | "no-count";

export interface FaultFacts {
  readonly reason: FaultReason;
  /** HTTP status; undefined when there was no answer. */
  readonly status?: number;
  /** The service's own code of a refusal, or the system's or TLS library's code of a broken connection. */
  readonly code?: string | undefined;
  /** True when a gateway in front of the service answered. */
  readonly gateway?: boolean;
  /** Milliseconds that the server asked to wait. */
  readonly wait?: number | undefined;
}

export class Fault extends Error {
  override readonly name = "Fault";
  readonly reason: FaultReason;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly gateway: boolean;
  readonly wait: number | undefined;

  constructor(facts: FaultFacts, cause?: unknown) {
    super([facts.reason, facts.status, facts.code].filter((part) => part !== undefined).join(" "), { cause });
    this.reason = facts.reason;
    this.status = facts.status;
    this.code = facts.code;
    this.gateway = facts.gateway ?? false;
    this.wait = facts.wait;
  }
}

/** The fault behind an error of a connector, or undefined. */
export function faultOf(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  return error instanceof Error && error.cause instanceof Fault ? error.cause : undefined;
}

/** The codes of certificates and TLS: they do not repair themselves. */
export function isOfTls(code: string): boolean {
  return /CERT|SELF_SIGNED|ERR_TLS|ERR_SSL|UNABLE_TO_/.test(code);
}

/** Milliseconds from `now` that a Retry-After asks for: it is a number of seconds or a date. */
export function waitIn(retryAfter: string | null, now: number): number | undefined {
  const text = retryAfter?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
