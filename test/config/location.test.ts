import { describe, expect, test } from "vitest";
import { parseLocation, secretsOf } from "../../src/config/pairs/location.ts";
import type { Location } from "../../src/connectors/connector.ts";
import { kvLocation, withKvPrefix } from "../../src/connectors/kv/location.ts";
import { Redactor } from "../../src/redact/redact.ts";
import { environmentOf, failureOf, textOf } from "../support/configuration-failure.ts";

const jwt = (claims: object): string =>
  `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
const SERVICE_KEY = jwt({ role: "service_role" });
const SUPABASE = {
  NEXT_PUBLIC_SUPABASE_URL: "https://abc.supabase.co",
  SUPABASE_SERVICE_ROLE_KEY: SERVICE_KEY,
};
const KV = { KV_REST_API_URL: "https://abc.upstash.io", KV_REST_API_TOKEN: "hunter2token" };

function parse(text: string, variables: Record<string, string> = {}): Location {
  return parseLocation(text, "--from", environmentOf(variables)).location;
}

function refusal(text: string, variables: Record<string, string> = {}): string {
  const failure = failureOf(() => parse(text, variables));
  expect(failure.exit).toBe("usage");
  expect(textOf(failure)).not.toContain("hunter2");
  expect(new Redactor().redact(textOf(failure))).toBe(textOf(failure));
  return textOf(failure);
}

describe("MongoDB locations", () => {
  test("a MongoDB address as an argument is parsed into its database and label", () => {
    const location = parse("mongodb://localhost/ordersDB");
    expect(location).toMatchObject({
      kind: "mongodb",
      database: "ordersDB",
      origin: "--from",
      label: "localhost:27017/ordersDB",
    });
    expect(location).not.toHaveProperty("reference");
    expect(parse("mongodb+srv://c.abcde.mongodb.net/x").label).toBe("c.abcde.mongodb.net/x");
  });

  test("a password in an argument is accepted with a warning that does not show it", () => {
    const { location, warnings } = parseLocation("mongodb://u:hunter2@h/a", "--to", environmentOf());
    expect(location.kind).toBe("mongodb");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("--to holds a password");
    expect(warnings[0]).not.toContain("hunter2");
    expect(new Redactor().redact(warnings.join())).toBe(warnings.join());
    expect(parseLocation("mongodb://h/a", "--to", environmentOf()).warnings).toEqual([]);
  });

  test("mongodb stands for MONGODB_URI, and env:NAME for the address in that variable", () => {
    const variables = { MONGODB_URI: "mongodb://u:hunter2@h/a", OTHER: "mongodb://g/b" };
    expect(parse("mongodb", variables)).toMatchObject({
      database: "a",
      origin: "MONGODB_URI in the environment",
      reference: "mongodb",
    });
    expect(parse("env:OTHER", variables)).toMatchObject({
      database: "b",
      origin: "OTHER in the environment",
      reference: "env:OTHER",
    });
    expect(parse("env:MONGODB_URI", variables)).toMatchObject({ database: "a", reference: "mongodb" });
    expect(parseLocation("mongodb", "--from", environmentOf(variables)).warnings).toEqual([]);
  });

  test("a variable that is not set, or is not a MongoDB address, is named in the error", () => {
    expect(refusal("mongodb")).toContain("MONGODB_URI is not set");
    expect(refusal("env:NOPE")).toContain("NOPE is not set");
    expect(refusal("env:")).toContain("--from has no variable's name");
    expect(refusal("env:a b")).toContain("--from has no variable's name");
    expect(refusal("env:SUPABASE", { SUPABASE: "https://hunter2.supabase.co" })).toContain(
      "SUPABASE in the environment is not a MongoDB address",
    );
  });

  test("an address without a database takes MONGODB_DB_NAME and never the driver's default", () => {
    expect(refusal("mongodb", { MONGODB_URI: "mongodb://u:hunter2@h" })).toContain("names no database");
    expect(refusal("mongodb://h/")).toContain("names no database");
    const named = {
      MONGODB_URI: "mongodb+srv://u:p@h.example.net/?appName=x",
      MONGODB_DB_NAME: " skinvault ",
    };
    expect(parse("mongodb", named)).toMatchObject({
      database: "skinvault",
      label: "h.example.net/skinvault",
    });
    expect(parse("mongodb://h", named)).toMatchObject({ database: "skinvault" });
  });

  test("MONGODB_DB_NAME is rejected when the address in a pair's variable names another database", () => {
    expect(refusal("mongodb", { MONGODB_URI: "mongodb://h/a", MONGODB_DB_NAME: "b" })).toContain(
      "names another one",
    );
    expect(
      refusal("env:MONGODB_ATLAS_URI", { MONGODB_ATLAS_URI: "mongodb://h/a", MONGODB_DB_NAME: "b" }),
    ).toContain("names another one");
    expect(parse("mongodb", { MONGODB_URI: "mongodb://h/a", MONGODB_DB_NAME: "a" })).toMatchObject({
      database: "a",
    });
  });

  test("an address given as an argument or in a variable of its own may differ from MONGODB_DB_NAME", () => {
    expect(parse("mongodb://h/a", { MONGODB_DB_NAME: "b" })).toMatchObject({ database: "a" });
    expect(parse("env:COPY", { COPY: "mongodb://h/a", MONGODB_DB_NAME: "b" })).toMatchObject({
      database: "a",
    });
  });

  test("an invalid MONGODB_DB_NAME is rejected by name", () => {
    expect(refusal("mongodb://h", { MONGODB_DB_NAME: "a.b" })).toContain(
      "MONGODB_DB_NAME in the environment holds .",
    );
  });

  test.each(["admin", "local", "config", "Admin"])("the server's own database %s is rejected", (database) => {
    expect(refusal(`mongodb://u:hunter2@h/${database}`)).toContain("authSource=");
  });
});

describe("Supabase locations", () => {
  test("the address and the key are read from their variables or from the aliases", () => {
    expect(parse("supabase", SUPABASE)).toEqual({
      kind: "supabase",
      url: "https://abc.supabase.co",
      key: SERVICE_KEY,
      origin: "NEXT_PUBLIC_SUPABASE_URL in the environment",
      label: "abc.supabase.co",
      reference: "supabase",
    });
    const aliases = {
      SUPABASE_URL: "https://abc.supabase.co/rest/v1/",
      SUPABASE_SECRET_KEY: "sb_secret_hunter2",
    };
    expect(parse("supabase", aliases)).toMatchObject({
      url: "https://abc.supabase.co",
      key: "sb_secret_hunter2",
    });
  });

  test("aliases with different values are rejected, and aliases with equal values are accepted", () => {
    expect(refusal("supabase", { ...SUPABASE, SUPABASE_URL: "https://other.supabase.co" })).toContain(
      "differ",
    );
    expect(parse("supabase", { ...SUPABASE, SUPABASE_URL: "https://abc.supabase.co" }).kind).toBe("supabase");
  });

  test.each([
    ["no address", { NEXT_PUBLIC_SUPABASE_URL: "" }, "NEXT_PUBLIC_SUPABASE_URL, which is not set"],
    ["no key", { SUPABASE_SERVICE_ROLE_KEY: "" }, "SUPABASE_SERVICE_ROLE_KEY, which is not set"],
    ["an address that is not a URL", { NEXT_PUBLIC_SUPABASE_URL: "abc" }, "not a web address"],
    ["another scheme than https", { NEXT_PUBLIC_SUPABASE_URL: "postgres://u:hunter2@h/a" }, "https://"],
    ["a password in the address", { NEXT_PUBLIC_SUPABASE_URL: "https://u:hunter2@h" }, "more than a host"],
    [
      "a password but no user in the address",
      { NEXT_PUBLIC_SUPABASE_URL: "https://:hunter2@h" },
      "more than a host",
    ],
    ["an anonymous key", { SUPABASE_SERVICE_ROLE_KEY: jwt({ role: "anon", x: "hunter2" }) }, "public key"],
    ["a publishable key", { SUPABASE_SERVICE_ROLE_KEY: "sb_publishable_hunter2" }, "public key"],
    ["a placeholder as the key", { SUPABASE_SERVICE_ROLE_KEY: "your-service-role-key" }, "placeholder"],
    ["quotes around the key", { SUPABASE_SERVICE_ROLE_KEY: '"hunter2"' }, "quotes"],
    ["a line break in the key", { SUPABASE_SERVICE_ROLE_KEY: "hunter2\nhunter2" }, "quotes, spaces"],
  ])("Supabase variables with %s are rejected", (_what, variables, expected) => {
    expect(refusal("supabase", { ...SUPABASE, ...variables })).toContain(expected);
  });

  test("an unencrypted address causes a warning unless it is this machine", () => {
    const warnings = (url: string): readonly string[] =>
      parseLocation("supabase", "--from", environmentOf({ ...SUPABASE, NEXT_PUBLIC_SUPABASE_URL: url }))
        .warnings;
    expect(warnings("http://db.example.com")).toHaveLength(1);
    expect(warnings("http://127.0.0.1:54321")).toEqual([]);
    expect(warnings("http://localhost:54321")).toEqual([]);
    expect(warnings("https://db.example.com")).toEqual([]);
  });
});

describe("KV locations", () => {
  test("the address and the token are read from the same pair of variables", () => {
    expect(parse("kv", KV)).toMatchObject({
      kind: "kv",
      url: "https://abc.upstash.io",
      token: "hunter2token",
      label: "abc.upstash.io",
      reference: "kv",
    });
    const upstash = { UPSTASH_REDIS_REST_URL: "https://x.upstash.io/", UPSTASH_REDIS_REST_TOKEN: "t0ken" };
    expect(parse("kv", upstash)).toMatchObject({ url: "https://x.upstash.io", token: "t0ken" });
  });

  test("an address and a token of different pairs of variables are never combined", () => {
    const mixed = { KV_REST_API_URL: "https://abc.upstash.io", UPSTASH_REDIS_REST_TOKEN: "hunter2" };
    expect(refusal("kv", mixed)).toContain("KV_REST_API_TOKEN, which is not set");
    expect(refusal("kv")).toContain("KV_REST_API_URL and KV_REST_API_TOKEN, which are not set");
  });

  test("two pairs of variables are accepted for the same store and rejected for different stores", () => {
    const second = { UPSTASH_REDIS_REST_URL: "https://abc.upstash.io", UPSTASH_REDIS_REST_TOKEN: "other" };
    expect(parse("kv", { ...KV, ...second })).toMatchObject({ token: "other" });
    expect(refusal("kv", { ...KV, ...second, UPSTASH_REDIS_REST_URL: "https://x.upstash.io" })).toContain(
      "different stores",
    );
  });

  test("the read-only token is named, alone and in the place of the other", () => {
    const readOnly = { KV_REST_API_READ_ONLY_TOKEN: "hunter2-read" };
    const alone = refusal("kv", { KV_REST_API_URL: "https://abc.upstash.io", ...readOnly });
    expect(alone).toContain("KV_REST_API_TOKEN, which is not set");
    expect(alone).toContain("KV_REST_API_READ_ONLY_TOKEN in the environment can neither write nor list keys");
    const inPlace = refusal("kv", { ...KV, KV_REST_API_TOKEN: " hunter2-read", ...readOnly });
    expect(inPlace).toContain("KV_REST_API_TOKEN in the environment is the read-only token");
    expect(parse("kv", { ...KV, ...readOnly })).toMatchObject({ token: "hunter2token" });
  });

  test.each(["KV_URL", "REDIS_URL"])("an address for clients of another protocol is named: %s", (name) => {
    const address = { [name]: "rediss://default:hunter2@abc.upstash.io:6379" };
    expect(refusal("kv", address)).toContain(`${name} in the environment is no address of the REST API`);
    expect(parse("kv", { ...address, ...KV })).toMatchObject({ token: "hunter2token" });
  });

  describe("with a prefix before the names of their variables", () => {
    const withPrefix = (prefix: string, variables: Record<string, string>): Location =>
      kvLocation(withKvPrefix(environmentOf(variables), prefix, "--kv-env-prefix")).location;
    const shop = { SHOP_KV_REST_API_URL: "https://shop.upstash.io", SHOP_KV_REST_API_TOKEN: "hunter2shop" };
    const older = { SHOP_REST_API_URL: "https://older.upstash.io", SHOP_REST_API_TOKEN: "hunter2older" };

    test.each(["SHOP", "SHOP_", " SHOP "])("the address and the token are read from there: %j", (prefix) => {
      expect(withPrefix(prefix, { ...KV, ...shop, ...older })).toMatchObject({
        url: "https://shop.upstash.io",
        token: "hunter2shop",
        origin: "SHOP_KV_REST_API_URL in the environment",
      });
      expect(withPrefix(prefix, { ...KV, ...older })).toMatchObject({ token: "hunter2older" });
    });

    test("parts of different pairs are never combined", () => {
      const { SHOP_KV_REST_API_URL: url } = shop;
      const { SHOP_REST_API_TOKEN: token } = older;
      const failure = failureOf(() =>
        withPrefix("SHOP", { ...KV, SHOP_KV_REST_API_URL: url, SHOP_REST_API_TOKEN: token }),
      );
      expect(textOf(failure)).toContain("KV needs SHOP_KV_REST_API_TOKEN, which is not set");
      expect(textOf(failure)).toContain("Set SHOP_KV_REST_API_URL and SHOP_KV_REST_API_TOKEN");
      expect(withPrefix("SHOP", { SHOP_KV_REST_API_URL: url, ...older })).toMatchObject({
        token: "hunter2older",
      });
    });

    test("what is wrong is named as it is called there", () => {
      const failure = failureOf(() =>
        withPrefix("SHOP", { ...shop, SHOP_KV_REST_API_READ_ONLY_TOKEN: "hunter2shop" }),
      );
      expect(textOf(failure)).toContain("SHOP_KV_REST_API_TOKEN in the environment is the read-only token");
      expect(textOf(failure)).not.toContain("hunter2");
    });

    test.each(["", "_", "A-B", "1A", "$X", "hunter2=x"])("%j is refused", (prefix) => {
      const failure = failureOf(() => withPrefix(prefix, KV));
      expect(failure.exit).toBe("usage");
      expect(textOf(failure)).toContain("--kv-env-prefix is no beginning of a variable's name");
      expect(textOf(failure)).not.toContain("hunter2");
    });
  });
});

describe("archive locations", () => {
  test("the directory of a file: location is made absolute", () => {
    expect(parse("file:/tmp/a")).toMatchObject({ kind: "file", directory: "/tmp/a", label: "/tmp/a" });
    expect(parse("file:///tmp/a")).toMatchObject({ directory: "/tmp/a" });
    expect(parse("file:./a b/../c")).toMatchObject({ directory: "/nonexistent/c" });
    expect(refusal("file:")).toContain("no directory");
  });
});

describe("unknown locations", () => {
  test.each([
    ["supabse", "Did you mean supabase?"],
    ["Mongodb", "Did you mean mongodb?"],
    ["mongdb://u:hunter2@h/a", "Did you mean mongodb://?"],
    ["envv:X", "Did you mean env:?"],
    ["fil:./a", "Did you mean file:?"],
    ["postgresql://u:hunter2@h/a", "write supabase"],
    ["https://hunter2.supabase.co", "write supabase"],
    ["rediss://default:hunter2@h:6379", "write kv"],
    ["./backup", "write file: before it"],
    ["COPY_URI", "Did you mean env:COPY_URI?"],
    ["", "A location is"],
    ["hunter2", "A location is mongodb, mongodb://…, mongodb+srv://…, env:NAME, supabase, kv or file:DIR."],
  ])("%j is rejected with advice", (text, expected) => {
    expect(refusal(text, { COPY_URI: "mongodb://h/a" })).toContain(expected);
  });
});

test("the redactor hides every secret of a location", () => {
  const locations = [
    parse("mongodb://u:hunter2%40x@h/a?authMechanismProperties=AWS_SESSION_TOKEN:hunter2s"),
    parse("supabase", { ...SUPABASE, SUPABASE_SERVICE_ROLE_KEY: "hunter2-of-no-known-form" }),
    parse("kv", KV),
  ];
  const redactor = new Redactor();
  for (const secret of locations.flatMap(secretsOf)) redactor.add(secret);
  const text = `hunter2%40x hunter2@x AWS_SESSION_TOKEN:hunter2s hunter2-of-no-known-form hunter2token`;
  expect(redactor.redact(text)).not.toContain("hunter2");
  expect(secretsOf(parse("file:/a"))).toEqual([]);
});
