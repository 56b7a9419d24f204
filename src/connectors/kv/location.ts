import { configurationError } from "../../model/configuration-error.ts";
import { describeVariable, type Environment, type Variable } from "../../model/environment.ts";
import type { Location } from "../connector.ts";
import { checkKey, checkServiceUrl } from "../location/service-url.ts";

export interface KvLocation extends Location {
  readonly kind: "kv";
  readonly url: string;
  readonly token: string;
  readonly reference: "kv";
}

const VERCEL_PAIR = ["KV_REST_API_URL", "KV_REST_API_TOKEN"] as const;
/** Of Vercel's pair: it may neither write nor list keys, and so it serves for nothing here. */
const READ_ONLY_TOKEN = "KV_REST_API_READ_ONLY_TOKEN";

/** An address and its token belong together: a token of the other pair is never used. The first pair counts. */
const PAIRS = [["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"], VERCEL_PAIR] as const;

/** Addresses for clients of another protocol, which Vercel sets beside the others. */
const OTHER_ADDRESSES = ["KV_URL", "REDIS_URL"] as const;

/** What a store needs: for each of its parts the variable, then its alias. */
export const KV_VARIABLES = [
  [VERCEL_PAIR[0], PAIRS[0][0]],
  [VERCEL_PAIR[1], PAIRS[0][1]],
] as const;

interface FoundPair {
  readonly names: (typeof PAIRS)[number];
  readonly url: Variable;
  readonly token: Variable;
}

export function hasKv(environment: Environment): boolean {
  return completePairs(environment).length > 0;
}

/** Fails with `usage` when no pair is complete, when two name different stores, or when a value cannot be right. */
export function kvLocation(environment: Environment): { location: KvLocation; warnings: readonly string[] } {
  const [pair, other] = completePairs(environment);
  if (pair === undefined) throw incomplete(environment);
  const origin = describeVariable(pair.names[0], pair.url);
  const address = checkServiceUrl(pair.url.value, origin);
  if (
    other !== undefined &&
    checkServiceUrl(other.url.value, describeVariable(other.names[0], other.url)).url !== address.url
  ) {
    throw configurationError(
      `${origin} and ${describeVariable(other.names[0], other.url)} name different stores.`,
      "Unset the pair of variables that is wrong.",
    );
  }
  const location = {
    kind: "kv",
    url: address.url,
    token: writingToken(pair, environment),
    origin,
    label: address.label,
    reference: "kv",
  } as const;
  return { location, warnings: address.warnings };
}

function completePairs(environment: Environment): FoundPair[] {
  return PAIRS.flatMap((names) => {
    const url = environment.get(names[0]);
    const token = environment.get(names[1]);
    return url === undefined || token === undefined ? [] : [{ names, url, token }];
  });
}

function writingToken({ names, token: variable }: FoundPair, environment: Environment): string {
  const name = describeVariable(names[1], variable);
  const token = checkKey(variable.value, name);
  const readOnly = environment.get(READ_ONLY_TOKEN);
  if (readOnly?.value.trim() !== token) return token;
  throw configurationError(
    `${name} is the read-only token, and that token can neither write nor list keys.`,
    "Set it to the standard token from the database's page.",
  );
}

/** Why the environment names no KV store although something of one is set, as a clause; undefined: nothing is. */
export function withoutKv(environment: Environment): string | undefined {
  const readOnly = environment.get(READ_ONLY_TOKEN);
  if (readOnly !== undefined && environment.get(VERCEL_PAIR[1]) === undefined)
    return `${describeVariable(READ_ONLY_TOKEN, readOnly)} can neither write nor list keys`;
  if (PAIRS.some((names) => names.some((name) => environment.get(name) !== undefined))) return undefined;
  for (const name of OTHER_ADDRESSES) {
    const variable = environment.get(name);
    if (variable !== undefined && /^rediss?:/i.test(variable.value.trim()))
      return `${describeVariable(name, variable)} is no address of the REST API, which dualsync uses`;
  }
  return undefined;
}

function incomplete(environment: Environment): Error {
  const isSet = (name: string): boolean => environment.get(name) !== undefined;
  const half = PAIRS.find(([url]) => isSet(url)) ?? PAIRS.find(([, token]) => isSet(token)) ?? VERCEL_PAIR;
  const named = (name: string): string => environment.nameOf?.(name) ?? name;
  const missing = half.filter((name) => !isSet(name)).map(named);
  const are = missing.length > 1 ? "are" : "is";
  const reason = withoutKv(environment);
  return configurationError(
    `KV needs ${missing.join(" and ")}, which ${are} not set${reason === undefined ? "" : `; ${reason}`}.`,
    `Set ${named(half[0])} and ${named(half[1])}; both are on the database's page, in its part on REST.`,
  );
}

const KV_NAMES: ReadonlySet<string> = new Set([...PAIRS.flat(), READ_ONLY_TOKEN, ...OTHER_ADDRESSES]);

/**
 * The same environment, with the variables of a KV store from those whose names begin with a prefix. Vercel puts one before its own names
 * (SHOP_KV_REST_API_URL) and once put it in the place of KV (SHOP_REST_API_URL); whichever of both has a pair, all are taken from there.
 * `flag` is where the prefix was written. Fails with `usage`.
 */
export function withKvPrefix(environment: Environment, prefix: string, flag: string): Environment {
  const start = prefix.trim().replace(/_+$/, "");
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(start))
    throw configurationError(
      `${flag} is no beginning of a variable's name.`,
      "Write the prefix that was chosen in Vercel, for example SHOP where the variable is SHOP_KV_REST_API_URL.",
    );
  const before = (name: string): string => `${start}_${name}`;
  const inPlace = (name: string): string => `${start}_${name.replace(/^KV_/, "")}`;
  const set = [before, inPlace].filter((renamed) =>
    VERCEL_PAIR.some((name) => environment.get(renamed(name)) !== undefined),
  );
  const complete = set.filter((renamed) =>
    VERCEL_PAIR.every((name) => environment.get(renamed(name)) !== undefined),
  );
  const renamed = complete[0] ?? set[0] ?? before;
  const nameOf = (name: string): string => (KV_NAMES.has(name) ? renamed(name) : name);
  return {
    cwd: environment.cwd,
    warnings: environment.warnings,
    nameOf,
    get(name) {
      const found = environment.get(nameOf(name));
      return found === undefined || nameOf(name) === name ? found : { ...found, name: nameOf(name) };
    },
  };
}
