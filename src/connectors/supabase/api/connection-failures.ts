import type { Failure } from "../../failure.ts";
import { AGAIN, HTTP_FAILURES } from "../../http/http-failures.ts";

/** No whole answer of the project came. Names are stable. */
export const CONNECTION_FAILURES = {
  "host-unknown": {
    exit: "role",
    says: "The host name of {where} cannot be resolved.",
    means:
      "DNS has no address for the host: it is misspelled, or the project was removed or has been paused for a long time.",
    hint: "Check the project's address on its settings page, this machine's DNS and any VPN.",
    passes: true,
  },
  "dns-silent": HTTP_FAILURES["dns-silent"],
  "refused-here": {
    exit: "role",
    says: "Connection refused by {where} on this machine.",
    means: "Nothing listens on this port of this machine.",
    hint: "Is the local project running (supabase start), and is the port right?",
    passes: true,
  },
  refused: {
    exit: "role",
    says: "Connection refused by {where}.",
    means: "The host is up, but nothing listens on this port, or a firewall refuses the connection.",
    hint: "Check the project's address on its settings page, and any firewall or proxy.",
    passes: true,
  },
  tls: HTTP_FAILURES.tls,
  broken: HTTP_FAILURES.broken,
  late: {
    exit: "role",
    says: "No complete answer in time from {where} while trying to {doing}.",
    means: "The project hangs, or the connection is too slow for what was requested.",
    hint: AGAIN,
    passes: true,
  },
  "cut-short": {
    exit: "role",
    says: "The answer of {where} ended early on every attempt to {doing}.",
    means:
      "Something between this machine and the project cuts answers short. A partial answer is never used.",
    hint: `Is there a proxy in between? ${AGAIN}`,
    passes: true,
  },
  redirected: {
    exit: "role",
    says: "{Where} redirects requests{detail}. Redirects are not followed, so that the key is sent nowhere else.",
    means: "The address begins with http:// instead of https://, or is not the project's own.",
    hint: "Copy the project's address again from its settings page.",
  },
  "not-understood": {
    exit: "role",
    says: "{Where} does not answer as the data API of a Supabase project{detail}.",
    means: "It sent a web page, an empty answer or other data instead of rows.",
    hint: "Check the project's address (https://name.supabase.co) and any proxy in between.",
  },
  "too-big": {
    exit: "role",
    says: "{Where} sent more than dualsync holds in memory when trying to {doing}.",
    means: "A single row, or the list of tables, is very large.",
    hint: "Leave the table out with --exclude.",
  },
  "no-count": {
    exit: "role",
    says: "{Where} returned no exact row count when trying to {doing}.",
    means: "A proxy removed the answer's Content-Range. An estimate is never used instead.",
    hint: "Check any proxy in between; without it, this project can be used.",
  },
} as const satisfies Record<string, Failure>;
