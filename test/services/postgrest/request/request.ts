import type { IncomingHttpHeaders } from "node:http";
import { PostgrestError } from "../answer/errors.ts";
import type { SchemaCache } from "../schema.ts";
import type { Row, Transaction } from "../session.ts";
import type { Preferences } from "./preferences.ts";

/** A request that was let in, and what it takes to answer it. */
export interface Exchange {
  readonly method: string;
  /** Below `/rest/v1`: `/table`, `/rpc/function`, `/`. */
  readonly path: string;
  readonly parameters: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The media type to answer with. */
  readonly accept: string;
  readonly body: string;
  readonly role: string;
  readonly preferences: Preferences;
  readonly schema: SchemaCache;
  readonly maxRows: number | undefined;
  readonly safeUpdate: boolean;
  run(transaction: Transaction): Promise<Row>;
}

/** Asks for the only row, without an array around it. */
export const SINGULAR = "application/vnd.pgrst.object+json";
export const OPENAPI = "application/openapi+json";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  "*/*": "application/json",
  "application/*": "application/json",
  "application/json": "application/json",
  "application/vnd.pgrst.array+json": "application/json",
  [SINGULAR]: SINGULAR,
};

/** The first media type of `Accept` that there is for this path. */
export function acceptedType(headers: IncomingHttpHeaders, path: string): string {
  const wanted = (headers.accept ?? "*/*").split(",").map((type) => type.split(";")[0]?.trim() ?? "");
  for (const type of wanted) {
    if (path === "/" && (type === OPENAPI || MEDIA_TYPES[type] === "application/json")) return OPENAPI;
    const known = path === "/" ? undefined : MEDIA_TYPES[type];
    if (known !== undefined) return known;
  }
  throw new PostgrestError(
    406,
    "PGRST107",
    `None of these media types are available: ${headers.accept ?? ""}`,
  );
}

/** Throws when the request's profile names another schema than the one that is served. */
export function checkProfile(headers: IncomingHttpHeaders, method: string, schema: string): void {
  const reading = method === "GET" || method === "HEAD";
  const profile = headers[reading ? "accept-profile" : "content-profile"];
  if (profile === undefined || profile === schema) return;
  throw new PostgrestError(406, "PGRST106", `Invalid schema: ${String(profile)}`, {
    hint: `Only the following schemas are exposed: ${schema}`,
  });
}
