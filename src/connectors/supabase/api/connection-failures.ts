import type { Failure } from "../../failure.ts";

const AGAIN = "What was done stays; run the same command again: it goes on.";

/** No whole answer of the project came. Names are stable. */
export const CONNECTION_FAILURES = {
  "host-unknown": {
    exit: "role",
    says: "The host name of {where} cannot be resolved.",
    means:
      "DNS knows no address for the host: it is misspelled, or the project was removed or has been paused for long.",
    hint: "Check the project's address on its settings page, the DNS and any VPN.",
    passes: true,
  },
  "dns-silent": {
    exit: "role",
    says: "DNS did not answer when asked for {where}.",
    means: "The name server of this machine is not there or fails.",
    hint: "Check this machine's network, DNS and any VPN, then run the same command again.",
    passes: true,
  },
  "refused-here": {
    exit: "role",
    says: "Connection refused by {where}.",
    means: "Nothing listens at this port of this machine.",
    hint: "Is the local project running (supabase start), and is the port right?",
    passes: true,
  },
  refused: {
    exit: "role",
    says: "Connection refused by {where}.",
    means: "The host is there, but nothing listens at this port, or a firewall refuses.",
    hint: "Check the project's address on its settings page, and any firewall or proxy.",
    passes: true,
  },
  tls: {
    exit: "role",
    says: "No secure connection to {where}{detail}.",
    means: "The certificate is not trusted, has expired or is another host's, or TLS is not spoken there.",
    hint: "Check the address and this machine's clock; behind a company's proxy set NODE_EXTRA_CA_CERTS.",
  },
  broken: {
    exit: "role",
    says: "The connection to {where} broke while trying to {doing}{detail}.",
    means: "The connection ended before the answer came, again and again.",
    hint: AGAIN,
    passes: true,
  },
  late: {
    exit: "role",
    says: "No whole answer in time from {where} while trying to {doing}.",
    means: "The project hangs, or the line is too thin for what was asked for.",
    hint: AGAIN,
    passes: true,
  },
  "cut-short": {
    exit: "role",
    says: "The answer of {where} ended early while trying to {doing}, each time that it was asked.",
    means: "Something between the project and this machine cuts answers; a part of one is never used.",
    hint: "Is there a proxy in between? What was done stays; run the same command again: it goes on.",
    passes: true,
  },
  redirected: {
    exit: "role",
    says: "{Where} sends requests elsewhere{detail}; they were not followed, so that the key goes nowhere else.",
    means: "The address begins with http:// in place of https://, or is not the project's own.",
    hint: "Copy the project's address again from its settings page.",
  },
  "not-understood": {
    exit: "role",
    says: "What answers at {where} is not a Supabase project's data API{detail}.",
    means: "A page for people, an empty answer or other data came where rows should be.",
    hint: "Check the project's address (https://name.supabase.co) and any proxy in between.",
  },
  "too-big": {
    exit: "role",
    says: "{Where} answered with more than is held in memory when trying to {doing}.",
    means: "A single row, or the list of tables, is very large.",
    hint: "Leave the table out with --exclude.",
  },
  "no-count": {
    exit: "role",
    says: "{Where} did not give an exact number of rows when trying to {doing}.",
    means: "A proxy took the answer's Content-Range away; an estimated number is never used in its place.",
    hint: "Check any proxy in between; this project can be used without it.",
  },
} as const satisfies Record<string, Failure>;
