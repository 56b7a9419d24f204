import { configurationError } from "../../../model/configuration-error.ts";
import { describeVariable, type Environment } from "../../../model/environment.ts";
import type { Location } from "../../connector.ts";
import { checkMongodbUri, type MongodbAddress, withDatabase } from "./uri.ts";

export interface MongodbLocation extends Location {
  readonly kind: "mongodb";
  /** Its `database` is `database`; the database in its `uri` may be another one or none. */
  readonly address: MongodbAddress;
  readonly database: string;
}

/** The variables of the pairs: with these, a database in the address that MONGODB_DB_NAME contradicts is a mistake. */
const PAIR_VARIABLES = ["MONGODB_URI", "MONGODB_LOCAL_URI", "MONGODB_ATLAS_URI"];
/** The server's own databases: users, replication and routing. In an address they usually name where the user is. */
const SERVER_DATABASES = ["admin", "local", "config"];

/** The MongoDB whose address is in a variable. Fails with `usage` when it is not set or cannot be right. */
export function mongodbFromVariable(variableName: string, environment: Environment): MongodbLocation {
  const variable = environment.get(variableName);
  if (variable === undefined) {
    throw configurationError(
      `${variableName} is not set in the environment, .env.local or .env.`,
      `Set ${variableName} to a MongoDB address, for example mongodb://localhost:27017/ordersDB.`,
    );
  }
  const origin = describeVariable(variableName, variable);
  const address = checkMongodbUri(variable.value, origin);
  if (PAIR_VARIABLES.includes(variableName)) refuseContradiction(address, origin, environment);
  return locate(
    address,
    origin,
    variableName === "MONGODB_URI" ? "mongodb" : `env:${variableName}`,
    environment,
  );
}

/** The MongoDB whose address was typed as an argument. */
export function mongodbFromArgument(
  text: string,
  flag: string,
  environment: Environment,
): { location: MongodbLocation; warnings: string[] } {
  const address = checkMongodbUri(text, flag);
  const warnings = address.hasPassword
    ? [
        `${flag} holds a password. The shell's history keeps it, and other users of this machine may have seen it. ` +
          "Put the address into a variable and write env:NAME instead.",
      ]
    : [];
  return { location: locate(address, flag, undefined, environment), warnings };
}

/** The same server and user with another database. `reference` is left out: no argument names it. */
export function onSameServer(location: MongodbLocation, database: string): MongodbLocation {
  const address = withDatabase(location.address, database, location.origin);
  return { kind: "mongodb", address, database, origin: location.origin, label: address.display };
}

/** Without a database in the address, MONGODB_DB_NAME names it; the driver's default, `test`, is never used. */
function locate(
  address: MongodbAddress,
  origin: string,
  reference: string | undefined,
  environment: Environment,
): MongodbLocation {
  const named = environment.get("MONGODB_DB_NAME");
  if (address.database === undefined && named === undefined) {
    throw configurationError(
      `${origin} names no database.`,
      "Write the database after the host, as in mongodb://localhost:27017/ordersDB, or set MONGODB_DB_NAME.",
    );
  }
  const complete =
    address.database === undefined && named !== undefined
      ? withDatabase(address, named.value.trim(), describeVariable("MONGODB_DB_NAME", named))
      : address;
  const database = complete.database ?? "";
  if (SERVER_DATABASES.includes(database.toLowerCase())) {
    throw configurationError(
      `${origin} names the database ${database}, which belongs to the server itself.`,
      `If it only says where the user is defined, write the data's database there and add authSource=${database} after the ?.`,
    );
  }
  const location = { kind: "mongodb", address: complete, database, origin, label: complete.display } as const;
  return reference === undefined ? location : { ...location, reference };
}

function refuseContradiction(address: MongodbAddress, origin: string, environment: Environment): void {
  const named = environment.get("MONGODB_DB_NAME");
  if (named === undefined || address.database === undefined || named.value.trim() === address.database)
    return;
  throw configurationError(
    `${origin} names the database ${address.database}, but ${describeVariable("MONGODB_DB_NAME", named)} names another one.`,
    "Make them agree, or leave the database out of one of them.",
  );
}
