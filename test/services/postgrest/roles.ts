import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Answer } from "../http/delivery.ts";
import type { RunSql } from "../postgres/postgres.ts";
import { PostgrestError } from "./answer/errors.ts";
import { identifier } from "./sql.ts";

const JWT_SECRET = "a secret of tests, of at least thirty-two letters";

/** The role of each key that the gateway lets in. */
export const KEYS = {
  service: signed("service_role"),
  secret: `sb_secret_${"dualsyncTests".padEnd(22, "0")}_1a2b3c4d`,
  anon: signed("anon"),
  publishable: `sb_publishable_${"dualsyncTests".padEnd(22, "0")}_5e6f7a8b`,
  limited: signed("limited_service"),
} as const;

const ROLES: ReadonlyMap<string, string> = new Map([
  [KEYS.service, "service_role"],
  [KEYS.secret, "service_role"],
  [KEYS.anon, "anon"],
  [KEYS.publishable, "anon"],
  [KEYS.limited, "limited_service"],
]);

/** The role that a request's key gives; undefined: it has no key, or a wrong one. */
export function roleOf(headers: IncomingHttpHeaders): string | undefined {
  const apikey = headers.apikey === undefined ? undefined : String(headers.apikey);
  const role = ROLES.get(bearerOf(headers) ?? apikey ?? "");
  return apikey === undefined || ROLES.has(apikey) ? role : undefined;
}

/** What a request without a role is told. */
export function refusal(headers: IncomingHttpHeaders): Answer {
  const key = bearerOf(headers) ?? headers.apikey;
  if (key === undefined) {
    const message = "No API key found in request";
    const hint = "No `apikey` request header or url param was found.";
    return {
      status: 401,
      headers: { "Content-Type": "application/json; charset=utf-8" },
      body: JSON.stringify({ message, hint }),
    };
  }
  const parts = String(key).split(".").length;
  const message = parts === 3 ? "No suitable key or wrong key type" : `Expected 3 parts in JWT; got ${parts}`;
  const challenge = `Bearer error="invalid_token", error_description="${message}"`;
  throw new PostgrestError(401, "PGRST301", message, { headers: { "WWW-Authenticate": challenge } });
}

function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer\s+(.*)$/i.exec(headers.authorization ?? "")?.[1];
}

const CALLERS = "anon, authenticated, service_role, limited_service";

/** Adds the roles of a Supabase project to a server, and one of a key that policies bind although it is a service's. */
export async function createRoles(query: RunSql): Promise<void> {
  const roles = {
    anon: "nologin noinherit",
    authenticated: "nologin noinherit",
    service_role: "nologin noinherit bypassrls",
    limited_service: "nologin noinherit",
    authenticator: "login noinherit",
  };
  const create = Object.entries(roles).map(
    ([name, options]) =>
      `begin create role ${name} ${options}; exception when duplicate_object then null; end;`,
  );
  // Several gateways may start on one server at the same time.
  await query(`
    select pg_advisory_xact_lock(1);
    do $$ begin ${create.join(" ")} end $$;
    grant ${CALLERS} to authenticator;
  `);
}

/** Lets the roles into a schema; with `grants` they have all rights on what is added to it. */
export async function openSchema(query: RunSql, name: string, grants: boolean): Promise<void> {
  const schema = identifier(name);
  const rights = (grants ? ["tables", "sequences", "functions"] : []).map(
    (kind) => `alter default privileges in schema ${schema} grant all on ${kind} to ${CALLERS};`,
  );
  await query(`
    create schema if not exists ${schema};
    grant usage on schema ${schema} to ${CALLERS};
    ${rights.join("\n")}
  `);
}

function signed(role: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    iss: "supabase",
    ref: "dualsynctestsproject",
    role,
    iat: 1_700_000_000,
    exp: 2_100_000_000,
  };
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${text}.${createHmac("sha256", JWT_SECRET).update(text).digest("base64url")}`;
}
