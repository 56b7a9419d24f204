import { Binary } from "bson";
import { MongoClient } from "mongodb";
import { beforeAll, describe, expect, it } from "vitest";
import type { MongodbService } from "../../services/mongodb/mongodb.ts";
import { type Answer, type Script, startScripted } from "../../services/wire/scripted-server.ts";
import type { Request } from "../../services/wire/wire-message.ts";
import { runWatched, spellingsOf } from "../../support/canary.ts";
import { sharedMongodb } from "../../support/stores/shared-services.ts";

/** A password with everything in it that must be encoded somewhere. */
const SECRET = 'kan@r1e/v:g"l%41+ #x?y';
const WRITTEN = encodeURIComponent(SECRET);
const OUTPUTS = ["--json", "--quiet", "--verbose"] as const;
const SOON = "serverSelectionTimeoutMS=500";
const NOWHERE = `mongodb://127.0.0.1:1/copy?${SOON}`;
const BETWEEN = ["duplicate", "--from", "env:LIVE", "--to", "env:COPY"];

let real: MongodbService;
beforeAll(async () => {
  real = await sharedMongodb();
  const client = new MongoClient(real.uri);
  await client
    .db("shop")
    .collection("orders")
    .insertMany([{ n: 1 }, { n: 2 }]);
  await client.db("shop").collection("orders").createIndex({ n: 1 });
  await client.close();
  return () => real.stop();
});

/** A server in front of the real one: it lets in everybody, and then does what the script says. */
function asking(answer: (request: Request) => Answer = () => undefined): Script {
  return {
    behind: real.port,
    answer: (request) =>
      request.name === "saslStart"
        ? (answer(request) ?? { ok: 1, conversationId: 1, done: true, payload: new Binary() })
        : answer(request),
  };
}

function addressOf(port: number, database: string, written = WRITTEN): string {
  return `mongodb://shop:${written}@127.0.0.1:${port}/${database}?directConnection=true&authMechanism=PLAIN&authSource=$external&serverSelectionTimeoutMS=1500`;
}

describe("valid passwords", () => {
  it.each(OUTPUTS)("a valid password is shown nowhere when a copy succeeds with %s", async (flag) => {
    const server = await startScripted(asking());
    const env = { LIVE: addressOf(server.port, "shop"), COPY: addressOf(server.port, `copy${flag}`) };
    const { code, left } = await runWatched([...BETWEEN, flag], SECRET, { env });
    expect(code, left).toBe(0);
    expect(server.commands).toContain("saslStart");
    await server.stop();
  });

  it.runIf(process.platform === "linux")(
    "a password in an argument is hidden from the first contact on",
    async () => {
      const server = await startScripted(asking());
      const args = [
        "duplicate",
        "--from",
        addressOf(server.port, "shop"),
        "--to",
        addressOf(server.port, "typed"),
      ];
      const { code, left } = await runWatched(args, WRITTEN, {}, () => server.commands.length > 0);
      expect(code, left).toBe(0);
      for (const spelling of spellingsOf(SECRET)) expect(left).not.toContain(spelling);
      await server.stop();
    },
  );

  it("a password is not in what is saved for undo", async () => {
    const server = await startScripted(asking());
    const client = new MongoClient(real.uri);
    await client.db("held").collection("orders").insertOne({ n: 9 });
    await client.close();
    const env = { LIVE: addressOf(server.port, "shop"), COPY: addressOf(server.port, "held") };
    const { code, left } = await runWatched([...BETWEEN, "--into-existing", "held"], SECRET, { env });
    expect(code, left).toBe(0);
    expect(left).toContain('{"dualsync":"undo"');
    await server.stop();
  });

  it("a password in .env.local is not shown", async () => {
    const server = await startScripted(asking());
    const content = `LIVE='${addressOf(server.port, "shop")}'\nCOPY="${addressOf(server.port, "file")}"\n`;
    const { code, left } = await runWatched(BETWEEN, SECRET, { files: { ".env.local": content } });
    expect(code, left).toBe(0);
    await server.stop();
  });
});

describe("passwords in addresses that fail", () => {
  const wrong: [string, string][] = [
    ["raw, with what must be encoded", `mongodb://shop:${SECRET}@127.0.0.1:1/shop?${SOON}`],
    ["encoded", `mongodb://shop:${WRITTEN}@127.0.0.1:1/shop?${SOON}`],
    ["encoded twice", `mongodb://shop:${encodeURIComponent(WRITTEN)}@127.0.0.1:1/shop?${SOON}`],
    ["as the user's name", `mongodb://${WRITTEN}@127.0.0.1:1/shop?${SOON}`],
    ["with a wrong scheme", `mongo://shop:${WRITTEN}@127.0.0.1:1/shop?${SOON}`],
    ["without a scheme", `shop:${WRITTEN}@127.0.0.1:1/shop?${SOON}`],
    ["without a host", `mongodb://shop:${WRITTEN}@/shop`],
    ["with an impossible port", `mongodb://shop:${WRITTEN}@127.0.0.1:99999/shop`],
    ["with an unknown option", `mongodb://shop:${WRITTEN}@127.0.0.1:1/shop?passwort=${WRITTEN}`],
    ["SRV with a port", `mongodb+srv://shop:${WRITTEN}@c.example.net:1/shop`],
    [
      "as a proxy's password",
      `mongodb://127.0.0.1:1/shop?proxyHost=127.0.0.1&proxyPort=1&proxyUsername=u&proxyPassword=${WRITTEN}&${SOON}`,
    ],
    [
      "as a key's passphrase",
      `mongodb://127.0.0.1:1/shop?tls=true&tlsCertificateKeyFile=${process.cwd()}/test/fixtures/tls/locked.pem&tlsCertificateKeyFilePassword=${WRITTEN}&${SOON}`,
    ],
    [
      "as a property of the mechanism",
      `mongodb://127.0.0.1:1/shop?authMechanism=MONGODB-OIDC&authMechanismProperties=TOKEN_RESOURCE:${WRITTEN}&${SOON}`,
    ],
  ];
  it.each(wrong)("a password in an address that fails is not shown: %s", async (_what, uri) => {
    const fails = async (args: readonly string[], env: Record<string, string>, files = {}): Promise<void> => {
      const { code, left } = await runWatched(args, SECRET, { env, files });
      expect(code, left).not.toBe(0);
      expect(left).not.toMatch(/^\s+at /m);
    };
    await Promise.all([
      fails([...BETWEEN, "--json"], { LIVE: uri, COPY: NOWHERE }),
      fails(["duplicate", "--verbose", "--from", uri, "--to", NOWHERE], {}),
      fails(["duplicate"], {}, { ".env.local": `MONGODB_URI='${uri}'\n` }),
    ]);
  });
});

describe("servers that repeat the password", () => {
  const COMMANDS = [
    ...["hello", "saslStart", "listCollections", "collStats", "aggregate", "find", "listIndexes"],
    ...["update", "insert", "delete", "create", "createIndexes", "getMore", "endSessions"],
  ];
  const texts = spellingsOf(SECRET).join(" | ");
  const refusal = (code: number): Answer => ({
    ok: 0,
    code,
    codeName: SECRET,
    errmsg: `you sent ${texts}`,
    errInfo: { texts },
    writeErrors: [{ index: 0, code, errmsg: texts }],
  });

  it.each(COMMANDS)("a password that a server repeats in its reply to %s is not shown", async (name) => {
    const run = async (code: number, flag: string): Promise<void> => {
      const script = asking((request) => (request.name === name ? refusal(code) : undefined));
      const server = await startScripted(script);
      const env = {
        LIVE: addressOf(server.port, "shop"),
        COPY: addressOf(server.port, `echo_${name}_${code}`),
        SYNC_MAX_RETRIES: "0",
      };
      await runWatched([...BETWEEN, flag], SECRET, { env });
      await server.stop();
    };
    await Promise.all([run(8000, "--json"), run(59, "--verbose"), run(13, "--quiet")]);
  });

  it.each([
    [
      "a challenge",
      { ok: 1, conversationId: 1, done: false, payload: new Binary(Buffer.from(`r=${SECRET}`)) },
    ],
    ["text instead of bytes", { ok: 1, conversationId: 1, done: false, payload: texts }],
    ["a refusal", { ok: 0, code: 18, codeName: "AuthenticationFailed", errmsg: `bad auth: ${texts}` }],
  ])("a password that a server repeats in %s of an authentication is not shown", async (_what, answer) => {
    const server = await startScripted({
      answer: (request) => (request.name.startsWith("sasl") ? answer : undefined),
    });
    const live = `mongodb://shop:${WRITTEN}@127.0.0.1:${server.port}/shop?directConnection=true&${SOON}`;
    const { code, left } = await runWatched(BETWEEN, SECRET, { env: { LIVE: live, COPY: NOWHERE } });
    expect([4, 5, 8], left).toContain(code);
    await server.stop();
  });

  it.each(OUTPUTS)("a password repeated in names of collections is not shown with %s", async (flag) => {
    const names = spellingsOf(SECRET).map((name) => ({ name: `c ${name}`, type: "collection", options: {} }));
    const listing = { cursor: { id: 0n, ns: "shop.$cmd.listCollections", firstBatch: names }, ok: 1 };
    let asked = 0;
    const server = await startScripted(
      asking(({ name, command }) =>
        name === "listCollections" && command.$db === "shop" && ++asked > 0 ? listing : undefined,
      ),
    );
    const env = { LIVE: addressOf(server.port, "shop"), COPY: addressOf(server.port, "names") };
    await runWatched([...BETWEEN, "--dry-run", flag], SECRET, { env });
    expect(asked).toBeGreaterThan(0);
    await server.stop();
  });
});
