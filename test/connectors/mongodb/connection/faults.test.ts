import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { Server } from "../../../../src/connectors/mongodb/connection/server.ts";
import { FAILURES, type MongodbFailure } from "../../../../src/connectors/mongodb/failures/failures.ts";
import { mongodb } from "../../../../src/connectors/mongodb/mongodb.ts";
import type { DualsyncError } from "../../../../src/model/errors.ts";
import { type DnsAnswer, withDns } from "../../../services/mongodb/dns-server.ts";
import { HELLO, isHello, type Script, startScripted } from "../../../services/wire/scripted-server.ts";
import {
  against,
  againstRaw,
  answerTo,
  failureOf,
  helloWith,
  labelOf,
  pem,
  provoked,
  refusal,
  sentence,
  TLS,
  TRUSTED,
} from "../../../support/provoke.ts";
import { never } from "../../../support/signal.ts";

describe("unreachable servers", () => {
  it.each(["source", "target"] as const)(
    "reports a closed port on this machine (as the %s)",
    async (role) => {
      await failureOf("refused-here", "mongodb://127.0.0.1:1/?directConnection=true", role);
    },
  );
  it("reports a closed port on another host", async () => {
    await failureOf("refused", "mongodb://127.0.0.1:1/", "target", "db.internal:27017/shop");
  });
  it("reports a host name that DNS does not know", async () => {
    await failureOf("host-unknown", "mongodb://no-such-host.invalid/");
  });
  it.each<[DnsAnswer, MongodbFailure]>([
    ["unknown", "srv-unknown"],
    ["empty", "srv-unknown"],
    ["foreign", "srv-foreign"],
    ["failure", "dns-silent"],
    ["silence", "dns-silent"],
  ])('reports an SRV lookup with the DNS answer "%s"', async (answer, name) => {
    await withDns(answer, async () => {
      await failureOf(name, "mongodb+srv://cluster0.abcde.example.net/shop");
    });
  });
  it("reports a server that accepts the connection but stays silent", async () => {
    await againstRaw("no-answer", () => undefined);
  });
  it("reports a hosted server that stays silent", async () => {
    await against("no-answer-hosted", answerTo(/./, "hang"), { label: "c0.abcde.mongodb.net/shop" });
  });
  it("reports a server that closes each connection at once", async () => {
    await againstRaw("closed-at-once", (socket) => socket.destroy());
  });
  it("reports a server that speaks another protocol", async () => {
    await againstRaw("not-mongodb", (socket) =>
      socket.once("data", () => socket.write("HTTP/1.1 400 Bad Request\r\nConnection: keep-alive\r\n\r\n")),
    );
  });
});

describe("TLS", () => {
  it.each<[string, MongodbFailure]>([
    ["expired", "tls-expired"],
    ["wrong-name", "tls-wrong-name"],
    ["self-signed", "tls-untrusted"],
  ])("reports why a certificate is rejected: %s", async (certificate, name) => {
    await against(name, { tls: pem(certificate) }, { options: TRUSTED, role: "target" });
  });
  it("reports a certificate of an unknown authority", async () => {
    await against("tls-untrusted", { tls: pem("good") }, { options: "tls=true" });
  });
  it("reports a server that answers a TLS handshake in plain text", async () => {
    await againstRaw(
      "tls-not-spoken",
      (socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
      "&tls=true",
    );
  });
  it("reports a server that closes the connection during the TLS handshake", async () => {
    await againstRaw("tls-closed", (socket) => socket.once("data", () => socket.destroy()), "&tls=true");
  });
  it("suggests tls=true when a server that requires TLS closes a plain connection", async () => {
    const error = await against("closed-at-once", { tls: pem("good") });
    expect(error.hint).toContain("tls=true");
  });
  it("reports TLS alert 80, which Atlas sends to addresses that are not on its access list", async () => {
    const alert = Buffer.from([21, 3, 1, 0, 2, 2, 80]);
    await againstRaw(
      "tls-access-list",
      (socket) => socket.once("data", () => socket.end(alert)),
      "&tls=true",
    );
  });
  it("reports a server that supports only obsolete TLS versions", async () => {
    const old = {
      ...pem("good"),
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    } as const;
    await against("tls-version", { tls: old }, { options: TRUSTED });
  });
  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "reports a server that requires a client certificate (%s)",
    async (maxVersion) => {
      const tls = {
        ...pem("good"),
        requestCert: true,
        rejectUnauthorized: true,
        ca: readFileSync(`${TLS}/ca.pem`),
        maxVersion,
      };
      await against("tls-client-certificate", { tls }, { options: TRUSTED });
    },
  );
  it("reports a rare TLS alert by its code", async () => {
    const alert = Buffer.from([21, 3, 1, 0, 2, 2, 71]);
    await againstRaw("tls-other", (socket) => socket.once("data", () => socket.end(alert)), "&tls=true");
  });
  it.each([
    ["is missing", "tlsCAFile=/nowhere/ca.pem"],
    ["is locked", `tlsCertificateKeyFile=${TLS}/locked.pem`],
    ["has another passphrase", `tlsCertificateKeyFile=${TLS}/locked.pem&tlsCertificateKeyFilePassword=other`],
  ])("reports a TLS file that %s, without showing its path", async (_what, options) => {
    const { message } = await against(
      "tls-file",
      { tls: pem("good") },
      { options: `tls=true&${options}`, role: "target" },
    );
    expect(message).not.toContain("/nowhere");
  });
});

describe("authentication and authorization", () => {
  const user = "shop:letmein@";
  it.each([
    ["wrong password, unknown user or another authSource", refusal(18, "Authentication failed.")],
    ["wrong password on Atlas", refusal(8000, "bad auth : authentication failed", "AtlasError")],
    ["a mechanism that the server does not have", refusal(334, "mechanism unavailable")],
  ])("reports failed authentication: %s", async (_what, answer) => {
    await against("authentication", answerTo(/^sasl/, answer), { user, role: "target" });
  });
  it("reports missing credentials when the server demands them", async () => {
    await against(
      "no-credentials",
      answerTo(/^listCollections$/, refusal(13, "Command listCollections requires authentication")),
    );
  });
  it.each([
    [13, "not authorized on shop to execute command { listCollections: 1 }"],
    [8000, "user is not allowed to do action [listCollections] on [shop.]"],
  ])("reports a missing permission that the server refuses with code %i", async (code, text) => {
    const script = answerTo(/^listCollections$/, refusal(code, text));
    await against("right-source", script);
    await against("right-target", script, { role: "target" });
  });
});

describe("limits of an Atlas plan", () => {
  const target = { role: "target" } as const;
  it("reports a used-up space quota with its numbers", async () => {
    const text = "you are over your space quota, using 513 MB of 512 MB";
    const { message, reason } = await against(
      "quota-space",
      answerTo(/^(insert|update)$/, refusal(8000, text)),
      target,
    );
    expect(message).toContain("(513 of 512 MB)");
    expect(reason).toBe("quota");
  });
  it("reports too many collections with their numbers", async () => {
    const text = "cannot create a new collection -- already using 501 collections of 500";
    const { message } = await against(
      "quota-collections",
      answerTo(/^(insert|update)$/, refusal(8000, text)),
      target,
    );
    expect(message).toContain("(501 of 500)");
  });
  it.each(["collStats is not allowed in this atlas tier", "CMD_NOT_ALLOWED: update"])(
    "reports a command that the plan does not allow: %s",
    async (text) => {
      await against("plan-command", answerTo(/^(insert|update)$/, refusal(8000, text)), target);
    },
  );
  it("reports any other refusal of the plan without repeating its text", async () => {
    const answer = refusal(8000, "secret words of the service");
    const { message, hint } = await against("plan-refusal", answerTo(/^(insert|update)$/, answer), target);
    expect(`${message} ${hint}`).not.toContain("secret words");
  });
  it("reports too many requests per second", async () => {
    await against(
      "too-many-requests",
      answerTo(/^listCollections$/, refusal(16500, "Request rate is large")),
    );
  });
});

describe("a database that exists in other letters", () => {
  it("reports it with the existing name where the server lists it", async () => {
    const listed = answerTo(/^listDatabases$/, { ok: 1, databases: [{ name: "SHOP" }, { name: "other" }] });
    for (const role of ["source", "target"] as const)
      expect((await against("database-spelling", listed, { role })).message).toContain(
        'in other letters ("SHOP"):',
      );
  });
  it("reports it without a name where only the write is refused", async () => {
    const text = "db already exists with different case already have: [SHOP] trying to create [shop]";
    const { message } = await against(
      "database-spelling",
      answerTo(/^(insert|update)$/, refusal(13297, text)),
      { role: "target" },
    );
    expect(message).not.toContain("SHOP");
  });
});

describe("server states", () => {
  it.each<[string, MongodbFailure, Script]>([
    ["a disk without space", "disk", answerTo(/^listCollections$/, refusal(14031, "no space"))],
    ["an old version", "server-old", helloWith({ maxWireVersion: 5 })],
    ["a version of the future", "server-new", helloWith({ minWireVersion: 99, maxWireVersion: 99 })],
    ["a secondary", "not-primary", helloWith({ isWritablePrimary: false, secondary: true })],
    [
      "a step-down that does not end",
      "stepped-down",
      answerTo(/^listCollections$/, refusal(10107, "no primary")),
    ],
    ["a shutdown", "shutting-down", answerTo(/^listCollections$/, refusal(91, "shutting down"))],
    ["a connection closed again and again", "broken", answerTo(/^listCollections$/, "close")],
    [
      "bytes that are not a document",
      "not-understood",
      answerTo(/^listCollections$/, Buffer.from([9, 0, 0, 0, 0x99, 65, 0, 1, 0])),
    ],
    ["impossible limits", "not-understood", helloWith({ maxMessageSizeBytes: -1 })],
    [
      "an error code without a special meaning",
      "unknown",
      answerTo(/^listCollections$/, refusal(59, "no such command")),
    ],
  ])("reports %s on either side", async (_what, name, script) => {
    await against(name, script);
    await against(name, script, { role: "target" });
  });

  it("does not show the name of an error code when it is not a name", async () => {
    const { message } = await against(
      "unknown",
      answerTo(/^listCollections$/, refusal(59, "x", "\u001b[2J")),
    );
    expect(message).toMatch(/\(?code 59\.$/);
  });

  it("reports a replica set without a primary, and a replica set of another name", async () => {
    const member = {
      isWritablePrimary: false,
      secondary: true,
      setName: "rs",
      setVersion: 1,
      me: "127.0.0.1:1",
    };
    for (const wanted of ["rs", "other"]) {
      let port = 0;
      const server = await startScripted({
        answer: (request) =>
          isHello(request)
            ? {
                ...HELLO,
                ...member,
                me: `127.0.0.1:${port}`,
                hosts: [`127.0.0.1:${port}`],
                logicalSessionTimeoutMinutes: 30,
              }
            : undefined,
      });
      port = server.port;
      await failureOf("no-primary", `mongodb://127.0.0.1:${port}/?replicaSet=${wanted}`);
      await server.stop();
    }
  });

  it("reports a replica set whose members have host names of another network", async () => {
    const member = {
      setName: "rs",
      setVersion: 1,
      hosts: ["mongo1.invalid:27017"],
      me: "mongo1.invalid:27017",
    };
    const server = await startScripted(helloWith(member));
    await failureOf("member-names", `mongodb://127.0.0.1:${server.port}/?replicaSet=rs`);
    await server.stop();
  });

  it("reports that no connection became free in time", async () => {
    const server = await startScripted(answerTo(/^listCollections$/, "hang"));
    const uri = `${server.uri}&waitQueueTimeoutMS=300&maxPoolSize=4`;
    const hanging = new AbortController();
    const label = labelOf(uri);
    // Cursors of the driver ask for connections as they need them.
    const options = { uri, database: "shop", role: "source", label, retries: 0, cursors: "driver" } as const;
    const store = await mongodb(options, never);
    const busy = Array.from({ length: 4 }, () => store.list(hanging.signal).catch(() => undefined));
    const error = await store.list(never).catch((thrown: unknown) => thrown);
    expect((error as DualsyncError).hint).toBe(FAILURES["no-connection-free"].hint);
    provoked.add("no-connection-free");
    hanging.abort(new Error("enough"));
    await Promise.all(busy);
    await store.close();
    await server.stop();
  });

  it("reports a reply that does not come in time", async () => {
    const scripted = await startScripted(answerTo(/^ping$/, "hang"));
    const label = labelOf(scripted.uri);
    const options = { uri: scripted.uri, database: "shop", role: "target", label, retries: 0 } as const;
    const server = await Server.open(options, never);
    const run = { signal: never, doing: "reach the server", deadline: 300 };
    const error = await server.run({ ping: 1 }, run).catch((thrown: unknown) => thrown);
    expect((error as DualsyncError).message).toMatch(sentence(FAILURES.late.says));
    provoked.add("late");
    await server.close();
    await scripted.stop();
  });
});

afterAll(() => {
  const missing = Object.keys(FAILURES).filter((name) => !provoked.has(name as MongodbFailure));
  expect(missing, "failures that no test provokes").toEqual([]);
});
