import { configurationError, listed } from "../../../model/configuration-error.ts";
import { describeCharacter } from "./database-name.ts";

/** A MongoDB address cut at its separators; every part as it is written. */
export interface UriParts {
  readonly srv: boolean;
  readonly userInfo: string | undefined;
  readonly hosts: string;
  /** Without the slash before it. */
  readonly database: string;
  /** Without the question mark before it. */
  readonly query: string;
}

export const KEEP_QUOTES = "In a .env file, put the whole value in quotes.";

/**
 * Fails with `usage` where the address cannot be cut in one way only. `name` says where it was written.
 *
 * Written by hand: mongodb-connection-string-url repeats parts of the address in its errors, and does not say which
 * placeholder or unescaped character is wrong.
 */
export function splitUri(uri: string, name: string): UriParts {
  const scheme = /^mongodb(\+srv)?:\/\//.exec(uri);
  if (scheme === null) throw notAnAddress(uri, name);
  refuseInvisible(uri, name);
  const rest = uri.slice(scheme[0].length);
  const lastAt = rest.lastIndexOf("@");
  refuseAtInOptions(rest, lastAt, name);
  const tail = rest.slice(lastAt + 1);
  const match = /^([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?/.exec(tail);
  if (match === null || match[0].length < tail.length) {
    throw configurationError(
      `${name} holds an unescaped # after the host.`,
      `Write %23 for #. ${KEEP_QUOTES}`,
    );
  }
  const [, hosts = "", database = "", query = ""] = match;
  return {
    srv: scheme[1] !== undefined,
    userInfo: lastAt === -1 ? undefined : rest.slice(0, lastAt),
    hosts,
    database,
    query,
  };
}

function notAnAddress(uri: string, name: string): Error {
  const form =
    "A MongoDB address begins with mongodb:// or mongodb+srv://, for example mongodb://localhost:27017/ordersDB.";
  if (uri === "") return configurationError(`${name} is empty.`, form);
  if (/^["'`\u2018\u2019\u201c\u201d]/.test(uri)) {
    return configurationError(
      `${name} begins with a quotation mark.`,
      "Write it without quotes there; quotes belong to .env files and shells, and must be closed.",
    );
  }
  if (/^mongodb(?:\+srv)?:\/\//i.test(uri)) {
    return configurationError(
      `${name} has capital letters in its scheme.`,
      "Write mongodb:// or mongodb+srv:// in lower case.",
    );
  }
  return configurationError(
    `${name} is not a MongoDB address: it does not begin with mongodb:// or mongodb+srv://.`,
    form,
  );
}

function refuseInvisible(uri: string, name: string): void {
  const found = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.exec(uri)?.[0];
  if (found === undefined) return;
  throw configurationError(
    `${name} holds the invisible character ${describeCharacter(found)}.`,
    "It was probably copied by accident; type that part of the address again.",
  );
}

/** Only the `@` before the hosts may stand as it is. One in an option would be taken for it. */
function refuseAtInOptions(rest: string, lastAt: number, name: string): void {
  const first = rest.indexOf("@");
  const question = rest.indexOf("?");
  if (first === lastAt || question < first || question > lastAt) return;
  if (/[/?#]/.test(rest.slice(0, first)) || rest.indexOf("@", first + 1) < question) return;
  if (!rest.slice(question, lastAt).includes("=")) return;
  throw configurationError(
    `${name} holds a second, unescaped @.`,
    "Write %40 for every @ except the one between the password and the host.",
  );
}

/** Refuses what is not percent-encoded; `place` names the part in words, for example "password". */
export function refuseUnescaped(raw: string, separators: RegExp, place: string, name: string): void {
  const found = [...new Set(raw.match(separators) ?? [])];
  if (found.length > 0) {
    const shown = listed(found.map(describeCharacter));
    const advice = listed(
      found.map((character) => `${encodeURIComponent(character)} for ${describeCharacter(character)}`),
    );
    const option = found.includes("?") ? ", and %40 for an @ in an option" : "";
    throw configurationError(
      `${name} holds an unescaped ${shown} in the ${place}.`,
      `Write ${advice} there${option}. ${KEEP_QUOTES}`,
    );
  }
  decodePart(raw, place, name);
}

/** Percent-decodes one part. */
export function decodePart(raw: string, place: string, name: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) {
    throw configurationError(
      `${name} holds a % in the ${place} that begins no percent-encoding.`,
      `Write %25 for % there. ${KEEP_QUOTES}`,
    );
  }
  try {
    return decodeURIComponent(raw);
  } catch {
    throw configurationError(
      `${name} holds a percent-encoding in the ${place} that is not UTF-8 text.`,
      "Encode that part again, for example with encodeURIComponent.",
    );
  }
}
