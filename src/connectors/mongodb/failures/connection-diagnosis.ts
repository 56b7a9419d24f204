/** From the driver's errors while connecting to the sentence that names what is behind them. */
import type { MongodbFailure, MongodbFailurePlace } from "./failures.ts";

/** One error of a chain: its own code may be the system's or the TLS library's. */
interface Link {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

/** Codes that mean one thing wherever they stand. */
const BY_CODE: ReadonlyMap<string, MongodbFailure> = new Map([
  ["ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", "tls-access-list"],
  ["CERT_HAS_EXPIRED", "tls-expired"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls-untrusted"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "tls-untrusted"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls-untrusted"],
  ["UNABLE_TO_GET_ISSUER_CERT", "tls-untrusted"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "tls-untrusted"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "tls-wrong-name"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "tls-not-spoken"],
  ["ERR_SSL_PACKET_LENGTH_TOO_LONG", "tls-not-spoken"],
  ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "tls-version"],
  ["ERR_SSL_UNSUPPORTED_PROTOCOL", "tls-version"],
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "tls-client-certificate"],
  ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "tls-client-certificate"],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "tls-client-certificate"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "tls-client-certificate"],
  ["ENOTFOUND", "host-unknown"],
  ["EAI_AGAIN", "dns-silent"],
]);

const SRV: ReadonlyMap<string, MongodbFailure> = new Map([
  ["ENOTFOUND", "srv-unknown"],
  ["ENODATA", "srv-unknown"],
]);

/** With these a member of a replica set is not there, or its name is not known here. */
const UNREACHABLE = new Set(["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH"]);

/** Why no connection came about; undefined when the errors do not say. `error` is what the driver threw. */
export function diagnoseConnection(error: unknown, place: MongodbFailurePlace): MongodbFailure | undefined {
  const links = chain(error);
  const srv = links.find(({ message }) => /^query(?:Srv|Txt) /.test(message));
  if (srv !== undefined) return SRV.get(srv.code) ?? "dns-silent";
  if (links.some(({ message }) => /^No addresses found at host/.test(message))) return "srv-unknown";
  if (links.some(({ message }) => /does not share hostname with parent/.test(message))) return "srv-foreign";
  const ofSet = diagnoseSet(error, place.label);
  if (ofSet !== undefined && links.every(({ code }) => code === "" || UNREACHABLE.has(code))) return ofSet;
  for (const { code } of links) {
    const known = BY_CODE.get(code);
    if (known !== undefined) return known;
  }
  if (links.some(({ code }) => code === "ECONNREFUSED"))
    return isHere(place.label) ? "refused-here" : "refused";
  return diagnoseText(links, place);
}

function diagnoseText(links: readonly Link[], place: MongodbFailurePlace): MongodbFailure | undefined {
  const says = (pattern: RegExp): boolean => links.some(({ message }) => pattern.test(message));
  if (says(/reports maximum wire version|reports wire version/)) return "server-old";
  if (says(/reports minimum wire version|requires wire version/)) return "server-new";
  if (links.some(isFileFault)) return "tls-file";
  if (says(/before secure TLS connection/)) return "tls-closed";
  if (tlsCode(links) !== undefined) return "tls-other";
  if (
    links.some(({ name }) => /^(?:MongoParseError|BSON)/.test(name)) ||
    says(/BSON|Message size|offset: \d/)
  )
    return "not-mongodb";
  if (place.doing === "connect" && says(/^connection .* closed$|ECONNRESET|EPIPE|socket hang up/))
    return "closed-at-once";
  if (links.some(({ name }) => name === "MongoServerSelectionError"))
    return isHosted(place.label) ? "no-answer-hosted" : "no-answer";
  return undefined;
}

/** Code of the system or of the TLS library, to be shown: it holds nothing of a server or a file. */
export function tlsCode(error: unknown): string | undefined {
  const links = Array.isArray(error) ? (error as readonly Link[]) : chain(error);
  return links.find((link) => isFileFault(link) || /^ERR_(?:SSL|TLS)_|CERT|CRL/.test(link.code))?.code;
}

/** The driver reads certificate files itself, and only those. */
function isFileFault({ code, message }: Link): boolean {
  return /^(?:ENOENT|EACCES|EISDIR|EPERM): .*\b(?:open|read)\b/.test(message) || /^ERR_OSSL_/.test(code);
}

/** What the driver's last look at a replica set says, when it found one. */
function diagnoseSet(error: unknown, label: string): MongodbFailure | undefined {
  const { type, servers } = (error as { reason?: DnsLook } | undefined)?.reason ?? {};
  if (type !== "ReplicaSetNoPrimary" || servers === undefined) return undefined;
  const types = [...servers.values()].map((server) => String(server.type));
  // None is left when all that were asked belong to a set of another name.
  if (types.length === 0 || types.some((one) => one.startsWith("RS"))) return "no-primary";
  return [...servers.keys()].some((address) => !isOf(address, label)) ? "member-names" : undefined;
}

interface DnsLook {
  readonly type?: unknown;
  readonly servers?: ReadonlyMap<string, { readonly type?: unknown }>;
}

/** The address stands in the URI, or DNS announced it for the URI's name: then both are of one domain. */
function isOf(address: string, label: string): boolean {
  const domain = /\.(.*[a-z].*)$/i.exec(address.replace(/:\d+$/, ""))?.[1];
  return label.includes(address) || (domain !== undefined && label.includes(domain));
}

function isHere(label: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?:[:/]|$)/.test(label);
}

/** A host somewhere on the internet, by its name. */
function isHosted(label: string): boolean {
  return /\.(?:net|com|cloud|io|org|dev|app)(?:[:,/]|$)/.test(label);
}

/** The error, its causes, and what each server of the driver's last look failed with. */
function chain(error: unknown): Link[] {
  const links: Link[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 6 && typeof current === "object" && current !== null; depth++) {
    const { name, code, message, cause } = current as Record<string, unknown>;
    const own = typeof code === "string" ? code : "";
    links.push({ name: String(name ?? ""), code: own, message: String(message ?? "") });
    current = cause;
  }
  return links;
}
