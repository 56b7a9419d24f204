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

test.each<[PairCommand, Record<string, string>, string]>([
  ["diff", { ...KV, ...MAIN }, "main:27017/shop -> main:27017/shop_backup"],
  ["diff", { ...KV, ...MAIN, ...SUPABASE }, "abc.supabase.co -> main:27017/shop"],
  ["diff", { KV_REST_API_URL: "nonsense", ...MAIN }, "main:27017/shop -> main:27017/shop_backup"],
  ["duplicate", { ...KV, ...MAIN }, "main:27017/shop -> main:27017/shop_backup"],
  ["backfill", { ...KV, ...MAIN, ...SUPABASE }, "abc.supabase.co -> main:27017/shop"],
])("%s takes no pair from a store that cannot be opened yet, in %j", (command, variables, expected) => {
  expect(labels(command, variables)).toBe(expected);
});

test.each<[string, Record<string, string>]>([
  ["kv", { ...KV, ...MAIN }],
  ["kv", MAIN],
  ["file:/b", MAIN],
  ["file:", MAIN],
])("--from %s is answered with one sentence while such a store cannot be opened", (from, variables) => {
  const failure = failureOf(() => labels("diff", variables, { from, to: "mongodb" }));
  expect(failure.exit).toBe("usage");
  expect(failure.message).toMatch(
    /^--from names an? [a-zA-Z ]+, which this version of dualsync does not support yet\. /,
  );
});

test.each(["hunter2", "./backup", "rediss://h:6379", "fil:./a", ""])(
  "advice on %j names no store that cannot be opened yet",
  (text) => {
    expect(FORMS.length).toBeGreaterThan(0);
    const failure = textOf(failureOf(() => parseLocation(text, "--from", environmentOf())));
    expect(failure).not.toMatch(/\bkv\b|file:|sync-kv|restore/);
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
    expect(textOf(failureOf(() => labels(command, variables, flags)))).not.toMatch(/KV|\bkv\b|file:|archive/);
  },
);
