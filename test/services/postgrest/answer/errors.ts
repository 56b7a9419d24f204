import pg from "pg";
import type { Answer } from "../../http/delivery.ts";

interface ErrorDetails {
  readonly details?: string | null;
  readonly hint?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer of PostgREST in place of what was asked for. */
export class PostgrestError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: string | null;
  readonly hint: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, more: ErrorDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = more.details ?? null;
    this.hint = more.hint ?? null;
    this.headers = more.headers ?? {};
  }
}

export function parseFailure(what: string, text: string, column: number, details: string): PostgrestError {
  const message = `"failed to parse ${what} (${text})" (line 1, column ${column})`;
  return new PostgrestError(400, "PGRST100", message, { details });
}

export function errorAnswer(error: unknown, anonymous: boolean): Answer {
  const { status, code, details, hint, message, headers } = asPostgrestError(error, anonymous);
  return {
    status,
    headers: {
      "Content-Type": "application/json; charset=utf-8",
      "Proxy-Status": `PostgREST; error=${code}`,
      ...headers,
    },
    body: JSON.stringify({ code, details, hint, message }),
  };
}

function asPostgrestError(error: unknown, anonymous: boolean): PostgrestError {
  if (error instanceof PostgrestError) return error;
  if (error instanceof pg.DatabaseError && error.code !== undefined) {
    const { code, message, detail, hint } = error;
    return new PostgrestError(statusOf(code, message, anonymous), code, message, {
      details: detail ?? null,
      hint: hint ?? null,
      headers: code === "42501" && anonymous ? { "WWW-Authenticate": "Bearer" } : {},
    });
  }
  const message = "Database client error. Retrying the connection.";
  return new PostgrestError(503, "PGRST001", message, { details: (error as Error).message });
}

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  "53400": 500,
  "57P01": 503,
  "23503": 409,
  "23505": 409,
  "25006": 405,
  "42883": 404,
  "42P01": 404,
  "42P17": 500,
  P0001: 400,
};

const STATUS_OF_CLASS: Readonly<Record<string, number>> = {
  ...{ "08": 503, "53": 503, "54": 500, "55": 500, "57": 500, "58": 500 },
  ...{ "09": 500, "0L": 403, "0P": 403, "25": 500, "28": 403, "2D": 500 },
  ...{ "38": 500, "39": 500, "3B": 500, "40": 500, F0: 500, HV: 500, P0: 500, XX: 500 },
};

function statusOf(code: string, message: string, anonymous: boolean): number {
  if (code === "42501") return anonymous ? 401 : 403;
  if (code === "21000") return message.endsWith("requires a WHERE clause") ? 400 : 500;
  return STATUS_OF_CODE[code] ?? STATUS_OF_CLASS[code.slice(0, 2)] ?? 400;
}
