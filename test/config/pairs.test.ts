import { describe, expect, test } from "vitest";
import { type PairOptions, resolvePair, type StorePair } from "../../src/config/pairs/pairs.ts";
import type { Location, PairCommand } from "../../src/connectors/connector.ts";
import type { MongodbLocation } from "../../src/connectors/mongodb/location/location.ts";
import type { DualsyncError } from "../../src/model/errors.ts";
import { Redactor } from "../../src/redact/redact.ts";
import { environmentOf, failureOf, textOf } from "../support/configuration-failure.ts";

const MAIN = { MONGODB_URI: "mongodb://u:hunter2@main/shop" };
const LOCAL = {
  MONGODB_LOCAL_URI: "mongodb://local/shop",
  MONGODB_ATLAS_URI: "mongodb+srv://u:hunter2@c.abcde.mongodb.net/shop",
};
const SUPABASE = {
  NEXT_PUBLIC_SUPABASE_URL: "https://abc.supabase.co",
  SUPABASE_SERVICE_ROLE_KEY: "sb_secret_hunter2",
};
const KV = { KV_REST_API_URL: "https://abc.upstash.io", KV_REST_API_TOKEN: "hunter2" };
type Flags = Omit<PairOptions, "environment">;

function resolve(command: PairCommand, variables: Record<string, string>, flags: Flags = {}): StorePair {
  return resolvePair(command, { ...flags, environment: environmentOf(variables) });
}

function labels(command: PairCommand, variables: Record<string, string>, flags: Flags = {}): string {
  const { source, target } = resolve(command, variables, flags);
  return `${source.label} -> ${target.label}`;
}

function refusal(command: PairCommand, variables: Record<string, string>, flags: Flags = {}): DualsyncError {
  const failure = failureOf(() => resolve(command, variables, flags));
  expect(textOf(failure)).not.toContain("hunter2");
  expect(new Redactor().redact(textOf(failure))).toBe(textOf(failure));
  return failure;
}

function inMongodb(location: Location): MongodbLocation {
  expect(location.kind).toBe("mongodb");
  return location as MongodbLocation;
}

/** The command lines that a failure offers, as flags. */
function offered(failure: DualsyncError): Flags[] {
  return [...(failure.hint ?? "").matchAll(/dualsync [a-z-]+((?: --(?:from|to) \S+)+)/g)].map(
    ([, flags = ""]) => {
      const value = (name: string): string | undefined => new RegExp(`--${name} (\\S+)`).exec(flags)?.[1];
      return { from: value("from"), to: value("to") };
    },
  );
}

describe("pairs that the environment names", () => {
  test.each<[PairCommand, string, Record<string, string>, string]>([
    ["duplicate", "one MongoDB", MAIN, "main:27017/shop -> main:27017/shop_backup"],
    ["diff", "one MongoDB", MAIN, "main:27017/shop -> main:27017/shop_backup"],
    ["restore", "one MongoDB", MAIN, "main:27017/shop_backup -> main:27017/shop"],
    ["duplicate", "local and Atlas", LOCAL, "local:27017/shop -> c.abcde.mongodb.net/shop"],
    ["diff", "local and Atlas", LOCAL, "local:27017/shop -> c.abcde.mongodb.net/shop"],
    ["restore", "local and Atlas", LOCAL, "c.abcde.mongodb.net/shop -> local:27017/shop"],
    ["backfill", "Supabase", { ...SUPABASE, ...MAIN }, "abc.supabase.co -> main:27017/shop"],
    ["diff", "Supabase", { ...SUPABASE, ...MAIN }, "abc.supabase.co -> main:27017/shop"],
    ["restore", "Supabase", { ...SUPABASE, ...MAIN }, "main:27017/shop -> abc.supabase.co"],
    ["sync-kv", "KV", { ...KV, ...MAIN }, "abc.upstash.io -> main:27017/shop"],
    ["diff", "KV", { ...KV, ...MAIN }, "abc.upstash.io -> main:27017/shop"],
    ["restore", "KV", { ...KV, ...MAIN }, "main:27017/shop -> abc.upstash.io"],
    [
      "backfill",
      "Supabase beside others",
      { ...SUPABASE, ...KV, ...MAIN, ...LOCAL },
      "abc.supabase.co -> main:27017/shop",
    ],
    [
      "sync-kv",
      "KV beside others",
      { ...SUPABASE, ...KV, ...MAIN, ...LOCAL },
      "abc.upstash.io -> main:27017/shop",
    ],
    [
      "duplicate",
      "local and Atlas beside Supabase",
      { ...SUPABASE, ...MAIN, ...LOCAL },
      "local:27017/shop -> c.abcde.mongodb.net/shop",
    ],
    [
      "duplicate",
      "local and Atlas, the local one twice",
      { ...LOCAL, MONGODB_URI: "mongodb://u:p@LOCAL:27017/shop" },
      "local:27017/shop -> c.abcde.mongodb.net/shop",
    ],
    [
      "duplicate",
      "local and Atlas, Atlas twice",
      { ...LOCAL, MONGODB_URI: LOCAL.MONGODB_ATLAS_URI },
      "local:27017/shop -> c.abcde.mongodb.net/shop",
    ],
    [
      "duplicate",
      "a Supabase project without its key",
      { NEXT_PUBLIC_SUPABASE_URL: "https://abc.supabase.co", ...MAIN },
      "main:27017/shop -> main:27017/shop_backup",
    ],
    [
      "sync-kv",
      "the KV shop",
      {
        ...KV,
        MONGODB_URI: "mongodb+srv://u:p@c.abcde.mongodb.net/?appName=x",
        MONGODB_DB_NAME: "skinvault",
      },
      "abc.upstash.io -> c.abcde.mongodb.net/skinvault",
    ],
  ])("%s finds its pair in an environment with %s", (command, _what, variables, expected) => {
    expect(labels(command, variables)).toBe(expected);
  });

  test("the derived copy uses the credentials of the primary", () => {
    const pair = resolve("duplicate", MAIN);
    const [source, target] = [inMongodb(pair.source), inMongodb(pair.target)];
    expect(target.address.uri).toBe(source.address.uri);
    expect(target.database).toBe("shop_backup");
    expect(target.origin).toBe("MONGODB_URI in the environment");
  });

  test("a command ignores the variables of pairs that it does not use", () => {
    expect(
      labels("backfill", {
        ...SUPABASE,
        ...MAIN,
        MONGODB_LOCAL_URI: "nonsense",
        MONGODB_ATLAS_URI: "nonsense",
        KV_REST_API_URL: "nonsense",
      }),
    ).toContain("->");
  });
});

describe("environments without a pair", () => {
  test.each<[PairCommand, Record<string, string>, string]>([
    ["duplicate", {}, "Set MONGODB_LOCAL_URI and MONGODB_ATLAS_URI; or MONGODB_URI (for example"],
    ["backfill", {}, "Set NEXT_PUBLIC_SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY and MONGODB_URI (for example"],
    ["sync-kv", {}, "Set KV_REST_API_URL, KV_REST_API_TOKEN and MONGODB_URI"],
    ["diff", {}, "MONGODB_LOCAL_URI and MONGODB_ATLAS_URI"],
    ["restore", {}, "MONGODB_URI"],
    [
      "duplicate",
      { MONGODB_LOCAL_URI: "mongodb://local/a" },
      "MONGODB_LOCAL_URI is set, but MONGODB_ATLAS_URI is not",
    ],
    [
      "backfill",
      { NEXT_PUBLIC_SUPABASE_URL: "https://abc.supabase.co" },
      "NEXT_PUBLIC_SUPABASE_URL is set, but SUPABASE_SERVICE_ROLE_KEY and MONGODB_URI are not",
    ],
    [
      "backfill",
      { SUPABASE_URL: "https://abc.supabase.co", ...MAIN },
      "SUPABASE_URL is set, but SUPABASE_SERVICE_ROLE_KEY is not",
    ],
    [
      "sync-kv",
      { UPSTASH_REDIS_REST_TOKEN: "hunter2", ...MAIN },
      "UPSTASH_REDIS_REST_TOKEN is set, but KV_REST_API_URL is not",
    ],
    [
      "sync-kv",
      { KV_REST_API_READ_ONLY_TOKEN: "hunter2", ...MAIN },
      "KV_REST_API_READ_ONLY_TOKEN in the environment can neither write nor list keys",
    ],
    [
      "sync-kv",
      { KV_URL: "rediss://default:hunter2@abc.upstash.io:6379", ...MAIN },
      "KV_URL in the environment is no address of the REST API",
    ],
    [
      "backfill",
      MAIN,
      "MONGODB_URI is set, but NEXT_PUBLIC_SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY are not",
    ],
  ])("%s says which variables to set when the environment is %j", (command, variables, expected) => {
    const failure = refusal(command, variables);
    expect(failure.exit).toBe("usage");
    expect(textOf(failure)).toContain(expected);
  });

  test.each([
    ["Supabase", SUPABASE, "dualsync backfill"],
    ["KV", KV, "dualsync sync-kv"],
  ])("duplicate refuses to copy a database that is the copy of a %s store", (store, variables, advice) => {
    const failure = refusal("duplicate", { ...MAIN, ...variables });
    expect(failure.exit).toBe("usage");
    expect(failure.message).toContain(`the copy of the ${store} store`);
    expect(failure.hint).toContain(advice);
    expect(
      labels(
        "duplicate",
        { ...MAIN, ...variables, OTHER: "mongodb://other/x" },
        { from: "mongodb", to: "env:OTHER" },
      ),
    ).toContain("other");
  });

  test("duplicate refuses to copy a database that is a backup by its name", () => {
    const failure = refusal("duplicate", { MONGODB_URI: "mongodb://u:hunter2@h/shop_backup" });
    expect(failure.exit).toBe("usage");
    expect(failure.message).toContain("shop_backup");
  });

  test("duplicate rejects a database whose copy's name would be longer than 63 bytes", () => {
    const uri = (length: number): Record<string, string> => ({
      MONGODB_URI: `mongodb://h/${"x".repeat(length)}`,
    });
    expect(labels("duplicate", uri(56))).toContain("_backup");
    expect(refusal("duplicate", uri(57)).message).toContain(
      "no room for _backup: the copy's name is 64 bytes long",
    );
  });
});

describe("environments with several pairs", () => {
  test.each<[PairCommand, Record<string, string>, readonly string[]]>([
    [
      "duplicate",
      { ...MAIN, ...LOCAL },
      ["--from env:MONGODB_LOCAL_URI --to env:MONGODB_ATLAS_URI", "--from mongodb"],
    ],
    [
      "restore",
      { ...MAIN, ...LOCAL },
      ["--from env:MONGODB_ATLAS_URI --to env:MONGODB_LOCAL_URI", "--to mongodb"],
    ],
    [
      "diff",
      { ...MAIN, ...SUPABASE, ...KV, ...LOCAL },
      [
        "--from supabase --to mongodb",
        "--from kv --to mongodb",
        "--from env:MONGODB_LOCAL_URI --to env:MONGODB_ATLAS_URI",
      ],
    ],
    ["restore", { ...MAIN, ...SUPABASE, ...KV }, ["--from mongodb --to supabase", "--from mongodb --to kv"]],
  ])(
    "%s lists a working command line for each pair when the environment is %j",
    (command, variables, lines) => {
      const failure = refusal(command, variables);
      expect(failure.exit).toBe("usage");
      for (const line of lines) expect(failure.hint).toContain(`dualsync ${command} ${line}`);
      const flags = offered(failure);
      expect(flags).toHaveLength(lines.length);
      const resolved = flags.map((one) => labels(command, variables, one));
      expect(new Set(resolved).size).toBe(lines.length);
    },
  );
});

describe("--from and --to", () => {
  test("the environment's pairs do not matter when both flags are given", () => {
    expect(
      labels(
        "duplicate",
        { A: "mongodb://a/x", MONGODB_URI: "nonsense" },
        { from: "env:A", to: "mongodb://b/y" },
      ),
    ).toBe("a:27017/x -> b:27017/y");
    expect(labels("restore", {}, { from: "mongodb://a/x", to: "mongodb://b/y" })).toBe(
      "a:27017/x -> b:27017/y",
    );
  });

  test.each<[PairCommand, Record<string, string>, Flags, string]>([
    ["duplicate", MAIN, { to: "mongodb://b/y" }, "main:27017/shop -> b:27017/y"],
    ["duplicate", MAIN, { from: "mongodb" }, "main:27017/shop -> main:27017/shop_backup"],
    [
      "duplicate",
      { ...MAIN, ...LOCAL },
      { from: "env:MONGODB_LOCAL_URI" },
      "local:27017/shop -> c.abcde.mongodb.net/shop",
    ],
    ["duplicate", LOCAL, { from: "mongodb://a/x" }, "a:27017/x -> c.abcde.mongodb.net/shop"],
    ["backfill", { ...SUPABASE, ...MAIN }, { to: "mongodb://b/y" }, "abc.supabase.co -> b:27017/y"],
    ["backfill", SUPABASE, { to: "mongodb://b/y" }, "abc.supabase.co -> b:27017/y"],
    ["sync-kv", KV, { to: "mongodb://b/y" }, "abc.upstash.io -> b:27017/y"],
    ["sync-kv", { ...KV, ...MAIN }, { from: "kv" }, "abc.upstash.io -> main:27017/shop"],
    ["diff", { ...SUPABASE, ...KV, ...MAIN }, { from: "kv" }, "abc.upstash.io -> main:27017/shop"],
    ["diff", MAIN, { from: "mongodb://b/y" }, "b:27017/y -> main:27017/shop_backup"],
    ["restore", MAIN, { from: "file:/b" }, "/b -> main:27017/shop"],
    ["restore", KV, { from: "file:/b" }, "/b -> abc.upstash.io"],
    ["duplicate", MAIN, { to: "file:/b" }, "main:27017/shop -> /b"],
    ["duplicate", SUPABASE, { to: "file:/b" }, "abc.supabase.co -> /b"],
    ["duplicate", { ...SUPABASE, ...MAIN }, { to: "file:/b" }, "abc.supabase.co -> /b"],
    ["duplicate", { ...KV, ...MAIN }, { to: "file:/b" }, "abc.upstash.io -> /b"],
    ["restore", MAIN, { to: "mongodb://b/y" }, "main:27017/shop_backup -> b:27017/y"],
    ["restore", { ...SUPABASE, ...MAIN }, { from: "file:/b" }, "/b -> abc.supabase.co"],
  ])(
    "%s with %j and the flags %j takes the other side from the environment's pair",
    (command, variables, flags, expected) => {
      expect(labels(command, variables, flags)).toBe(expected);
    },
  );

  test.each<[string, PairCommand, Record<string, string>, Flags]>([
    [
      "the other side could only be derived from another database",
      "duplicate",
      MAIN,
      { from: "mongodb://a/x" },
    ],
    ["the environment names nothing", "duplicate", {}, { from: "mongodb://a/x" }],
    ["several primaries remain", "diff", { ...SUPABASE, ...KV, ...MAIN }, { to: "mongodb://b/y" }],
    ["only the same store remains", "diff", { ...SUPABASE, ...MAIN }, { from: "mongodb" }],
  ])(
    "a single flag is rejected, and the other one asked for, when %s",
    (_what, command, variables, flags) => {
      const failure = refusal(command, variables, flags);
      expect(failure.exit).toBe("usage");
      expect(failure.hint).toMatch(/^Write --(from|to) too: /);
    },
  );

  test("the error for a missing flag offers the stores that could be meant", () => {
    expect(refusal("diff", { ...SUPABASE, ...KV, ...MAIN }, { to: "mongodb://b/y" }).hint).toBe(
      "Write --from too: --from supabase or --from kv.",
    );
  });

  test.each<[PairCommand, Record<string, string>, Flags]>([
    ["duplicate", { ...SUPABASE, ...MAIN }, { from: "supabase", to: "mongodb" }],
    ["duplicate", MAIN, { from: "file:/a", to: "file:/b" }],
    ["duplicate", MAIN, { from: "file:/a", to: "mongodb" }],
    ["duplicate", { ...KV, ...MAIN }, { from: "kv", to: "mongodb" }],
    ["backfill", MAIN, { from: "mongodb://a/x", to: "mongodb" }],
    ["sync-kv", MAIN, { from: "mongodb://a/x", to: "mongodb" }],
    ["sync-kv", KV, { from: "kv", to: "kv" }],
    ["restore", MAIN, { from: "mongodb", to: "file:/b" }],
    ["restore", { ...SUPABASE, ...MAIN }, { from: "supabase", to: "mongodb" }],
  ])("%s rejects kinds of stores that it cannot copy between (%j, %j)", (command, variables, flags) => {
    const failure = refusal(command, variables, flags);
    expect(failure.exit).toBe("usage");
    expect(failure.message).toMatch(new RegExp(`^${command} copies`));
  });

  test("sync-kv copies in both directions", () => {
    expect(labels("sync-kv", { ...KV, ...MAIN }, { from: "mongodb", to: "kv" })).toBe(
      "main:27017/shop -> abc.upstash.io",
    );
  });

  test("the warnings of both sides are kept", () => {
    const { warnings } = resolve(
      "duplicate",
      {},
      { from: "mongodb://u:hunter2@a/x", to: "mongodb://u:hunter2@b/y" },
    );
    expect(warnings.map((warning) => warning.split(" ")[0])).toEqual(["--from", "--to"]);
  });
});

describe("the same store on both sides", () => {
  test.each<[PairCommand, Record<string, string>, Flags]>([
    ["duplicate", MAIN, { from: "mongodb", to: "mongodb" }],
    ["duplicate", MAIN, { from: "mongodb", to: "mongodb://main:27017/shop?retryWrites=false" }],
    ["duplicate", {}, { from: "mongodb://a,b/x", to: "mongodb://B,A/x" }],
    ["duplicate", { MONGODB_LOCAL_URI: "mongodb://a/x", MONGODB_ATLAS_URI: "mongodb://a/x" }, {}],
    ["diff", SUPABASE, { from: "supabase", to: "supabase" }],
    ["diff", {}, { from: "file:/a", to: "file:/a/../a" }],
  ])("%s with %j and the flags %j refuses to run", (command, variables, flags) => {
    const failure = refusal(command, variables, flags);
    expect(failure.exit).toBe("refused");
    expect(failure.message).toContain("same store");
  });

  test("another database on the same server counts as another store", () => {
    expect(labels("duplicate", {}, { from: "mongodb://a/x", to: "mongodb://a/y" })).toContain("->");
  });
});
