import { hasKv, kvLocation } from "../../connectors/kv/location.ts";
import { databaseNameProblem } from "../../connectors/mongodb/location/database-name.ts";
import {
  type MongodbLocation,
  mongodbFromVariable,
  onSameServer,
} from "../../connectors/mongodb/location/location.ts";
import { isSameAddress } from "../../connectors/mongodb/location/uri.ts";
import { hasSupabase, supabaseLocation } from "../../connectors/supabase/location.ts";
import { configurationError } from "../../model/configuration-error.ts";
import type { Environment } from "../env/environment.ts";
import type { PairCommand } from "./command-kinds.ts";
import type { Location } from "./location.ts";

const SUFFIX = "_backup";

/** A pair that the environment names. */
export interface PairCandidate {
  readonly primary: Location;
  readonly copy: Location;
  /** The copy's database was made up from the primary's name: no argument names it. */
  readonly derived: boolean;
  readonly warnings: readonly string[];
}

export type PairKind = "supabase" | "kv" | "local" | "same-server";

/** The kinds of pairs that each command takes. */
export const PAIRS_OF: Readonly<Record<PairCommand, readonly PairKind[]>> = {
  duplicate: ["local", "same-server"],
  backfill: ["supabase"],
  "sync-kv": ["kv"],
  diff: ["supabase", "kv", "local", "same-server"],
  restore: ["supabase", "kv", "local", "same-server"],
};

/**
 * All pairs of the environment that the command could mean. Only the variables of those pairs are looked at. Fails with
 * `usage` when one of these is set and cannot be right.
 */
export function candidatesFor(command: PairCommand, environment: Environment): PairCandidate[] {
  const kinds = PAIRS_OF[command];
  const isSet = (name: string): boolean => environment.get(name) !== undefined;
  const uri = isSet("MONGODB_URI") ? () => mongodbFromVariable("MONGODB_URI", environment) : undefined;
  const found: PairCandidate[] = [];
  if (kinds.includes("supabase") && uri !== undefined && hasSupabase(environment)) {
    const { location, warnings } = supabaseLocation(environment);
    found.push({ primary: location, copy: uri(), derived: false, warnings });
  }
  if (kinds.includes("kv") && uri !== undefined && hasKv(environment)) {
    const { location, warnings } = kvLocation(environment);
    found.push({ primary: location, copy: uri(), derived: false, warnings });
  }
  if (kinds.includes("local") && isSet("MONGODB_LOCAL_URI") && isSet("MONGODB_ATLAS_URI"))
    found.push(localPair(environment));
  const isCopy = hasSupabase(environment) || hasKv(environment);
  if (kinds.includes("same-server") && uri !== undefined && !isCopy) addSameServer(uri(), found);
  return found;
}

/** Why MONGODB_URI alone is no pair for `duplicate` here, as an error; undefined when that is not the reason. */
export function copyOfCopy(command: PairCommand, environment: Environment): Error | undefined {
  if (command !== "duplicate" || environment.get("MONGODB_URI") === undefined) return undefined;
  const store = hasSupabase(environment) ? "Supabase" : hasKv(environment) ? "KV" : undefined;
  if (store === undefined) return undefined;
  return configurationError(
    `The MongoDB of MONGODB_URI is the copy of the ${store} store that is set beside it; a copy of the copy on the same server would protect nothing.`,
    `To bring the copy up to date run dualsync ${store === "KV" ? "sync-kv" : "backfill"}; to copy it elsewhere run dualsync duplicate --from mongodb --to env:NAME.`,
  );
}

function localPair(environment: Environment): PairCandidate {
  return {
    primary: mongodbFromVariable("MONGODB_LOCAL_URI", environment),
    copy: mongodbFromVariable("MONGODB_ATLAS_URI", environment),
    derived: false,
    warnings: [],
  };
}

/** MONGODB_URI may repeat one side of the local pair: then that pair is meant, and there is only one. */
function addSameServer(primary: MongodbLocation, found: PairCandidate[]): void {
  const repeats = found.some(({ primary: left, copy: right }) =>
    [left, right].some((side) => side.kind === "mongodb" && isSameAddress(side.address, primary.address)),
  );
  if (!repeats) found.push({ primary, copy: backupOf(primary), derived: true, warnings: [] });
}

function backupOf(primary: MongodbLocation): MongodbLocation {
  const database = `${primary.database}${SUFFIX}`;
  if (primary.database.toLowerCase().endsWith(SUFFIX)) {
    throw configurationError(
      `${primary.origin} names the database ${primary.database}, which is itself a backup by its name; its copy would protect nothing.`,
      "Name the database that the application uses, or write both --from and --to.",
    );
  }
  const problem = databaseNameProblem(database);
  if (problem !== undefined) {
    throw configurationError(
      `${primary.origin} names a database whose name leaves no room for ${SUFFIX}: the copy's name ${problem}.`,
      "Write both --from and --to.",
    );
  }
  return onSameServer(primary, database);
}

/**
 * All stores of the pairs that the environment names, each once. Fails with `usage` when a variable of a pair is set
 * and cannot be right.
 */
export function namedStores(environment: Environment): readonly Location[] {
  const stores = candidatesFor("diff", environment).flatMap(({ primary, copy }) => [copy, primary]);
  return stores.filter((store, at) => stores.findIndex(({ label }) => label === store.label) === at);
}
