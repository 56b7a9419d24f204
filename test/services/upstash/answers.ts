import type { Answer } from "../http/delivery.ts";

/** An answer in place of what was asked for. With status 200 it is a failure that only the body tells. */
export function failure(status: number, error: string, headers: Record<string, string> = {}): Answer {
  return answerOf(status, JSON.stringify({ error }), headers);
}

export function answerOf(status: number, body: string, headers: Record<string, string> = {}): Answer {
  return { status, headers: { "Content-Type": "application/json", ...headers }, body };
}

/** 429. `retryAfter`: whole seconds, or the moment when to come again. */
export function tooManyRequests(retryAfter?: number | Date): Answer {
  const value = retryAfter instanceof Date ? retryAfter.toUTCString() : retryAfter;
  const headers: Record<string, string> = value === undefined ? {} : { "Retry-After": String(value) };
  return failure(429, "ERR max requests limit exceeded", headers);
}

/** A failure of the way there, as a page for people. */
export function htmlFailure(status: number, headers: Record<string, string> = {}): Answer {
  const body = `<html>\r\n<head><title>${status}</title></head>\r\n<body><center><h1>${status}</h1></center></body>\r\n</html>\r\n`;
  return { status, headers: { "Content-Type": "text/html", ...headers }, body };
}

/** What commands are refused with. */
export const texts = {
  monthlyQuota: (limit = 500_000) =>
    `ERR max requests limit exceeded. Limit: ${limit}, Usage: ${limit}. See https://upstash.com/docs/redis/troubleshooting/max_requests_limit for details`,
  dailyQuota: (limit = 3_000) =>
    `ERR max daily request limit exceeded. Limit: ${limit}, Usage: ${limit}. See https://upstash.com/docs/redis/troubleshooting/max_daily_request_limit for details`,
  capacityQuota: () => "ERR DB capacity quota exceeded",
  requestSize: (limit: number, actual: number) =>
    `ERR max request size exceeded. Limit: ${limit} bytes, Actual: ${actual} bytes. See https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded for details`,
  keySize: (limit: number, actual: number) =>
    `ERR max key size exceeded. Limit: ${limit} bytes, Actual: ${actual} bytes`,
  wrongToken: () => "WRONGPASS invalid or missing auth token",
  wrongType: () => "WRONGTYPE Operation against a key holding the wrong kind of value",
  noPermission: (name: string) =>
    `NOPERM this user has no permissions to run the '${name.toLowerCase()}' command or its subcommand`,
  notAvailable: (name: string) =>
    `ERR Command is not available: '${name}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details`,
  notOverRest: (name: string) =>
    `ERR Command "${name}" is not allowed in REST or it has a special context path`,
} as const;
