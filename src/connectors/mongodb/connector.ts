import { configurationError } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";
import type { Connector } from "../connector.ts";
import { collectionNameProblem } from "./location/collection-name.ts";
import { type MongodbLocation, mongodbFromArgument, mongodbFromVariable } from "./location/location.ts";
import { LOCAL_PAIR, SAME_SERVER_PAIR } from "./location/pairs.ts";
import { isSameAddress, mongodbSecrets } from "./location/uri.ts";
import { MONGODB_WORDS } from "./words.ts";

const BOTH = ["source", "target"] as const;

export const mongodb: Connector<MongodbLocation> = {
  kind: "mongodb",
  words: MONGODB_WORDS,
  serves: {
    duplicate: BOTH,
    backfill: ["target"],
    diff: BOTH,
    repair: BOTH,
    undo: ["target"],
    restore: BOTH,
    "sync-kv": BOTH,
  },
  hasMetadata: true,
  variablePrefixes: ["MONGODB_"],
  forms: ["mongodb", "mongodb://…", "mongodb+srv://…", "env:NAME"],
  copies: {
    variable: "MONGODB_URI",
    example: "mongodb://localhost:27017/ordersDB",
    form: "env:NAME",
    locate: (environment) => mongodbFromVariable("MONGODB_URI", environment),
  },
  pairs: [LOCAL_PAIR, SAME_SERVER_PAIR],
  parse(text, flag, environment) {
    if (/^mongodb(?:\+srv)?:\//i.test(text)) return mongodbFromArgument(text, flag, environment);
    if (text === "mongodb")
      return { location: mongodbFromVariable("MONGODB_URI", environment), warnings: [] };
    if (!text.startsWith("env:")) return undefined;
    return { location: fromNamedVariable(text.slice("env:".length), flag, environment), warnings: [] };
  },
  advise: (text, environment) =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) && environment.get(text) !== undefined
      ? `Did you mean env:${text}?`
      : undefined,
  secrets: ({ address }) => mongodbSecrets(address),
  isSame: (left, right) => isSameAddress(left.address, right.address),
  place: ({ address, database }) => ({ hosts: address.hosts, database }),
  nameProblem: collectionNameProblem,
  async open({ address, database }, { role, retries, brief, signal }) {
    const opened = await import("./mongodb.ts");
    const { uri, display: label } = address;
    return await opened.mongodb({ uri, database, label, role, retries, brief }, signal);
  },
  readFilters: async (values) => (await import("./filter/filters.ts")).readFilters(values),
  failures: async () => (await import("./failures/failures.ts")).FAILURES,
};

function fromNamedVariable(name: string, flag: string, environment: Environment): MongodbLocation {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return mongodbFromVariable(name, environment);
  throw configurationError(
    `${flag} has no variable's name after env:.`,
    "Write the name of the variable that holds the address, for example env:MONGODB_ATLAS_URI.",
  );
}
