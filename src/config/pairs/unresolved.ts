import { configurationError, listed } from "../../model/configuration-error.ts";
import type { Environment } from "../env/environment.ts";
import type { PairCommand } from "./command-kinds.ts";
import type { Location } from "./location.ts";
import { PAIRS_OF, type PairCandidate, type PairKind } from "./pair-candidates.ts";

/** What a pair needs: for each of its parts the variable, then its aliases. */
const VARIABLES: Readonly<Record<PairKind, readonly (readonly [string, ...string[]])[]>> = {
  local: [["MONGODB_LOCAL_URI"], ["MONGODB_ATLAS_URI"]],
  supabase: [
    ["NEXT_PUBLIC_SUPABASE_URL", "SUPABASE_URL"],
    ["SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"],
    ["MONGODB_URI"],
  ],
  kv: [
    ["KV_REST_API_URL", "UPSTASH_REDIS_REST_URL"],
    ["KV_REST_API_TOKEN", "UPSTASH_REDIS_REST_TOKEN"],
    ["MONGODB_URI"],
  ],
  "same-server": [["MONGODB_URI"]],
};

/** The environment names no pair for this command: says what to set, and what a half-set pair still lacks. */
export function noPair(command: PairCommand, environment: Environment): Error {
  const half = halfSet(command, environment);
  const needs = PAIRS_OF[command].map((kind) => listed(VARIABLES[kind].map(([name]) => name)));
  return configurationError(
    `${command} found no pair of stores in the environment, .env.local or .env${half === undefined ? "" : `; ${half}`}.`,
    `Set ${needs.join("; or ")} (for example MONGODB_URI=mongodb://localhost:27017/ordersDB), or write --from and --to.`,
  );
}

function halfSet(command: PairCommand, environment: Environment): string | undefined {
  for (const kind of PAIRS_OF[command]) {
    const parts = VARIABLES[kind].map((names) => ({
      names,
      set: names.find((name) => environment.get(name) !== undefined),
    }));
    const present = parts.find(({ set }) => set !== undefined)?.set;
    const missing = parts.flatMap(({ names, set }) => (set === undefined ? [names[0]] : []));
    if (present !== undefined && missing.length > 0)
      return `${present} is set, but ${listed(missing)} ${missing.length > 1 ? "are" : "is"} not`;
  }
  return undefined;
}

/** The environment names several pairs: gives the exact command line for each, without an address in it. */
export function severalPairs(command: PairCommand, candidates: readonly PairCandidate[]): Error {
  const lines = candidates.map((candidate) => `dualsync ${command} ${flagsOf(command, candidate)}`);
  return configurationError(
    `${command} found ${candidates.length} pairs of stores in the environment and takes none of them by itself.`,
    `Run the one that is meant: ${lines.join("  or  ")}`,
  );
}

/** One of `--from` and `--to` was given, and the environment leaves the other one open. */
export function otherSideOpen(
  command: PairCommand,
  side: "source" | "target",
  choices: readonly Location[],
): Error {
  const [missing, present] = side === "source" ? ["--from", "--to"] : ["--to", "--from"];
  const references = choices.flatMap(({ reference }) => reference ?? []);
  const example =
    references.length > 0
      ? listed(
          references.map((reference) => `${missing} ${reference}`),
          "or",
        )
      : `${missing} env:NAME`;
  return configurationError(
    `${command} has ${present} without ${missing}, and the environment names ${choices.length === 0 ? "no" : "more than one"} store for that side.`,
    `Write ${missing} too: ${example}.`,
  );
}

function flagsOf(command: PairCommand, candidate: PairCandidate): string {
  const [from, to] =
    command === "restore" ? [candidate.copy, candidate.primary] : [candidate.primary, candidate.copy];
  return [...flag("--from", from), ...flag("--to", to)].join(" ");
}

/** A store that no argument names follows from the other one, so its flag is left out. */
function flag(name: string, location: Location): string[] {
  return location.reference === undefined ? [] : [`${name} ${location.reference}`];
}
