import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { FAILURES, type FailureName } from "../../src/connectors/mongodb/failures.ts";
import { mongodb } from "../../src/connectors/mongodb/mongodb.ts";
import { Server } from "../../src/connectors/mongodb/server.ts";
import type { DualsyncError } from "../../src/errors.ts";
import { type DnsAnswer, withDns } from "../services/dns-server.ts";
import { HELLO, isHello, type Script, startScripted } from "../services/scripted-server.ts";
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
} from "../support/provoke.ts";
import { never } from "../support/signal.ts";

describe("a server that is not there", () => {
  it.each(["source", "target"] as const)("refuses: port closed on this machine, as the %s", async (role) => {
    await failureOf("refused-here", "mongodb://127.0.0.1:1/?directConnection=true", role);
  });
  it("refuses: port closed on another host", async () => {
    await failureOf("refused", "mongodb://127.0.0.1:1/", "target", "db.internal:27017/shop");
  });
  it("has a host name that DNS does not know", async () => {
    await failureOf("host-unknown", "mongodb://no-such-host.invalid/");
  });
  it.each<[DnsAnswer, FailureName]>([
    ["unknown", "srv-unknown"],
    ["empty", "srv-unknown"],
    ["foreign", "srv-foreign"],
    ["failure", "dns-silent"],
    ["silence", "dns-silent"],
  ])("is looked up by SRV, and DNS answers with %s", async (answer, name) => {
    await withDns(answer, async () => {
      await failureOf(name, "mongodb+srv://cluster0.abcde.example.net/shop");
    });
  });
  it("takes the connection and is silent", async () => {
    await againstRaw("no-answer", () => undefined);
  });
  it("is silent, and is somewhere in a cloud", async () => {
    await against("no-answer-hosted", answerTo(/./, "hang"), { label: "c0.abcde.mongodb.net/shop" });
  });
  it("closes each connection at once", async () => {
    await againstRaw("closed-at-once", (socket) => socket.destroy());
  });
  it("speaks another protocol", async () => {
    await againstRaw("not-mongodb", (socket) =>
      socket.once("data", () => socket.write("HTTP/1.1 400 Bad Request\r\nConnection: keep-alive\r\n\r\n")),
    );
  });
});

describe("TLS", () => {
  it.each<[string, FailureName]>([
    ["expired", "tls-expired"],
    ["wrong-name", "tls-wrong-name"],
    ["self-signed", "tls-untrusted"],
  ])("with the certificate %s is no connection, and says why", async (certificate, name) => {
    await against(name, { tls: pem(certificate) }, { options: TRUSTED, role: "target" });
  });
  it("with a certificate of an unknown authority", async () => {
    await against("tls-untrusted", { tls: pem("good") }, { options: "tls=true" });
  });
  it("asked of a server that answers in plain text", async () => {
    await againstRaw(
      "tls-not-spoken",
      (socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
      "&tls=true",
    );
  });
  it("asked of a server that closes on it", async () => {
    await againstRaw("tls-closed", (socket) => socket.once("data", () => socket.destroy()), "&tls=true");
  });
  it("not asked of a server that wants it", async () => {
    const error = await against("closed-at-once", { tls: pem("good") });
    expect(error.hint).toContain("tls=true");
  });
  it("broken off with alert 80, as Atlas does to unknown addresses", async () => {
    const alert = Buffer.from([21, 3, 1, 0, 2, 2, 80]);
    await againstRaw(
      "tls-access-list",
      (socket) => socket.once("data", () => socket.end(alert)),
      "&tls=true",
    );
  });
  it("of versions that nobody should speak any more", async () => {
    const old = {
      ...pem("good"),
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    } as const;
    await against("tls-version", { tls: old }, { options: TRUSTED });
  });
  it.each(["TLSv1.2", "TLSv1.3"] as const)("that wants a client's certificate, in %s", async (maxVersion) => {
    const tls = {
      ...pem("good"),
      requestCert: true,
      rejectUnauthorized: true,
      ca: readFileSync(`${TLS}/ca.pem`),
      maxVersion,
    };
    await against("tls-client-certificate", { tls }, { options: TRUSTED });
  });
  it("broken off with a rarer alert, named by its code", async () => {
    const alert = Buffer.from([21, 3, 1, 0, 2, 2, 71]);
    await againstRaw("tls-other", (socket) => socket.once("data", () => socket.end(alert)), "&tls=true");
  });
  it.each([
    ["is missing", "tlsCAFile=/nowhere/ca.pem"],
    ["is locked", `tlsCertificateKeyFile=${TLS}/locked.pem`],
    ["has another passphrase", `tlsCertificateKeyFile=${TLS}/locked.pem&tlsCertificateKeyFilePassword=other`],
  ])("with a file that %s", async (_what, options) => {
    const { message } = await against(
      "tls-file",
      { tls: pem("good") },
      { options: `tls=true&${options}`, role: "target" },
    );
    expect(message).not.toContain("/nowhere");
  });
});

describe("a user", () => {
  const user = "shop:letmein@";
  it.each([
    ["wrong password, unknown user or another authSource", refusal(18, "Authentication failed.")],
    ["wrong password on Atlas", refusal(8000, "bad auth : authentication failed", "AtlasError")],
    ["a mechanism that the server does not have", refusal(334, "mechanism unavailable")],
  ])("is not let in: %s", async (_what, answer) => {
    await against("authentication", answerTo(/^sasl/, answer), { user, role: "target" });
  });
  it("is missing where one is demanded", async () => {
    await against(
      "no-credentials",
      answerTo(/^listCollections$/, refusal(13, "Command listCollections requires authentication")),
    );
  });
  it.each([
    [13, "not authorized on shop to execute command { listCollections: 1 }"],
    [8000, "user is not allowed to do action [listCollections] on [shop.]"],
  ])("lacks a right, said with code %i", async (code, text) => {
    const script = answerTo(/^listCollections$/, refusal(code, text));
    await against("right-source", script);
    await against("right-target", script, { role: "target" });
  });
});

describe("a plan's limits", () => {
  const target = { role: "target" } as const;
  it("the space, with its numbers", async () => {
    const text = "you are over your space quota, using 513 MB of 512 MB";
    const { message } = await against(
      "quota-space",
      answerTo(/^(insert|update)$/, refusal(8000, text)),
      target,
    );
    expect(message).toContain("(513 of 512 MB)");
  });
  it("the collections, with their numbers", async () => {
    const text = "cannot create a new collection -- already using 501 collections of 500";
    const { message } = await against(
      "quota-collections",
      answerTo(/^(insert|update)$/, refusal(8000, text)),
      target,
    );
    expect(message).toContain("(501 of 500)");
  });
  it.each(["collStats is not allowed in this atlas tier", "CMD_NOT_ALLOWED: update"])(
    "a command: %s",
    async (text) => {
      await against("plan-command", answerTo(/^(insert|update)$/, refusal(8000, text)), target);
    },
  );
  it("another, of which no word is repeated", async () => {
    const answer = refusal(8000, "secret words of the service");
    const { message, hint } = await against("plan-refusal", answerTo(/^(insert|update)$/, answer), target);
    expect(`${message} ${hint}`).not.toContain("secret words");
  });
  it("requests a second", async () => {
    await against(
      "too-many-requests",
      answerTo(/^listCollections$/, refusal(16500, "Request rate is large")),
    );
  });
});

describe("a server's state", () => {
  it.each<[string, FailureName, Script]>([
    ["a disk without space", "disk", answerTo(/^listCollections$/, refusal(14031, "no space"))],
    ["an old version", "server-old", helloWith({ maxWireVersion: 5 })],
    ["a version of the future", "server-new", helloWith({ minWireVersion: 99, maxWireVersion: 99 })],
    ["being a secondary", "not-primary", helloWith({ isWritablePrimary: false, secondary: true })],
    ["a step-down without end", "stepped-down", answerTo(/^listCollections$/, refusal(10107, "no primary"))],
    ["a shutdown", "shutting-down", answerTo(/^listCollections$/, refusal(91, "shutting down"))],
    ["a connection closed again and again", "broken", answerTo(/^listCollections$/, "close")],
    [
      "bytes that are no document",
      "not-understood",
      answerTo(/^listCollections$/, Buffer.from([9, 0, 0, 0, 0x99, 65, 0, 1, 0])),
    ],
    ["impossible limits", "not-understood", helloWith({ maxMessageSizeBytes: -1 })],
    [
      "a code that means nothing special",
      "unknown",
      answerTo(/^listCollections$/, refusal(59, "no such command")),
    ],
  ])("is named: %s", async (_what, name, script) => {
    await against(name, script);
    await against(name, script, { role: "target" });
  });

  it("a code's name that is not a name is not shown", async () => {
    const { message } = await against(
      "unknown",
      answerTo(/^listCollections$/, refusal(59, "x", "\u001b[2J")),
    );
    expect(message).toMatch(/\(?code 59\.$/);
  });

  it("a replica set without a primary, and a set of another name", async () => {
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

  it("a replica set whose members have names of another network", async () => {
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

  it("no connection free", async () => {
    const server = await startScripted(answerTo(/^listCollections$/, "hang"));
    const uri = `${server.uri}&waitQueueTimeoutMS=300`;
    const hanging = new AbortController();
    const label = labelOf(uri);
    const store = await mongodb({ uri, database: "shop", role: "source", label, retries: 0 }, never);
    const busy = Array.from({ length: 32 }, () => store.list(hanging.signal).catch(() => undefined));
    const error = await store.list(never).catch((thrown: unknown) => thrown);
    expect((error as DualsyncError).hint).toBe(FAILURES["no-connection-free"].hint);
    provoked.add("no-connection-free");
    hanging.abort(new Error("enough"));
    await Promise.all(busy);
    await store.close();
    await server.stop();
  });

  it("an answer that does not come in time", async () => {
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
  const missing = Object.keys(FAILURES).filter((name) => !provoked.has(name as FailureName));
  expect(missing, "failures that no test provokes").toEqual([]);
});
