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

/** An address and its token belong together: a token of the other pair is never used. */
const PAIRS = [
  ["KV_REST_API_URL", "KV_REST_API_TOKEN"],
  ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"],
] as const;

/** What a store needs: for each of its parts the variable, then its alias. */
export const KV_VARIABLES = [
  ["KV_REST_API_URL", "UPSTASH_REDIS_REST_URL"],
  ["KV_REST_API_TOKEN", "UPSTASH_REDIS_REST_TOKEN"],
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
  const token = checkKey(pair.token.value, describeVariable(pair.names[1], pair.token));
  const location = {
    kind: "kv",
    url: address.url,
    token,
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

function incomplete(environment: Environment): Error {
  const half = PAIRS.find((names) => names.some((name) => environment.get(name) !== undefined)) ?? PAIRS[0];
  const missing = half.filter((name) => environment.get(name) === undefined);
  const are = missing.length > 1 ? "are" : "is";
  return configurationError(
    `KV needs ${missing.join(" and ")}, which ${are} not set.`,
    `Set ${half[0]} and ${half[1]}.`,
  );
}
