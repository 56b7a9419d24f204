import type { IncomingHttpHeaders } from "node:http";
import { PostgrestError } from "../answer/errors.ts";

export interface Range {
  readonly offset: number;
  /** Undefined: no end. */
  readonly limit: number | undefined;
}

/** The rows asked for by `limit`, `offset` and, for a GET, the header `Range`. */
export function readRange(parameters: URLSearchParams, method: string, headers: IncomingHttpHeaders): Range {
  const asked = { offset: whole(parameters.get("offset")) ?? 0, limit: whole(parameters.get("limit")) };
  if (asked.limit !== undefined && asked.limit < 0)
    throw unsatisfiable("Limit should be greater than or equal to zero.");
  const [, from, to] = (method === "GET" && /^(\d+)-(\d*)$/.exec(headers.range ?? "")) || [];
  if (from === undefined) return asked;
  const first = Number(from);
  const last = to === undefined || to === "" ? undefined : Number(to);
  if (last !== undefined && last < first)
    throw unsatisfiable(
      "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
    );
  const offset = Math.max(first, asked.offset);
  const ends = [last === undefined ? undefined : last + 1, asked.limit && asked.offset + asked.limit];
  const end = Math.min(...ends.map((value) => value ?? Number.POSITIVE_INFINITY));
  return { offset, limit: end === Number.POSITIVE_INFINITY ? undefined : Math.max(0, end - offset) };
}

export function limitSql({ offset, limit }: Range, maxRows: number | undefined): string {
  const least = Math.min(limit ?? Number.POSITIVE_INFINITY, maxRows ?? Number.POSITIVE_INFINITY);
  const limited = least === Number.POSITIVE_INFINITY ? "" : ` LIMIT ${least}`;
  return `${limited}${offset === 0 ? "" : ` OFFSET ${offset}`}`;
}

/** Status and `Content-Range` of `rows` rows from `offset` on, of `total` in all where that is known. */
export function rangeStatus(
  offset: number,
  rows: number,
  total: number | undefined,
): { readonly status: number; readonly contentRange: string } {
  if (total !== undefined && offset > total) {
    const details = `An offset of ${offset} was requested, but there are only ${total} rows.`;
    throw unsatisfiable(details, { "Content-Range": `*/${total}` });
  }
  const status = total !== undefined && rows < total ? 206 : 200;
  return { status, contentRange: contentRange(offset, rows, total) };
}

export function contentRange(offset: number, rows: number, total: number | undefined): string {
  return `${rows === 0 || total === 0 ? "*" : `${offset}-${offset + rows - 1}`}/${total ?? "*"}`;
}

function unsatisfiable(details: string, headers: Record<string, string> = {}): PostgrestError {
  return new PostgrestError(416, "PGRST103", "Requested range not satisfiable", { details, headers });
}

function whole(text: string | null): number | undefined {
  return text !== null && /^-?\d+$/.test(text) ? Number(text) : undefined;
}
