import { createRequire } from "node:module";
import fc from "fast-check";
import { MongoClient } from "mongodb";
import { describe, expect, test } from "vitest";
import {
  checkMongodbUri,
  isSameAddress,
  mongodbSecrets,
  withDatabase,
} from "../../../../src/connectors/mongodb/location/uri.ts";
import { URI_OPTIONS } from "../../../../src/connectors/mongodb/location/uri-options.ts";
import { Redactor } from "../../../../src/redact/redact.ts";
import { failureOf, textOf } from "../../../support/configuration-failure.ts";

const NAME = "MONGODB_URI in .env.local";
/** Stands in every malformed address below where a password is, whole or in part. */
const SECRET = "hunter2";

/** [what is wrong, the address, what the message or hint must say] */
const MALFORMED: readonly (readonly [string, string, string])[] = [
  ["nothing but blanks", "  ", "is empty"],
  ["no scheme", `u:${SECRET}@localhost:27017/a`, "does not begin with mongodb://"],
  ["another scheme", `postgres://u:${SECRET}@h/a`, "does not begin with mongodb://"],
  ["a misspelt scheme", `mongdb://u:${SECRET}@h/a`, "does not begin with mongodb://"],
  ["one slash after the scheme", `mongodb:/u:${SECRET}@h/a`, "does not begin with mongodb://"],
  ["capital letters in the scheme", `MongoDB://u:${SECRET}@h/a`, "capital letters"],
  ["quotes that a shell would have removed", `"mongodb://u:${SECRET}@h/a"`, "quotation mark"],
  ["typographic quotes", `\u201cmongodb://u:${SECRET}@h/a\u201d`, "quotation mark"],
  ["@ in the password", `mongodb://u:${SECRET}@x@h/a`, "Write %40 for @"],
  ["# in the password", `mongodb://u:${SECRET}#x@h/a`, "Write %23 for #"],
  ["/ in the password", `mongodb://u:${SECRET}/x@h/a`, "Write %2F for /"],
  [": in the password", `mongodb://u:${SECRET}:x@h/a`, "Write %3A for :"],
  ["? in the password", `mongodb://u:${SECRET}?x@h/a`, "%3F for ?"],
  ["brackets in the password", `mongodb://u:[${SECRET}]@h/a`, "Write %5B for [ and %5D for ]"],
  ["a blank in the password", `mongodb://u:${SECRET} x@h/a`, "Write %20 for a blank"],
  ["% in the password", `mongodb://u:${SECRET}%@h/a`, "Write %25 for %"],
  ["% before characters that are not hex digits", `mongodb://u:${SECRET}%zz@h/a`, "Write %25 for %"],
  ["a percent-encoding that is not UTF-8", `mongodb://u:${SECRET}%ff@h/a`, "not UTF-8"],
  ["@ and / in the password", `mongodb://u:${SECRET}@x/y@h/a`, "Write %40 for @ and %2F for /"],
  ["@ in the user name", `mongodb://me@example.com:${SECRET}@h/a`, "%40 for @"],
  ["/ in the user name", `mongodb://u/v:${SECRET}@h/a`, "%2F for /"],
  ["a line break", `mongodb://u:${SECRET}\n@h/a`, "U+000A"],
  ["a zero-width blank", `mongodb://u:${SECRET}\u200b@h/a`, "U+200B"],
  ["a password placeholder", "mongodb+srv://u:<password>@h/a", "placeholder where the password"],
  ["a newer password placeholder", "mongodb+srv://u:<db_password>@h/a", "placeholder where the password"],
  ["a placeholder in capitals", "mongodb+srv://u:<PASSWORD>@h/a", "placeholder where the password"],
  ["a placeholder with blanks", "mongodb://u:<your password>@h/a", "placeholder where the password"],
  ["an encoded placeholder", "mongodb://u:%3Cdb_password%3E@h/a", "placeholder where the password"],
  ["YOUR_PASSWORD as the password", "mongodb://u:YOUR_PASSWORD@h/a", "placeholder where the password"],
  ["yourPassword as the password", "mongodb://u:yourPassword@h/a", "placeholder where the password"],
  ["a masked password", "mongodb://u:****@h/a", "placeholder where the password"],
  ["a user placeholder", `mongodb://<username>:${SECRET}@h/a`, "placeholder where the user name"],
  ["a host placeholder", `mongodb+srv://u:${SECRET}@<cluster>/a`, "placeholder where the host"],
  [
    "the example host of a guide",
    `mongodb+srv://u:${SECRET}@cluster0.xxxxx.mongodb.net/a`,
    "placeholder where the host",
  ],
  ["a database placeholder", `mongodb://u:${SECRET}@h/<dbname>`, "placeholder where the database"],
  ["an unexpanded variable in the password", `mongodb://u:\${DB_PASSWORD}@h/a`, "variable in the password"],
  ["no user name", `mongodb://:${SECRET}@h/a`, "no user name"],
  ["an empty password", "mongodb://u:@h/a", "empty password"],
  ["no password", "mongodb://u@h/a", "without a password"],
  ["no host", `mongodb://u:${SECRET}@/a`, "names no host"],
  ["nothing after the scheme", "mongodb://", "names no host"],
  ["an unescaped socket path", "mongodb:///tmp/mongodb-27017.sock", "%2F"],
  ["an empty host in a list", `mongodb://u:${SECRET}@h1,,h2/a`, "host 2"],
  ["a comma at the end", `mongodb://u:${SECRET}@h1,/a`, "host 2"],
  ["a port that is a word", `mongodb://u:${SECRET}@h:port/a`, "port"],
  ["a port of 0", `mongodb://u:${SECRET}@h:0/a`, "port"],
  ["a port beyond 65535", `mongodb://u:${SECRET}@h:65536/a`, "port"],
  ["an empty port", `mongodb://u:${SECRET}@h:/a`, "port"],
  ["a negative port", `mongodb://u:${SECRET}@h:-1/a`, "port"],
  ["a bad port in a list", `mongodb://u:${SECRET}@h:1,g:x/a`, "host 2"],
  ["a value cut at #", `mongodb://u:${SECRET}`, "unquoted #"],
  ["an IPv6 address without brackets", `mongodb://u:${SECRET}@::1/a`, "[::1]:27017"],
  ["a broken IPv6 address", `mongodb://u:${SECRET}@[::g]:1/a`, "host name"],
  ["a host with a blank", `mongodb://u:${SECRET}@my host/a`, "host name"],
  ["braces in the host name", `mongodb://u:${SECRET}@h{1}/a`, "host name"],
  ["two dots in the host name", `mongodb://u:${SECRET}@a..b/a`, "host name"],
  ["mongodb+srv:// and a port", `mongodb+srv://u:${SECRET}@h.example.net:27017/a`, "takes none"],
  [
    "mongodb+srv:// and several hosts",
    `mongodb+srv://u:${SECRET}@a.example.net,b.example.net/a`,
    "takes one",
  ],
  ["mongodb+srv:// and a numeric host", `mongodb+srv://u:${SECRET}@127.0.0.1/a`, "numeric address"],
  ["mongodb+srv:// and a socket", `mongodb+srv://u:${SECRET}@%2Ftmp%2Fa.sock/a`, "socket"],
  ["a socket that does not end in .sock", "mongodb://%2Ftmp%2Fmongodb/a", ".sock"],
  ["a slash in the database", `mongodb://u:${SECRET}@h/a/b`, "holds /"],
  ["a dot in the database", `mongodb://u:${SECRET}@h/a.b`, "holds ."],
  ["a dollar in the database", `mongodb://u:${SECRET}@h/a%24b`, "holds $"],
  ["a blank in the database", `mongodb://u:${SECRET}@h/a%20b`, "holds a blank"],
  ["NUL in the database", `mongodb://u:${SECRET}@h/a%00`, "U+0000"],
  ["a database name of 64 bytes", `mongodb://u:${SECRET}@h/${"\u00e4".repeat(32)}`, "64 bytes"],
  ["% in the database", `mongodb://u:${SECRET}@h/a%`, "%25"],
  ["# after the host", `mongodb://u:${SECRET}@h/a#b`, "%23"],
  ["@ in an option", `mongodb://u:${SECRET}@h/a?appName=x@y`, "second, unescaped @"],
  ["an option without a value", `mongodb://u:${SECRET}@h/a?tls`, "tls without a value"],
  ["an option twice", `mongodb://u:${SECRET}@h/a?tls=true&TLS=true`, "tls twice"],
  ["a misspelt option", `mongodb://u:${SECRET}@h/a?retryWrite=true`, "Did you mean retryWrites?"],
  ["an obsolete option", `mongodb://u:${SECRET}@h/a?useNewUrlParser=true`, "Leave useNewUrlParser out"],
  ["an option that changes documents", `mongodb://u:${SECRET}@h/a?promoteValues=false`, "unknown option"],
  ["a database as an option", `mongodb://u:${SECRET}@h/?dbName=a`, "unknown option"],
  [
    "a boolean option that is neither true nor false",
    `mongodb://u:${SECRET}@h/a?tls=yes`,
    "neither true nor false",
  ],
  ["a negative number in an option", `mongodb://u:${SECRET}@h/a?maxPoolSize=-1`, "not a whole number"],
  [
    "a direct connection to several hosts",
    `mongodb://u:${SECRET}@h,g/a?directConnection=true`,
    "exactly one host",
  ],
];

describe("malformed addresses", () => {
  test.each(MALFORMED)("rejects an address with %s and says what is wrong", (_what, uri, expected) => {
    const failure = failureOf(() => checkMongodbUri(uri, NAME));
    expect(failure.exit).toBe("usage");
    expect(failure.message).toContain(NAME);
    expect(failure.message).toContain("Nothing was contacted.");
    expect(textOf(failure)).toContain(expected);
    expect(failure.hint).toMatch(/\.$|\?$/);
    expect(textOf(failure)).not.toContain(SECRET);
    // The sentence itself must not look like a secret, or the person would read *** for the advice.
    expect(new Redactor().redact(textOf(failure))).toBe(textOf(failure));
  });

  test("no error message shows a planted password, wherever it was written", () => {
    const noise = fc.string({ unit: fc.constantFrom(..."@:/?#[]% <>.,=&$ab1\u00e9\n"), maxLength: 6 });
    const templates = MALFORMED.map(([, uri]) => uri).filter((uri) => uri.includes(SECRET));
    let refused = 0;
    fc.assert(
      fc.property(
        noise,
        noise,
        fc.constantFrom(...templates),
        fc.boolean(),
        (before, after, template, encoded) => {
          const planted = `${before}planted-SECRET${after}`;
          const uri = template.replace(SECRET, () => (encoded ? encodeURIComponent(planted) : planted));
          try {
            checkMongodbUri(uri, NAME);
          } catch (error) {
            refused += 1;
            expect(String(error) + String((error as { hint?: string }).hint)).not.toContain("planted-SECRET");
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });
});

describe("valid addresses", () => {
  test.each([
    ["mongodb://localhost:27017/ordersDB", "localhost:27017/ordersDB"],
    ["mongodb://localhost/ordersDB", "localhost:27017/ordersDB"],
    ["mongodb://LOCALHOST", "localhost:27017"],
    ["mongodb://localhost/", "localhost:27017"],
    ["mongodb://localhost?retryWrites=false", "localhost:27017"],
    ["  mongodb://localhost/a\n", "localhost:27017/a"],
    ["mongodb://username:password@localhost/a", "localhost:27017/a"],
    ["mongodb://u:p%40%23%2F%3A%3F%25@h/a", "h:27017/a"],
    ["mongodb://u:p$&+,;=!*'()~\"^|\\`{}@h/a", "h:27017/a"],
    ["mongodb://ü:päss@h/a", "h:27017/a"],
    ["mongodb://u:p@A,b:1,[::1]:2,127.0.0.1/a", "a:27017,b:1,[::1]:2,127.0.0.1:27017/a"],
    [
      "mongodb+srv://u:p@Cluster0.abcde.mongodb.net/ordersDB?appName=x",
      "cluster0.abcde.mongodb.net/ordersDB",
    ],
    ["mongodb+srv://u:p@cluster0.abcde.mongodb.net/?appName=x", "cluster0.abcde.mongodb.net"],
    ["mongodb://%2Ftmp%2FMongo-27017.sock/a", "/tmp/Mongo-27017.sock/a"],
    ["mongodb://my_service.internal:27018/a", "my_service.internal:27018/a"],
    ["mongodb://CN%3Dclient@h/a?authMechanism=MONGODB-X509&tls=true", "h:27017/a"],
    ["mongodb://h/%C3%A4", "h:27017/ä"],
  ])("%s is displayed as %s, and the driver reads the same parts", (uri, display) => {
    const address = checkMongodbUri(uri, NAME);
    expect(address.display).toBe(display);
    const { options } = new MongoClient(address.uri);
    expect(options.dbName).toBe(address.database ?? "test");
    if (!address.srv) expect(options.hosts.map(String)).toEqual(address.hosts);
  });

  test("an address is split into hosts, database and options", () => {
    const address = checkMongodbUri(
      "mongodb://u:p@H/a?retryWrites=true&APPNAME=my+app%21&authSource=admin",
      NAME,
    );
    expect(address).toMatchObject({ hosts: ["h:27017"], database: "a", hasPassword: true, srv: false });
    expect(address.options).toEqual(
      new Map([
        ["retryWrites", "true"],
        ["appName", "my app!"],
        ["authSource", "admin"],
      ]),
    );
    expect(checkMongodbUri("mongodb://h", NAME)).not.toHaveProperty("database");
    expect(checkMongodbUri("mongodb://h/a", NAME).hasPassword).toBe(false);
    expect(
      checkMongodbUri("mongodb://h/a?proxyHost=x&proxyUsername=u&proxyPassword=p", NAME).hasPassword,
    ).toBe(true);
  });

  test("an encoded password of any text is accepted, and the driver signs in with it", () => {
    const part = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).map((text) => `x${text}`);
    fc.assert(
      fc.property(part, part, (user, password) => {
        const uri = `mongodb://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h/a`;
        const address = checkMongodbUri(uri, NAME);
        const { credentials } = new MongoClient(address.uri).options;
        expect([credentials?.username, credentials?.password]).toEqual([user, password]);
        expect(mongodbSecrets(address)).toContain(password);
      }),
    );
  });

  test("an accepted address with unencoded characters is read by the driver in the same way", () => {
    const raw = fc.string({
      unit: fc.constantFrom(..."@:/?#[]% <>.,=&$ab1{}|\\^`\"'+~\u00e9"),
      minLength: 1,
      maxLength: 8,
    });
    let accepted = 0;
    fc.assert(
      fc.property(raw, raw, (user, password) => {
        const uri = `mongodb://${user}:${password}@h1:1,h2/a?appName=x`;
        let address: ReturnType<typeof checkMongodbUri>;
        try {
          address = checkMongodbUri(uri, NAME);
        } catch {
          return;
        }
        accepted += 1;
        const { credentials, hosts, dbName } = new MongoClient(address.uri).options;
        expect([credentials?.username, credentials?.password]).toEqual([
          decodeURIComponent(user),
          decodeURIComponent(password),
        ]);
        expect([hosts.map(String), dbName]).toEqual([["h1:1", "h2:27017"], "a"]);
        expect(address.display).toBe("h1:1,h2:27017/a");
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  test("any text is either accepted or rejected with a usage error", () => {
    const unit = fc.oneof(
      fc.constantFrom(..."@:/?#[]%,=&.<>$ "),
      fc.constantFrom("mongodb://", "%2F", ".sock", "tls=", "::1"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 20 }), (parts) => {
        try {
          new MongoClient(checkMongodbUri(`mongodb://${parts.join("")}`, NAME).uri);
        } catch (error) {
          expect(error).toMatchObject({ exit: "usage" });
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("the driver knows every option that is accepted", () => {
    const { OPTIONS } = createRequire(import.meta.url)("mongodb/lib/connection_string") as {
      OPTIONS: object;
    };
    expect([...URI_OPTIONS.keys()].filter((option) => !(option in OPTIONS))).toEqual([]);
  });

  test("a hostile address of 200,000 characters is rejected quickly", () => {
    const start = performance.now();
    for (const unit of ["@", "?=", ":", "%", "/", ",", "a=&", "<"]) {
      for (const head of ["", "u:p@", "u:p@h/a?", "u:p@h/"])
        failureOf(() => checkMongodbUri(`mongodb://${head}${unit.repeat(200_000 / unit.length)}#`, NAME));
    }
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("addresses of another database", () => {
  test("changing the database keeps the database that the user is authenticated against", () => {
    for (const uri of [
      "mongodb://u:p@h/a",
      "mongodb://u:p@h",
      "mongodb://u:p@h/a?authSource=admin",
      "mongodb+srv://u:p@h.example.net/a",
    ]) {
      const before = checkMongodbUri(uri, NAME);
      const after = withDatabase(before, "a_backup", NAME);
      expect(after).toMatchObject({ database: "a_backup", display: `${before.hosts.join(",")}/a_backup` });
      const source = (address: { uri: string }): string | undefined =>
        new MongoClient(address.uri).options.credentials?.source;
      expect(source(after)).toBe(source(before));
    }
  });

  test("an invalid database name is rejected", () => {
    const address = checkMongodbUri("mongodb://h/a", NAME);
    expect(failureOf(() => withDatabase(address, "a/b", "MONGODB_DB_NAME in .env")).message).toContain(
      "MONGODB_DB_NAME in .env",
    );
    expect(failureOf(() => withDatabase(address, "x".repeat(64), NAME)).exit).toBe("usage");
    expect(withDatabase(address, "x".repeat(63), NAME).database).toHaveLength(63);
  });

  test("two addresses are the same when their hosts and database are, whatever the rest says", () => {
    const same = (left: string, right: string): boolean =>
      isSameAddress(checkMongodbUri(left, NAME), checkMongodbUri(right, NAME));
    expect(same("mongodb://H/a", "mongodb://u:p@h:27017/a?retryWrites=false")).toBe(true);
    expect(same("mongodb://h1,h2/a", "mongodb://h2:27017,h1/a")).toBe(true);
    expect(same("mongodb://h/a", "mongodb://h/b")).toBe(false);
    expect(same("mongodb://h:1/a", "mongodb://h:2/a")).toBe(false);
  });
});
