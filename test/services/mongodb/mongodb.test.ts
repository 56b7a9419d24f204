import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Binary, BSON, type Document, MongoClient } from "mongodb";
import { afterEach, describe, expect, test } from "vitest";
import { MessageFramer } from "../wire/message-framer.js";
import { type MongodbOptions, type MongodbService, startMongodb, withDatabase } from "./mongodb.ts";
import { rawDocument } from "./raw-source.ts";

const MEGABYTE = 1024 * 1024;
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options?: MongodbOptions): Promise<MongodbService> {
  const service = await startMongodb(options);
  cleanups.push(service.stop);
  return service;
}

function connectTo({ uri }: MongodbService): MongoClient {
  const client = new MongoClient(withDatabase(uri, "shop"));
  cleanups.push(() => client.close());
  return client;
}

/** One insert as a wire message: the command in its body, the documents in a sequence of their own. */
function insertMessage(collection: string, documents: readonly Document[]): Buffer {
  const body = BSON.serialize({ insert: collection, $db: "shop" });
  const sequence = Buffer.concat([
    Buffer.from("documents\0"),
    ...documents.map((document) => BSON.serialize(document)),
  ]);
  const head = Buffer.alloc(21); // Length, id, answered id, OP_MSG, no flags, section of kind 0.
  head.writeInt32LE(1, 4);
  head.writeInt32LE(2013, 12);
  const kind1 = Buffer.alloc(5, 1);
  kind1.writeInt32LE(4 + sequence.length, 1);
  const message = Buffer.concat([head, body, kind1, sequence]);
  message.writeInt32LE(message.length, 0);
  return message;
}

async function firstMessage(socket: Socket): Promise<Buffer> {
  const framer = new MessageFramer();
  for await (const chunk of socket) for (const message of framer.push(chunk)) return message;
  throw new Error("the connection was closed without an answer");
}

describe("MongoDB test service", () => {
  test("a MongoDB test service keeps what is written", async () => {
    const service = await start();
    const orders = connectTo(service).db().collection("orders");
    await orders.insertOne({ total: 12 });
    expect(await orders.findOne({}, { projection: { _id: 0 } })).toEqual({ total: 12 });
    expect(service.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("a MongoDB test service does not share data with another one", async () => {
    const [one, other] = await Promise.all([start(), start()]);
    await connectTo(one).db().collection("orders").insertOne({ total: 12 });
    expect(await connectTo(one).db().collection("orders").countDocuments()).toBe(1);
    expect(await connectTo(other).db().collection("orders").countDocuments()).toBe(0);
  });

  test("stores a document of 16 MB", async () => {
    const files = connectTo(await start())
      .db()
      .collection<{ _id: number; content: Binary }>("files");
    const empty = BSON.calculateObjectSize({ _id: 1, content: new Binary(Buffer.alloc(0)) });
    const content = Buffer.alloc(16 * MEGABYTE - empty, "dualsync");
    await files.insertOne({ _id: 1, content: new Binary(content) });
    const found = await files.findOne({ _id: 1 }, { promoteBuffers: false });
    expect(found?.content.buffer.length).toBe(content.length);
    expect(Buffer.compare(found?.content.buffer ?? Buffer.alloc(0), content)).toBe(0);
  });

  test("accepts a message as large as the server announces", async () => {
    const service = await start();
    const { maxMessageSizeBytes, maxWriteBatchSize } = await connectTo(service).db().command({ hello: 1 });
    // Many documents, because the engine needs a little more room for each. By hand, because the driver makes
    // several messages of an insert of this size.
    const perDocument = Math.floor((maxMessageSizeBytes - 200) / maxWriteBatchSize);
    const content = Buffer.alloc(
      perDocument - BSON.calculateObjectSize({ _id: 0, content: Buffer.alloc(0) }),
      "x",
    );
    const documents = Array.from({ length: maxWriteBatchSize }, (_, at) => ({ _id: at, content }));
    const message = insertMessage("files", documents);
    expect(message.length).toBeLessThanOrEqual(maxMessageSizeBytes);
    expect(message.length).toBeGreaterThan(maxMessageSizeBytes - 100_200);
    expect(message.length).toBeGreaterThan(30 * MEGABYTE);
    const socket = connect(service.port, "127.0.0.1");
    cleanups.push(async () => socket.destroy());
    socket.write(message);
    const reply = await firstMessage(socket);
    expect(BSON.deserialize(reply.subarray(21))).toMatchObject({ n: maxWriteBatchSize, ok: 1 });
    const files = connectTo(service).db().collection<{ _id: number; content: Buffer }>("files");
    expect(await files.countDocuments({ content })).toBe(maxWriteBatchSize);
  });

  test("drops a connection that sends invalid bytes, and keeps serving others", async () => {
    const service = await start();
    const socket = connect(service.port, "127.0.0.1");
    socket.on("error", () => {});
    const closed = once(socket, "close");
    socket.write(Buffer.alloc(16, 0xff));
    await closed;
    expect(await connectTo(service).db().command({ ping: 1 })).toMatchObject({ ok: 1 });
  });

  test("removes its data folder when it is stopped", async () => {
    const service = await start();
    expect(existsSync(service.directory)).toBe(true);
    await service.stop();
    expect(existsSync(service.directory)).toBe(false);
    await service.stop();
  });

  test("keeps journaled writes and its port when it is restarted after a kill", async () => {
    const directory = mkdtempSync(join(tmpdir(), "dualsync-test-"));
    cleanups.push(async () => rmSync(directory, { recursive: true }));
    const first = await start({ directory });
    await connectTo(first)
      .db()
      .collection("orders")
      .insertOne({ total: 12 }, { writeConcern: { w: 1, journal: true } });
    await first.kill();
    const second = await start({ directory, port: first.port });
    expect(second.uri).toBe(first.uri);
    expect(await connectTo(second).db().collection("orders").countDocuments()).toBe(1);
    await second.stop();
    expect(existsSync(directory)).toBe(true);
  });

  test("fails to start with the server's own error message", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dualsync-test-"));
    cleanups.push(async () => rmSync(folder, { recursive: true }));
    const file = join(folder, "not-a-folder");
    writeFileSync(file, "");
    await expect(startMongodb({ directory: file })).rejects.toThrow(/did not start: it ended.*not-a-folder/s);
  });
});

describe("MongoDB test service with raw documents", () => {
  test("serves documents that the engine cannot store byte for byte, in every batch", async () => {
    const service = await start({ rawDocuments: true });
    const odd = connectTo(service).db().collection("odd");
    const stored = Array.from({ length: 5 }, (_, id) =>
      Buffer.from(BSON.serialize({ _id: id, a: "xx", b: "yy" })),
    );
    for (const [at, bytes] of stored.entries()) {
      if (at % 2 === 0) bytes.write("a", bytes.indexOf("b\0\x03\0\0\0yy"), "latin1");
      if (at % 2 === 0) bytes[bytes.indexOf("yy")] = 0xff;
    }
    await odd.insertMany(
      stored.map((bytes, at) => (at % 2 === 0 ? rawDocument(bytes) : BSON.deserialize(bytes))),
    );
    const found = await odd.find({}, { raw: true, batchSize: 2, sort: { _id: 1 } }).toArray();
    expect(found.map((bytes) => Buffer.from(bytes as unknown as Uint8Array))).toEqual(stored);
  });

  test("serves the wrapper unchanged when raw documents were not requested", async () => {
    const odd = connectTo(await start())
      .db()
      .collection("odd");
    await odd.insertOne(rawDocument(BSON.serialize({ _id: 1, a: 1 })));
    expect(Object.keys((await odd.findOne()) ?? {})).toEqual(["_id", "$$raw"]);
  });
});

describe("withDatabase", () => {
  test.each([
    ["mongodb://h:1/?directConnection=true", "mongodb://h:1/shop?directConnection=true"],
    ["mongodb://h:1", "mongodb://h:1/shop"],
    ["mongodb://u:p@h:1,i:2/old?w=1", "mongodb://u:p@h:1,i:2/shop?w=1"],
    ["mongodb+srv://h.example/?appName=a", "mongodb+srv://h.example/shop?appName=a"],
  ])("puts the database name into %s", (uri, expected) => {
    expect(withDatabase(uri, "shop")).toBe(expected);
  });
});
