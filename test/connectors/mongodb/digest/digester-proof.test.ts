import { Binary, type Document, ObjectId } from "bson";
import { MongoClient } from "mongodb";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { CollectionInfo } from "../../../../src/connectors/collection.ts";
import { mongodb } from "../../../../src/connectors/mongodb/mongodb.ts";
import type { Digester } from "../../../../src/connectors/powers/digests.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { type Answer, HELLO, isHello, startScripted } from "../../../services/wire/scripted-server.ts";
import type { Request } from "../../../services/wire/wire-message.ts";
import { never } from "../../../support/signal.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

const INFO: CollectionInfo = {
  name: "orders",
  kind: "collection",
  type: "collection",
  options: new Map(),
  ordered: true,
  documents: 500,
  bytes: 20_000,
};
/** `{_id: <int>, n: <int>}` */
const DOCUMENT_BYTES = 21;

let server: MongodbService;
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  server = await sharedMongodb();
  const client = new MongoClient(server.uri);
  const orders = client.db("shop").collection<{ _id: number }>("orders");
  await orders.insertMany(Array.from({ length: 500 }, (_, n) => ({ _id: n, n })));
  await client.close();
  return () => server.stop();
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** What a server offers that answers digests by a script; the first one asked for is number 1. */
async function offered(script: (number: number) => Answer, retries = 0): Promise<Digester | undefined> {
  let asked = 0;
  const answer = (request: Request): Answer => (isDigest(request) ? script(++asked) : undefined);
  const scripted = await startScripted({ answer, behind: server.port });
  ends.push(() => scripted.stop());
  const options = {
    uri: scripted.uri,
    database: "shop",
    role: "source",
    label: "test/shop",
    retries,
  } as const;
  const store = await mongodb(options, never);
  ends.push(() => store.close());
  const found = await store.digests.digester(INFO, never);
  expect(asked).toBeGreaterThan(0);
  return found;
}

function isDigest({ name, command }: Request): boolean {
  return name === "aggregate" && JSON.stringify(command).includes("sha256");
}

function row(content: Document): Document {
  return { cursor: { id: 0n, ns: "shop.orders", firstBatch: [content] }, ok: 1 };
}

const WRONG = row({ documents: 4, bytes: 4 * DOCUMENT_BYTES, sha256: new Binary(Buffer.alloc(32)) });

describe("proof of a server's hashing", () => {
  it("uses the hashing of a server that returns what is computed from the bytes", async () => {
    expect(await offered(() => undefined)).toBeDefined();
  });

  it.each<[string, Answer]>([
    ["hashes something else", WRONG],
    ["does not know the operator", { ok: 0, code: 31325, codeName: "Location31325", errmsg: "unknown" }],
    ["does not know the type", { ok: 0, code: 9, codeName: "FailedToParse", errmsg: "binData" }],
    ["does not allow it", { ok: 0, code: 13, codeName: "Unauthorized", errmsg: "not allowed" }],
    ["does not allow it in its plan", { ok: 0, code: 8000, codeName: "AtlasError", errmsg: "unsupported" }],
    ["has no time for it", { ok: 0, code: 50, codeName: "MaxTimeMSExpired", errmsg: "too slow" }],
    ["answers without a cursor", { ok: 1 }],
    ["finds nothing", { cursor: { id: 0n, ns: "shop.orders", firstBatch: [] }, ok: 1 }],
    ["answers with an empty row", row({})],
    ["answers with a text", row({ documents: 4, bytes: 4 * DOCUMENT_BYTES, sha256: "a".repeat(64) })],
    ["answers with a short hash", row({ documents: 4, bytes: 84, sha256: new Binary(Buffer.alloc(8)) })],
    ["answers with null", row({ documents: 4, bytes: 84, sha256: null })],
  ])("does not use the hashing of a server that %s", async (_, answer) => {
    expect(await offered(() => answer)).toBeUndefined();
  });

  it("does not use the hashing of a server whose last probe alone is wrong", async () => {
    const last = row({ documents: 1, bytes: DOCUMENT_BYTES, sha256: new Binary(Buffer.alloc(32)) });
    expect(await offered((number) => (number > 3 ? last : undefined))).toBeUndefined();
  });

  it("probes a server's hashing again when a document may have changed in the meantime", async () => {
    expect(await offered((number) => (number <= 2 ? WRONG : undefined))).toBeDefined();
  });

  it("probes a server's hashing again when the connection breaks", async () => {
    expect(await offered((number) => (number === 1 ? "close" : undefined), 1)).toBeDefined();
  });

  it("fails when the connection keeps breaking, instead of giving up on hashing", async () => {
    await expect(offered(() => "close", 1)).rejects.toMatchObject({ exit: "source", retryable: true });
  });
});

it.each([
  [
    "sends its process id",
    { topologyVersion: { processId: new ObjectId("65a0b1c2d3e4f5a6b7c8d9e0"), counter: 0n } },
    "65a0b1c2d3e4f5a6b7c8d9e0",
  ],
  ["sends no process id", {}, undefined],
  ["sends a malformed process id", { topologyVersion: { processId: 5 } }, undefined],
])("identity() has the right process id for a server that %s", async (_, hello, expected) => {
  const answer = (request: Request): Answer => (isHello(request) ? { ...HELLO, ...hello } : undefined);
  const scripted = await startScripted({ answer });
  ends.push(() => scripted.stop());
  const uri = `${scripted.uri}&serverMonitoringMode=poll`;
  const store = await mongodb({ uri, database: "shop", role: "source", label: "test/shop" }, never);
  ends.push(() => store.close());
  expect((await store.identity(never)).instance).toBe(expected);
});
