import { isIP, isIPv6 } from "node:net";
import { configurationError } from "../../../model/configuration-error.ts";
import { decodePart } from "./uri-parts.ts";
import { refusePlaceholder } from "./uri-user.ts";

const DEFAULT_PORT = 27017;
const HOST_NAME = /^[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*\.?$/u;

/**
 * The hosts of an address for display and comparison: small letters, the default port written out; sockets as their
 * path. Messages name a host by its place in the list: where an `@` is missing, a part of the password stands there.
 */
export function checkHosts(hosts: string, srv: boolean, name: string): string[] {
  if (hosts === "") {
    throw configurationError(
      `${name} names no host.`,
      "Write the host after mongodb:// or after the @; a socket's path is written with %2F for each slash.",
    );
  }
  const list = hosts.split(",");
  if (srv && list.length > 1) {
    throw configurationError(
      `${name} names several hosts, but mongodb+srv:// takes one.`,
      "Write mongodb:// for a list of hosts, or the one host that the console shows.",
    );
  }
  return list.map((host, index) =>
    checkHost(host, srv, list.length === 1 ? "host" : `host ${index + 1}`, name),
  );
}

function checkHost(host: string, srv: boolean, place: string, name: string): string {
  refusePlaceholder(host, "host", name);
  if (host === "")
    throw configurationError(`${name} has an empty name as ${place}.`, "There is a comma too many.");
  if (/%2f/i.test(host) || host.endsWith(".sock")) return checkSocket(host, srv, place, name);
  const { hostName, port } = splitPort(host, place, name);
  if (srv) refuseInSrv(hostName, port, name);
  const bare = hostName.startsWith("[") ? hostName.slice(1, -1) : hostName;
  if (hostName.startsWith("[") ? !isIPv6(bare) : !HOST_NAME.test(bare)) {
    throw configurationError(
      `${name} has a ${place} with characters that no host name has.`,
      "Write letters, digits, dots and hyphens.",
    );
  }
  if (/^x{3,}$/im.test(bare.replaceAll(".", "\n")) && /\.mongodb\.net\.?$/i.test(bare)) {
    throw configurationError(
      `${name} still holds a placeholder where the host belongs.`,
      "Copy the host from the cluster's connect page.",
    );
  }
  const shown = hostName.toLowerCase();
  return srv ? shown : `${shown}:${port ?? DEFAULT_PORT}`;
}

function splitPort(
  host: string,
  place: string,
  name: string,
): { hostName: string; port: number | undefined } {
  if (isIPv6(host)) {
    throw configurationError(
      `${name} has an IPv6 address without brackets as ${place}.`,
      "Write it in brackets: [::1]:27017.",
    );
  }
  const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(host);
  const [, hostName = host, port] = match ?? [];
  if (port === undefined) return { hostName, port: undefined };
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number < 1 || number > 65535) {
    throw configurationError(
      `${name} has a ${place} whose port is not a number from 1 to 65535.`,
      "If that is user and password, the @ and the host are missing: an unquoted # in a .env file cuts a value.",
    );
  }
  return { hostName, port: number };
}

function refuseInSrv(hostName: string, port: number | undefined, name: string): void {
  if (port !== undefined) {
    throw configurationError(
      `${name} has a port, but mongodb+srv:// takes none.`,
      "Leave the port out, or write mongodb://.",
    );
  }
  if (hostName.startsWith("[") || isIP(hostName) !== 0) {
    throw configurationError(
      `${name} has a numeric address, but mongodb+srv:// needs a name.`,
      "Write mongodb:// for a numeric address.",
    );
  }
}

function checkSocket(host: string, srv: boolean, place: string, name: string): string {
  if (srv)
    throw configurationError(
      `${name} names a socket, but mongodb+srv:// takes a host name.`,
      "Write mongodb:// for a socket.",
    );
  const path = decodePart(host, place, name);
  if (!/^[\w.~%-]+\.sock$/.test(host) || /\p{Cc}/u.test(path)) {
    throw configurationError(
      `${name} has a socket as ${place} whose path does not end in .sock or holds unescaped characters.`,
      "Write the whole path with %2F for each slash, for example %2Ftmp%2Fmongodb-27017.sock.",
    );
  }
  return path;
}
