import { configurationError } from "../../model/configuration-error.ts";
import { describeVariable, type Environment, type Variable } from "../../model/environment.ts";
import type { Location } from "../connector.ts";
import { checkKey, checkServiceUrl } from "../location/service-url.ts";

export interface SupabaseLocation extends Location {
  readonly kind: "supabase";
  readonly url: string;
  /** A secret key or service-role key: row security does not hide rows from it. */
  readonly key: string;
  readonly reference: "supabase";
}

/** The second name of each is an alias. */
const URL_NAMES = ["NEXT_PUBLIC_SUPABASE_URL", "SUPABASE_URL"] as const;
const KEY_NAMES = ["SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"] as const;

/** What a project needs: for each of its parts the variable, then its alias. */
export const SUPABASE_VARIABLES = [URL_NAMES, KEY_NAMES];

export function hasSupabase(environment: Environment): boolean {
  return [URL_NAMES, KEY_NAMES].every((names) => names.some((name) => environment.get(name) !== undefined));
}

/** Fails with `usage` when a variable is missing, contradicts its alias, or cannot be right. */
export function supabaseLocation(environment: Environment): {
  location: SupabaseLocation;
  warnings: readonly string[];
} {
  const url = variableOf(URL_NAMES, environment);
  const key = variableOf(KEY_NAMES, environment);
  const address = checkServiceUrl(url.variable.value.replace(/\/rest\/v1\/?\s*$/, ""), url.described);
  const location = {
    kind: "supabase",
    url: address.url,
    key: serviceKey(key.variable.value, key.described),
    origin: url.described,
    label: address.label,
    reference: "supabase",
  } as const;
  return { location, warnings: address.warnings };
}

function variableOf(
  names: readonly [string, string],
  environment: Environment,
): { variable: Variable; described: string } {
  const found = names.flatMap((name) => {
    const variable = environment.get(name);
    return variable === undefined ? [] : [{ variable, described: describeVariable(name, variable) }];
  });
  const [first, second] = found;
  if (first === undefined) {
    throw configurationError(
      `Supabase needs ${names[0]}, which is not set.`,
      `Set ${URL_NAMES[0]} and ${KEY_NAMES[0]}.`,
    );
  }
  if (second !== undefined && second.variable.value.trim() !== first.variable.value.trim()) {
    throw configurationError(
      `${first.described} and ${second.described} differ.`,
      "Keep one of them, or set both to the same value.",
    );
  }
  return first;
}

/** Row security answers another role with fewer rows or none, which a copy would take for an empty table. */
function serviceKey(text: string, name: string): string {
  const key = checkKey(text, name);
  const role = roleOf(key);
  if (key.startsWith("sb_publishable_") || (role !== undefined && role !== "service_role")) {
    throw configurationError(
      `${name} is a public key, and row security hides rows from public keys.`,
      "Use the secret key (sb_secret_…) or the service_role key from the project's settings page.",
    );
  }
  return key;
}

/** The role that a JWT claims; undefined for every other kind of key. */
function roleOf(key: string): string | undefined {
  const payload = key.split(".")[1];
  if (!key.startsWith("eyJ") || payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
    if (typeof claims !== "object" || claims === null || !("role" in claims)) return undefined;
    return typeof claims.role === "string" ? claims.role : undefined;
  } catch {
    return undefined;
  }
}
