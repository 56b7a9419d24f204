import { beforeAll, expect, test } from "vitest";
import { parseLocation } from "../../src/config/pairs/location.ts";
import { type PairOptions, resolvePair } from "../../src/config/pairs/pairs.ts";
import { archive } from "../../src/connectors/archive/connector.ts";
import type { Connector, PairCommand } from "../../src/connectors/connector.ts";
import { register } from "../../src/connectors/registry.ts";
import { configurationError } from "../../src/model/configuration-error.ts";
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

/** There is no way to open one. */
const tape: Connector = {
  ...(archive as unknown as Connector),
  kind: "tape",
  words: { ...archive.words, store: "a tape" },
  forms: ["tape:NAME"],
  parse(text, flag) {
    if (!text.startsWith("tape:")) return undefined;
    if (text === "tape:") throw configurationError(`${flag} has no name.`, "Write one.");
    return { location: { kind: "tape", label: text, origin: flag }, warnings: [] };
  },
  advise: (text) => (text.includes("./") ? "For a tape write tape: before it." : undefined),
  open: undefined as never,
};

beforeAll(() => register(tape));

test.each(["tape:/b", "tape:"])(
  "--from %s is answered with one sentence while such a store cannot be opened",
  (from) => {
    const failure = failureOf(() => labels("diff", MAIN, { from, to: "mongodb" }));
    expect(failure.exit).toBe("usage");
    expect(failure.message).toMatch(
      /^--from names an? [a-zA-Z ]+, which this version of dualsync does not support yet\. /,
    );
  },
);

test.each(["hunter2", "./backup", "rediss://h:6379", "tap:./a", ""])(
  "advice on %j names no store that cannot be opened yet",
  (text) => {
    const failure = textOf(failureOf(() => parseLocation(text, "--from", environmentOf())));
    expect(failure).not.toMatch(/tape/);
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
    expect(textOf(failureOf(() => labels(command, variables, flags)))).not.toMatch(/tape/);
  },
);
