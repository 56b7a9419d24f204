import { deflateSync } from "node:zlib";
import { type Document, Double, serialize } from "bson";
import { beforeAll, describe, expect, it } from "vitest";
import type { MongodbService } from "../../services/mongodb/mongodb.ts";
import { type Answer, HELLO, isHello, startScripted } from "../../services/wire/scripted-server.ts";
import type { Request } from "../../services/wire/wire-message.ts";
import { dualsync } from "../../support/cli.ts";
import {
  cursor,
  entry,
  expectCleanEnd,
  hostedRuns,
  MOST_MEMORY,
  type Outcome,
  on,
} from "../../support/hostile.ts";
import { sharedMongodb } from "../../support/stores/shared-services.ts";

const hosted = hostedRuns();
let good: MongodbService;
let runs = 0;
beforeAll(async () => {
  good = await sharedMongodb();
  return () => good.stop();
});

/** The other side is a real server, with a database of its own for each run: one that was killed leaves its lease. */
function run(
  role: "source" | "target",
  answer: (request: Request) => Answer,
  ...flags: readonly string[]
): Promise<Outcome> {
  const other = `mongodb://127.0.0.1:${good.port}/good${++runs}?directConnection=true`;
  return hosted.against(other, role, answer, ...flags);
}

function header(length: number, kind: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(length, 0);
  bytes.writeInt32LE(kind, 12);
  return bytes;
}

const HUGE = { raw: Buffer.concat([header(0x7fffffff, 2013), Buffer.alloc(1_000)]) };
const NOTHING = { raw: Buffer.alloc(64) };
const NONSENSE = { raw: Buffer.from("4f8a01770bd2e5c91a30ffee4f8a01770bd2e5c9", "hex") };
const HTTP = { raw: Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") };
/** 400 kB that unpack to 400 MB; made once. */
let made: Answer;
const bomb = (): Answer => (made ??= makeBomb());
function makeBomb(): Answer {
  const packed = deflateSync(Buffer.alloc(400_000_000));
  const rest = Buffer.alloc(9);
  rest.writeInt32LE(2013, 0);
  rest.writeInt32LE(400_000_000, 4);
  rest[8] = 2; // zlib
  return { raw: Buffer.concat([header(25 + packed.length, 2012), rest, packed]) };
}

describe("bytes that are not a reply", () => {
  const cases: [string, Answer | (() => Answer)][] = [
    ["nonsense", NONSENSE],
    ["HTTP", HTTP],
    ["a length of 2 GB", HUGE],
    ["a length of zero", NOTHING],
    ["a compressed bomb", bomb],
    ["a document shorter than a document", Buffer.from([4, 0, 0, 0])],
    ["a document that extends past the message", Buffer.from([255, 255, 0, 0, 0])],
  ];
  it.each(cases)("ends the run when the first request is answered with %s", async (_what, answer) => {
    expectCleanEnd(await run("target", on(/./, answer)), 5);
  });
  it.each(cases)("ends the run when a command is answered with %s", async (_what, answer) => {
    expectCleanEnd(await run("source", on(/^listCollections$/, answer)), 4);
  });
});

describe("absurd hello replies", () => {
  it.each([
    ["maxMessageSizeBytes", 1],
    ["maxMessageSizeBytes", -48_000_000],
    ["maxMessageSizeBytes", "many"],
    ["maxWireVersion", "high"],
    ["maxWireVersion", -1],
  ])("rejects a hello reply with an absurd %s (%s)", async (field, value) => {
    const answer = (request: Request): Answer =>
      isHello(request) ? { ...HELLO, [field]: value } : undefined;
    expectCleanEnd(await run("target", answer), 5);
  });
  it.each([
    ["maxWriteBatchSize", 0],
    ["maxBsonObjectSize", 1],
    ["maxMessageSizeBytes", new Double(1e300)],
  ])("accepts a hello reply with an absurd %s (%s)", async (field, value) => {
    const answer = (request: Request): Answer =>
      isHello(request) ? { ...HELLO, [field]: value } : undefined;
    const { code, said } = await run("source", answer);
    expect(said).toMatch(/nothing to copy/); // so it was asked for its collections
    expect(code).toBe(6);
  });
});

describe("silent servers", () => {
  it("times out when a server is silent in the middle of authentication", async () => {
    const server = await startScripted({ answer: on(/^sasl/, "hang") });
    const started = performance.now();
    const uri = `mongodb://user:word@127.0.0.1:${server.port}/shop?directConnection=true`;
    const other = `mongodb://127.0.0.1:${good.port}/silence?directConnection=true`;
    const { code, stderr } = await dualsync(["duplicate", "--from", "env:LIVE", "--to", "env:COPY"], {
      env: { LIVE: uri, COPY: other },
    });
    expect(stderr).toMatch(/did not answer in time when asked to connect/m);
    expect(code).toBe(4);
    expect(performance.now() - started).toBeLessThan(30_000);
    await server.stop();
  });
});

describe("malformed listings", () => {
  it.each<[string, Answer]>([
    ["without a cursor", { ok: 1 }],
    ["with a cursor that is text", { ok: 1, cursor: "yes" }],
    ["with an id of another type", cursor([], "0")],
    ["with an id that is a number of another type", cursor([], 7)],
    ["with a batch that is not an array", { ok: 1, cursor: { id: 0n, ns: "x.y", firstBatch: "many" } }],
    ["with a batch of numbers", cursor([1, 2, 3] as unknown as Document[])],
  ])("rejects a listing %s", async (_what, answer) => {
    expectCleanEnd(await run("source", on(/^listCollections$/, answer)), 4);
  });

  it("rejects a listing whose document extends past its batch", async () => {
    const bytes = Buffer.from(serialize(cursor([entry("orders")])));
    const at = bytes.indexOf(Buffer.from("\u00030\0", "latin1")) + 3;
    bytes.writeInt32LE(bytes.readInt32LE(at) + 40, at);
    expectCleanEnd(await run("source", on(/^listCollections$/, bytes)), 4);
  });

  it("shows collection names that would control a terminal escaped", async () => {
    const names = ["\u001b[2J\u001b]0;owned\u0007", "a\r\nerror: forged", "\u202eevil", "\u0000\u0008"];
    const { code, said } = await run(
      "source",
      on(/^listCollections$/, cursor(names.map((name) => entry(name)))),
    );
    expect(said.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(said).not.toMatch(/^error: forged/m);
    expect(said).not.toMatch(/^\s+at /m);
    expect([0, 3, 4, 5]).toContain(code);
  });

  it("lists 100,000 collections in bounded memory", async () => {
    const names = Array.from({ length: 100_000 }, (_, at) => ({ ...entry(`c${at}`), type: "view" }));
    const { code, said, memory } = await run("source", on(/^listCollections$/, cursor(names)), "--dry-run");
    expect(code, said.slice(0, 500)).toBe(0);
    expect(memory).toBeLessThan(MOST_MEMORY);
  });
});

describe("malformed documents", () => {
  /** A source with one collection whose documents come like this. */
  const serving =
    (answer: (request: Request) => Answer) =>
    (request: Request): Answer => {
      if (request.name === "listCollections")
        return cursor([{ name: "orders", type: "collection", options: {} }]);
      if (request.name === "collStats") return { ok: 1, count: 1_000, size: 100_000 };
      if (request.name === "find" && "filter" in request.command && "limit" in request.command)
        return undefined;
      return /^(find|getMore)$/.test(request.name) ? answer(request) : undefined;
    };
  it("rejects replies that are not documents", async () => {
    const answer = serving(() => cursor(["a", "b"] as unknown as Document[]));
    expectCleanEnd(await run("source", answer), 4);
  });
});
