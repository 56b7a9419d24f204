import type { Failure } from "../failure.ts";

/** What is said of a run that can be resumed. */
export const AGAIN = "What was done is kept; run the same command again to resume.";

/** Ways in which no whole answer comes, of which nothing depends on who should have answered. Names are stable. */
export const HTTP_FAILURES = {
  "dns-silent": {
    exit: "role",
    says: "DNS did not answer the query for {where}.",
    means: "This machine's name server is down or failing.",
    hint: "Check this machine's network, DNS and any VPN. Then run the same command again.",
    passes: true,
  },
  tls: {
    exit: "role",
    says: "No secure connection to {where}{detail}.",
    means:
      "The certificate is not trusted, has expired or is for another host, or the server does not speak TLS.",
    hint: "Check the address and this machine's clock. Behind a company's proxy set NODE_EXTRA_CA_CERTS.",
  },
  broken: {
    exit: "role",
    says: "The connection to {where} broke while trying to {doing}{detail}.",
    means: "The connection ended before the answer came, again and again.",
    hint: AGAIN,
    passes: true,
  },
} as const satisfies Record<string, Failure>;
