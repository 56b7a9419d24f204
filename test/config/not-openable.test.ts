import { expect, test } from "vitest";
import { parseLocation } from "../../src/config/pairs/location.ts";
import { type PairOptions, resolvePair } from "../../src/config/pairs/pairs.ts";
import type { PairCommand } from "../../src/connectors/connector.ts";
import { connectors } from "../../src/connectors/registry.ts";
import { environmentOf, failureOf, textOf } from "../support/configuration-failure.ts";

const MAIN = { MONGODB_URI: "mongodb://main/shop" };
const SUPABASE = {
  NEXT_PUBLIC_SUPABASE_URL: "https://abc.supabase.co",
  SUPABASE_SERVICE_ROLE_KEY: "sb_secret_x",
};
const KV = { KV_REST_API_URL: "https://abc.upstash.io", KV_REST_API_TOKEN: "t" };

type Flags = Omit<PairOptions, "environment">;

function labels(command: PairCommand, variables: Record<string, string>, flags: Flags = {}): string {
  const { source, target } = resolvePair(command, { ...flags, environment: environmentOf(variables) });
  return `${source.label} -> ${target.label}`;
}

const FORMS = connectors().flatMap(({ open, forms }) => (open === undefined ? forms : []));

test.each(["file:/b", "file:"])(
  "--from %s is answered with one sentence while such a store cannot be opened",
  (from) => {
    const failure = failureOf(() => labels("diff", MAIN, { from, to: "mongodb" }));
    expect(failure.exit).toBe("usage");
    expect(failure.message).toMatch(
      /^--from names an? [a-zA-Z ]+, which this version of dualsync does not support yet\. /,
    );
  },
);

test.each(["hunter2", "./backup", "rediss://h:6379", "fil:./a", ""])(
  "advice on %j names no store that cannot be opened yet",
  (text) => {
    expect(FORMS.length).toBeGreaterThan(0);
    const failure = textOf(failureOf(() => parseLocation(text, "--from", environmentOf())));
    expect(failure).not.toMatch(/file:|archive/);
  },
);

test.each<[PairCommand, Record<string, string>, Flags]>([
  ["diff", {}, {}],
  ["duplicate", { ...KV, ...SUPABASE, ...MAIN }, {}],
  [
    "diff",
    { ...SUPABASE, ...KV, ...MAIN, MONGODB_LOCAL_URI: "mongodb://l/a", MONGODB_ATLAS_URI: "mongodb://m/a" },
    {},
  ],
  ["duplicate", { ...SUPABASE, ...MAIN }, { from: "supabase", to: "mongodb" }],
  ["diff", KV, { to: "mongodb://b/y" }],
])(
  "what %s says of pairs names no store that cannot be opened yet, in %j with %j",
  (command, variables, flags) => {
    expect(textOf(failureOf(() => labels(command, variables, flags)))).not.toMatch(/file:|archive/);
  },
);
