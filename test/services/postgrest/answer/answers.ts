import type { Answer } from "../../http/delivery.ts";

/** Answers that come from what stands before PostgREST, and a few of its own that are hard to provoke. */

function json(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { "Content-Type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(body),
  };
}

/** 429. `retryAfter`: whole seconds, or the moment when to come again. */
export function tooManyRequests(retryAfter?: number | Date): Answer {
  const value = retryAfter instanceof Date ? retryAfter.toUTCString() : retryAfter;
  const headers: Record<string, string> = value === undefined ? {} : { "Retry-After": String(value) };
  return json(429, { message: "Too many requests" }, headers);
}

/** A failure of the way there, as a page for people. */
export function htmlFailure(status: number): Answer {
  const body = `<html>\r\n<head><title>${status}</title></head>\r\n<body><center><h1>${status}</h1></center></body>\r\n</html>\r\n`;
  return { status, headers: { "Content-Type": "text/html" }, body };
}

/** A failure of the way there, as JSON. */
export function jsonFailure(status: number, headers: Record<string, string> = {}): Answer {
  return json(status, { message: "An invalid response was received from the upstream server" }, headers);
}

/** The project has used up what its plan allows. */
export function quotaExceeded(): Answer {
  const message =
    "Service for this project is restricted due to the following violations: exceed_egress_quota.";
  return json(402, { message });
}

export function paused(): Answer {
  return json(540, { message: "Project paused" });
}

/** A refusal without a word. */
export function unauthorized(): Answer {
  return { status: 401, headers: {}, body: "" };
}

export function schemaCacheLoading(retryAfter = 1): Answer {
  const message = "Could not query the database for the schema cache. Retrying.";
  return postgrest(503, "PGRST002", message, { "Retry-After": String(retryAfter) });
}

export function poolTimeout(): Answer {
  return postgrest(504, "PGRST003", "Timed out acquiring connection from connection pool.");
}

export function statementTimeout(): Answer {
  return postgrest(500, "57014", "canceling statement due to statement timeout");
}

export function expiredKey(): Answer {
  return postgrest(401, "PGRST303", "JWT expired", {
    "WWW-Authenticate": 'Bearer error="invalid_token", error_description="JWT expired"',
  });
}

export function redirect(location: string, status = 307): Answer {
  return { status, headers: { Location: location }, body: "" };
}

function postgrest(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Answer {
  const body = { code, details: null, hint: null, message };
  return json(status, body, { "Proxy-Status": `PostgREST; error=${code}`, ...headers });
}
