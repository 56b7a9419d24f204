import { configurationError } from "../../../model/configuration-error.ts";
import { checkDatabaseName } from "./database-name.ts";
import { checkHosts } from "./uri-hosts.ts";
import { checkOptions } from "./uri-options.ts";
import { decodePart, splitUri } from "./uri-parts.ts";
import { checkUser, refusePlaceholder } from "./uri-user.ts";

/** A MongoDB address that the driver will accept. `uri` and `options` may hold secrets: show `display`. */
export interface MongodbAddress {
  /**
   * To connect with, and never rewritten: where it names no `authSource`, MongoDB looks the user up in the database
   * that this text names. Which database to work on is `database`, so give it to the client by name.
   */
  readonly uri: string;
  /** In small letters, with the port; a socket is its path. */
  readonly hosts: readonly string[];
  readonly database?: string;
  readonly hasPassword: boolean;
  readonly srv: boolean;
  /** Percent-decoded, by the driver's spelling of their names. */
  readonly options: ReadonlyMap<string, string>;
  /** Hosts and database, for example `localhost:27017/ordersDB`. */
  readonly display: string;
}

const SECRET_OPTIONS = ["proxyPassword", "tlsCertificateKeyFilePassword", "authMechanismProperties"];

/**
 * Checks an address as far as that is possible without contacting anything. `name` says where it was written, for
 * example "MONGODB_URI in .env.local". Fails with `usage`; no message holds a part of the address.
 */
export function checkMongodbUri(text: string, name: string): MongodbAddress {
  const uri = text.trim();
  const parts = splitUri(uri, name);
  const user = parts.userInfo === undefined ? undefined : checkUser(parts.userInfo, name);
  const hosts = checkHosts(parts.hosts, parts.srv, name);
  const database = checkDatabase(parts.database, name);
  const options = checkOptions(parts.query, name);
  if (user !== undefined && user.password === undefined && !options.has("authMechanism")) {
    throw configurationError(
      `${name} has a user name without a password.`,
      "Write user and password with a colon between them before the @.",
    );
  }
  if (options.get("directConnection") === "true" && (parts.srv || hosts.length > 1)) {
    throw configurationError(
      `${name} has directConnection=true, which takes exactly one host and mongodb://.`,
      "Leave the option out.",
    );
  }
  const hasPassword = user?.password !== undefined || SECRET_OPTIONS.some((option) => options.has(option));
  const address = { uri, hosts, hasPassword, srv: parts.srv, options };
  return database === "" ? { ...address, display: hosts.join(",") } : named(address, database);
}

/** The same server, user and options with another database to work on. Fails with `usage` for an impossible name. */
export function withDatabase(address: MongodbAddress, database: string, name: string): MongodbAddress {
  checkDatabaseName(database, name);
  return named(address, database);
}

/** Every part of the address that must not be shown, decoded and as written. */
export function mongodbSecrets(address: MongodbAddress): string[] {
  const secrets = SECRET_OPTIONS.flatMap((option) => address.options.get(option) ?? []);
  const { userInfo } = splitUri(address.uri, "The address");
  if (userInfo === undefined || !userInfo.includes(":")) return secrets;
  const password = userInfo.slice(userInfo.indexOf(":") + 1);
  return [...secrets, userInfo, password, decodePart(password, "password", "The address")];
}

/** Whether both name the same hosts, in whatever order, and the same database. Says nothing of other names of a host. */
export function isSameAddress(left: MongodbAddress, right: MongodbAddress): boolean {
  const key = ({ hosts, database }: MongodbAddress): string =>
    JSON.stringify([[...new Set(hosts)].sort(), database]);
  return key(left) === key(right);
}

function checkDatabase(raw: string, name: string): string {
  if (raw === "") return "";
  refusePlaceholder(raw, "database name", name);
  const database = decodePart(raw, "database name", name);
  checkDatabaseName(database, name);
  return database;
}

function named(address: Omit<MongodbAddress, "display">, database: string): MongodbAddress {
  return { ...address, database, display: `${address.hosts.join(",")}/${database}` };
}
