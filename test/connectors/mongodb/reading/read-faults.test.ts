import { MaxKey, MinKey, MongoClient } from "mongodb";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CollectionInfo } from "../../../../src/connectors/collection.ts";
import { Server } from "../../../../src/connectors/mongodb/connection/server.ts";
import { type MongodbStore, mongodb } from "../../../../src/connectors/mongodb/mongodb.ts";
import { openCursor } from "../../../../src/connectors/mongodb/reading/cursor.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { type Fate, type ScriptedRelay, startScriptedRelay } from "../../../services/wire/scripted-relay.ts";
import { collect, doc, hexOf, id } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

const CURSOR_NOT_FOUND = { ok: 0, code: 43, codeName: "CursorNotFound", errmsg: "cursor not found" };
const CURSOR_KILLED = { ok: 0, code: 237, codeName: "CursorKilled", errmsg: "cursor killed" };
const TOO_LATE = { ok: 0, code: 50, codeName: "MaxTimeMSExpired", errmsg: "operation exceeded time limit" };
const NOT_PRIMARY = { ok: 0, code: 10107, codeName: "NotWritablePrimary", errmsg: "not primary" };

/** Ids of every type, so that their order is not that of any one type. */
const IDS = [
  new MinKey(),
  ...Array.from({ length: 60 }, (_, n) => n),
  "a",
  "b",
  { x: 1 },
  true,
  new MaxKey(),
];

let server: MongodbService;
let relay: ScriptedRelay;
let client: MongoClient;
beforeAll(async () => {
  server = await sharedMongodb();
  relay = await startScriptedRelay(server.port);
  client = new MongoClient(server.uri);
  const db = client.db("reading");
  await db.collection<{ _id: unknown }>("ids").insertMany(IDS.map((_id) => ({ _id })));
  await db.createCollection("log", { capped: true, size: 1_000_000 });
  await db.collection<{ _id: number }>("log").insertMany(Array.from({ length: 60 }, (_, _id) => ({ _id })));
  return async () => {
    await client.close();
    await relay.stop();
    await server.stop();
  };
});
beforeEach(() => {
  relay.script = () => undefined;
});

function info(name: string, type: "collection" | "capped" | "timeseries" = "collection"): CollectionInfo {
  const kind = type === "collection" ? "collection" : "sequence";
  const ordered = type !== "timeseries";
  return { name, kind, type, options: new Map(), ordered, documents: 60, bytes: 60 * 20 };
}

/** Meets the given getMores, counted from 1. */
function onGetMore(fates: ReadonlyMap<number, Fate>): void {
  let count = 0;
  relay.script = (command) => ("getMore" in command ? fates.get(++count) : undefined);
}

describe.each(["own", "driver"] as const)("MongoDB reads with cursors of kind %s", (cursors) => {
  const opened = async (work: (store: MongodbStore) => Promise<void>): Promise<void> => {
    const store = await mongodb(
      { uri: relay.uri, database: "reading", role: "source", label: "test", cursors },
      never,
    );
    try {
      await work(store);
    } finally {
      await store.close();
    }
  };
  const all = hexOf(IDS.map((_id) => doc({ _id })));

  it("resumes a read after the last id when its cursor is lost, killed or cut off, and reads nothing twice", () =>
    opened(async (store) => {
      onGetMore(
        new Map<number, Fate>([
          [2, { answer: CURSOR_NOT_FOUND }],
          [4, { answer: CURSOR_KILLED }],
          [6, "break"],
          [7, { answer: NOT_PRIMARY }],
        ]),
      );
      expect(await collect(store.read(info("ids"), { batchSize: 5, signal: never }))).toEqual(all);
    }));

  it("retries a read whose first find fails", () =>
    opened(async (store) => {
      let finds = 0;
      relay.script = (command) => ("find" in command && finds++ < 2 ? "lose the answer" : undefined);
      expect(await collect(store.read(info("ids"), { batchSize: 50, signal: never }))).toEqual(all);
      expect(finds).toBeGreaterThan(2);
    }));

  it("keeps to the range and reaches the last id when a read is reopened", () =>
    opened(async (store) => {
      onGetMore(new Map<number, Fate>([[1, { answer: CURSOR_NOT_FOUND }]]));
      const range = { from: id(10), to: id("b") };
      const read = await collect(store.read(info("ids"), { range, batchSize: 7, signal: never }));
      expect(read).toEqual(all.slice(11, 62));
      onGetMore(new Map<number, Fate>([[1, "break"]]));
      const tail = await collect(store.read(info("ids"), { after: id(50), batchSize: 7, signal: never }));
      expect(tail).toEqual(all.slice(52));
    }));

  it.each([
    ["capped", CURSOR_NOT_FOUND],
    ["capped", { ok: 0, code: 136, codeName: "CappedPositionLost", errmsg: "position lost" }],
    ["timeseries", CURSOR_KILLED],
  ] as const)(
    "fails when a read of a %s collection breaks, instead of taking it for the end",
    (type, answer) =>
      opened(async (store) => {
        onGetMore(new Map<number, Fate>([[2, { answer }]]));
        let documents = 0;
        const reading = async (): Promise<void> => {
          for await (const batch of store.read(info("log", type), { batchSize: 10, signal: never }))
            documents += batch.length;
        };
        await expect(reading()).rejects.toMatchObject({ exit: "source", retryable: true });
        expect(documents).toBe(20);
      }),
  );

  it("queries the remaining documents when a lookup breaks off", () =>
    opened(async (store) => {
      const texts = Array.from({ length: 900 }, (_, _id) => ({ _id, text: "x".repeat(20_000) }));
      await client.db("reading").collection<{ _id: number }>("texts").insertMany(texts);
      let queries = 0;
      relay.script = (command) => {
        if ("find" in command) queries++;
        return "getMore" in command && queries === 1 ? "break" : undefined;
      };
      const found = await store.lookup.find(
        "texts",
        texts.map(({ _id }) => id(_id)),
        never,
      );
      expect(found.size).toBe(900);
      expect(queries).toBe(2);
      await client.db("reading").dropCollection("texts");
    }));

  it.each([
    ["the server gives up on", { answer: TOO_LATE }],
    ["is not answered in time", "say nothing"],
  ] as const)(
    "asks once for many documents, and then for one at a time, when a lookup %s",
    async (_what, fate) => {
      const store = await mongodb(
        { uri: relay.uri, database: "reading", role: "source", label: "test", cursors, deadline: 1_000 },
        never,
      );
      const asked: unknown[] = [];
      relay.script = ({ find, filter, maxTimeMS }) => {
        if (find === undefined) return undefined;
        asked.push(maxTimeMS);
        return "$in" in filter._id ? fate : undefined;
      };
      const ids = Array.from({ length: 30 }, (_, n) => id(2 * n));
      const found = await store.lookup.find("ids", ids, never);
      expect([...found.keys()].sort()).toEqual(ids.map(({ key }) => key).sort());
      expect(asked).toEqual([500, ...Array.from({ length: 30 }, () => undefined)]);
      await store.close();
    },
  );

  it("lists and counts again when the connection breaks", () =>
    opened(async (store) => {
      const seen = new Set<string>();
      relay.script = (command) => {
        const [name = ""] = Object.keys(command);
        if (!["listCollections", "aggregate", "listIndexes"].includes(name) || seen.has(name))
          return undefined;
        seen.add(name);
        return "break";
      };
      const { collections } = await store.list(never);
      expect(collections.map(({ name }) => name)).toEqual(["ids", "log"]);
      expect(await store.count("ids", {}, never)).toBe(IDS.length);
      expect(await store.metadata.indexes("ids", never)).toEqual([]);
      expect([...seen].sort()).toEqual(["aggregate", "listCollections", "listIndexes"]);
    }));

  it("ends a read at once when the signal aborts while the server is silent", () =>
    opened(async (store) => {
      const controller = new AbortController();
      const reason = new Error("enough");
      let begun: () => void = () => undefined;
      const silent = new Promise<void>((resolve) => {
        begun = resolve;
      });
      relay.script = (command) => {
        if (!("getMore" in command)) return undefined;
        begun();
        return "say nothing";
      };
      const reading = collect(store.read(info("ids"), { batchSize: 5, signal: controller.signal }));
      await silent;
      controller.abort(reason);
      await expect(reading).rejects.toBe(reason);
    }));

  it("retries a read when the server stays silent past the deadline", async () => {
    const store = await mongodb(
      { uri: relay.uri, database: "reading", role: "source", label: "test", cursors, deadline: 300 },
      never,
    );
    onGetMore(new Map<number, Fate>([[3, "say nothing"]]));
    expect(await collect(store.read(info("ids"), { batchSize: 5, signal: never }))).toEqual(all);
    await store.close();
  });
});

describe.each(["own", "driver"] as const)("MongoDB cursors of kind %s", (cursors) => {
  it("a cursor that is closed under its reader throws instead of ending", async () => {
    const server = await Server.open(
      { uri: relay.uri, database: "reading", role: "source", label: "test", cursors },
      never,
    );
    const find = { find: "ids", batchSize: 5 };
    const options = { collection: "ids", doing: "read ids", signal: never };
    const cursor = openCursor(server, find, options);
    expect((await cursor.fetch()).length).toBe(5);
    expect(cursor.ended).toBe(false);
    await server.close();
    await expect(cursor.fetch()).rejects.toThrow();
  });
});
