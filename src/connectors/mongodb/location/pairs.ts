/** Pairs of two MongoDB databases that the environment can name. */
import { configurationError } from "../../../model/configuration-error.ts";
import type { PairCandidate, PairKind } from "../../connector.ts";
import { databaseNameProblem } from "./database-name.ts";
import { type MongodbLocation, mongodbFromVariable, onSameServer } from "./location.ts";
import { isSameAddress } from "./uri.ts";

const SUFFIX = "_backup";

/** A local database and its copy in the cloud. */
export const LOCAL_PAIR: PairKind = {
  commands: ["duplicate", "diff", "restore"],
  variables: [["MONGODB_LOCAL_URI"], ["MONGODB_ATLAS_URI"]],
  find(environment) {
    const isSet = (name: string): boolean => environment.get(name) !== undefined;
    if (!isSet("MONGODB_LOCAL_URI") || !isSet("MONGODB_ATLAS_URI")) return undefined;
    return {
      primary: mongodbFromVariable("MONGODB_LOCAL_URI", environment),
      copy: mongodbFromVariable("MONGODB_ATLAS_URI", environment),
      derived: false,
      warnings: [],
    };
  },
};

/** A database, and its copy on the same server. */
export const SAME_SERVER_PAIR: PairKind = {
  commands: ["duplicate", "diff", "restore"],
  variables: [["MONGODB_URI"]],
  find(environment, others) {
    if (environment.get("MONGODB_URI") === undefined) return undefined;
    const primary = mongodbFromVariable("MONGODB_URI", environment);
    // MONGODB_URI may repeat one side of the local pair: then that pair is meant, and there is only one.
    if (others.some((pair) => holds(pair, primary))) return undefined;
    return { primary, copy: backupOf(primary), derived: true, warnings: [] };
  },
};

function holds({ primary, copy }: PairCandidate, location: MongodbLocation): boolean {
  return [primary, copy].some(
    (side) => side.kind === "mongodb" && isSameAddress((side as MongodbLocation).address, location.address),
  );
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
