import { configurationError } from "../../../model/configuration-error.ts";
import { closest } from "../../location/closest.ts";
import { decodePart } from "./uri-parts.ts";
import { refusePlaceholder } from "./uri-user.ts";

type OptionKind = "boolean" | "number" | "text";

/**
 * What may stand after the question mark: how to connect, and nothing that changes how documents are read or written.
 * The driver knows each of them; a test compares.
 */
export const URI_OPTIONS: ReadonlyMap<string, OptionKind> = new Map([
  ...kind("boolean", [
    "autoSelectFamily",
    "directConnection",
    "journal",
    "loadBalanced",
    "monitorCommands",
    "noDelay",
  ]),
  ...kind("boolean", [
    "retryReads",
    "retryWrites",
    "ssl",
    "tls",
    "tlsAllowInvalidCertificates",
    "tlsAllowInvalidHostnames",
  ]),
  ...kind("boolean", ["tlsInsecure", "j"]),
  ...kind("number", [
    "autoSelectFamilyAttemptTimeout",
    "connectTimeoutMS",
    "family",
    "heartbeatFrequencyMS",
    "localThresholdMS",
  ]),
  ...kind("number", [
    "maxConnecting",
    "maxIdleTimeMS",
    "maxPoolSize",
    "maxStalenessSeconds",
    "minPoolSize",
    "proxyPort",
  ]),
  ...kind("number", [
    "serverSelectionTimeoutMS",
    "socketTimeoutMS",
    "srvMaxHosts",
    "timeoutMS",
    "waitQueueTimeoutMS",
    "wtimeout",
  ]),
  ...kind("number", ["wtimeoutMS", "zlibCompressionLevel", "minHeartbeatFrequencyMS"]),
  ...kind("text", [
    "appName",
    "authMechanism",
    "authMechanismProperties",
    "authSource",
    "compressors",
    "proxyHost",
  ]),
  ...kind("text", [
    "proxyPassword",
    "proxyUsername",
    "readConcernLevel",
    "readPreference",
    "readPreferenceTags",
    "replicaSet",
  ]),
  ...kind("text", [
    "serverMonitoringMode",
    "servername",
    "srvAllowedHostsSuffix",
    "srvServiceName",
    "tlsCAFile",
    "tlsCRLFile",
  ]),
  ...kind("text", ["tlsCertificateKeyFile", "tlsCertificateKeyFilePassword", "w"]),
]);

/** Options of older drivers that still stand in many addresses. */
const FORMER = [
  "useNewUrlParser",
  "useUnifiedTopology",
  "useCreateIndex",
  "useFindAndModify",
  "poolSize",
  "keepAlive",
  "autoReconnect",
];

const NAMES = [...URI_OPTIONS.keys()];
const BY_SMALL_NAME = new Map(NAMES.map((option) => [option.toLowerCase(), option]));

/** Decoded options by the driver's spelling of their names; of a repeated `readPreferenceTags` all, joined by `&`. */
export function checkOptions(query: string, name: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const [index, pair] of query.split("&").entries()) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const option = knownOption(equals === -1 ? pair : pair.slice(0, equals), index + 1, name);
    const raw = equals === -1 ? "" : pair.slice(equals + 1);
    refusePlaceholder(raw, `option ${option}`, name);
    const value = decodePart(raw.replaceAll("+", " "), `option ${option}`, name);
    checkValue(option, value, name);
    const earlier = options.get(option);
    if (earlier !== undefined && option !== "readPreferenceTags") {
      throw configurationError(`${name} has the option ${option} twice.`, "Keep one of them.");
    }
    options.set(option, earlier === undefined ? value : `${earlier}&${value}`);
  }
  return options;
}

function knownOption(written: string, place: number, name: string): string {
  const option = BY_SMALL_NAME.get(written.toLowerCase());
  if (option !== undefined) return option;
  const former = FORMER.find((word) => word.toLowerCase() === written.toLowerCase());
  if (former !== undefined) {
    throw configurationError(
      `${name} has the option ${former}, which MongoDB drivers no longer know.`,
      `Leave ${former} out.`,
    );
  }
  const meant = closest(written, NAMES);
  throw configurationError(
    `${name} has an unknown option as number ${place} after the ?.`,
    meant === undefined ? "See MongoDB's list of connection string options." : `Did you mean ${meant}?`,
  );
}

function checkValue(option: string, value: string, name: string): void {
  if (value === "")
    throw configurationError(
      `${name} has the option ${option} without a value.`,
      `Write ${option}=… or leave it out.`,
    );
  const type = URI_OPTIONS.get(option);
  if (type === "boolean" && value !== "true" && value !== "false") {
    throw configurationError(
      `${name} has a value for the option ${option} that is neither true nor false.`,
      `Write ${option}=true or ${option}=false.`,
    );
  }
  if (type === "number" && !/^\d{1,15}$/.test(value)) {
    throw configurationError(
      `${name} has a value for the option ${option} that is not a whole number.`,
      `Write digits only after ${option}=.`,
    );
  }
}

function kind(type: OptionKind, names: readonly string[]): [string, OptionKind][] {
  return names.map((option) => [option, type]);
}
