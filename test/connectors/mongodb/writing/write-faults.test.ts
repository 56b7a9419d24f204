import { type Document, MongoClient } from "mongodb";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type MongodbSession,
  type MongodbStore,
  mongodb,
} from "../../../../src/connectors/mongodb/mongodb.ts";
import { Batch, type Doc } from "../../../../src/model/document.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { type Fate, type ScriptedRelay, startScriptedRelay } from "../../../services/wire/scripted-relay.ts";
import { batchOf, collect, hexOf, id } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { sessionOf } from "../../../support/stores/claimed.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

const NOT_MAJORITY = {
  code: 64,
  codeName: "WriteConcernTimeout",
  errmsg: "waiting for replication timed out",
};
const batch = batchOf(...Array.from({ length: 8 }, (_, _id) => ({ _id, text: "x".repeat(100) })));
const wanted = hexOf(batch.docs());

let server: MongodbService;
let relay: ScriptedRelay;
let client: MongoClient;
let store: MongodbStore;
let session: MongodbSession;
let collection: string;
let count = 0;
beforeAll(async () => {
  server = await sharedMongodb();
  relay = await startScriptedRelay(server.port);
  client = new MongoClient(server.uri);
  ({ store, session } = await open({}));
  return async () => {
    await store.close();
    await client.close();
    await relay.stop();
    await server.stop();
  };
});
beforeEach(() => {
  collection = `c${++count}`;
  relay.script = () => undefined;
});

interface Opened {
  readonly store: MongodbStore;
  readonly session: MongodbSession;
}

async function open(options: { readonly retries?: number; readonly deadline?: number }): Promise<Opened> {
  const address = { uri: relay.uri, database: "faults", role: "target", label: "test" } as const;
  const opened = await mongodb({ ...address, ...options }, never);
  return { store: opened, session: await sessionOf(opened) };
}

/** What becomes of the first, second, … command of this name; the later ones pass. */
function on(name: string, ...fates: Fate[]): () => number {
  let seen = 0;
  relay.script = (command) => (name in command ? fates[seen++] : undefined);
  return () => seen;
}

async function stored(): Promise<string[]> {
  const info = { name: collection, kind: "collection", type: "collection", options: new Map() } as const;
  return await collect(store.read({ ...info, ordered: true, documents: 8, bytes: 1_000 }, { signal: never }));
}

function answer(document: Document): Fate {
  return { answer: { ok: 1, n: 0, ...document } };
}

describe("MongoDB writes", () => {
  it("a reply with a write concern error does not acknowledge a write, whatever else is in it", async () => {
    const duplicate = { index: 1, code: 11000, errmsg: "duplicate", keyPattern: { _id: 1 } };
    on(
      "insert",
      answer({ n: 8, writeConcernError: NOT_MAJORITY }),
      answer({ n: 7, writeErrors: [duplicate], writeConcernError: NOT_MAJORITY }),
    );
    const outcome = await session.write(collection, batch, "insert", never);
    expect(outcome).toEqual({ written: 8, unchanged: 0, rejected: [] });
    expect(await stored()).toEqual(wanted);
  });

  it("a document that somebody puts back each time it is taken out is rejected, and not tried for ever", async () => {
    const [document] = batchOf({ _id: 1, $mine: 1 }).docs() as [Doc];
    await client.db("faults").collection<{ _id: number }>(collection).insertOne({ _id: 1 });
    const sent: string[] = [];
    relay.script = (command) => {
      const [name = ""] = Object.keys(command);
      if (command[name] !== collection || name === "find") return undefined;
      sent.push(name);
      if (sent.length > 20) return "break";
      if (name === "update") return answer({ writeErrors: [{ index: 0, code: 52, errmsg: "$mine" }] });
      const taken = { index: 0, code: 11000, errmsg: "duplicate", keyPattern: { _id: 1 } };
      return name === "insert" ? answer({ writeErrors: [taken] }) : answer({ n: 1 });
    };
    const outcome = await session.write(collection, Batch.of([document]), "replace", never);
    expect(outcome).toMatchObject({ written: 0, rejected: [{ id: document.id }] });
    expect(sent.filter((name) => name === "update")).toHaveLength(2);
  });

  it.each(["insert", "replace"] as const)(
    "a write fails while no majority acknowledges it, even with a code that blames documents (%s)",
    async (mode) => {
      const impatient = await open({ retries: 1 });
      const writeConcernError = { ...NOT_MAJORITY, code: 9 };
      relay.script = (command) =>
        "insert" in command || "update" in command ? answer({ n: 8, writeConcernError }) : undefined;
      await expect(impatient.session.write(collection, batch, mode, never)).rejects.toMatchObject({
        exit: "target",
      });
      await impatient.store.close();
    },
  );

  it("a write is retried when a router blames single documents for the state of a shard", async () => {
    const writeErrors = [
      { index: 2, code: 10107, errmsg: "not primary" },
      { index: 5, code: 91, errmsg: "shutting down" },
    ];
    on("insert", answer({ n: 6, writeErrors }));
    expect(await session.write(collection, batch, "insert", never)).toMatchObject({
      written: 8,
      rejected: [],
    });
    expect(await stored()).toEqual(wanted);
  });

  it.each([10107, 11602, 189, 91])(
    "a write outlasts a step-down that is reported with code %i",
    async (code) => {
      const seen = on(
        "insert",
        ...Array.from({ length: 3 }, () => ({ answer: { ok: 0, code, errmsg: "stepping down" } })),
      );
      expect(await session.write(collection, batch, "insert", never)).toMatchObject({ written: 8 });
      expect(seen()).toBe(4);
    },
  );

  it("a write counts what it wrote when only the reply was lost", async () => {
    on("insert", "lose the answer");
    const outcome = await session.write(collection, batch, "insert", never);
    expect(outcome).toEqual({ written: 8, unchanged: 0, rejected: [] });
    expect(await stored()).toEqual(wanted);
    on("update", "lose the answer");
    expect(await session.write(collection, batch, "replace", never)).toMatchObject({ written: 8 });
  });

  it("a write rejects no document when connections break for a while", async () => {
    on("insert", "break", "lose the answer", "break", "break", "break");
    expect(await session.write(collection, batch, "insert", never)).toEqual({
      written: 8,
      unchanged: 0,
      rejected: [],
    });
    expect(await stored()).toEqual(wanted);
  });

  it("a write succeeds after the server did not reply in time", async () => {
    const hasty = await open({ deadline: 400 });
    on("insert", "say nothing", "say nothing");
    expect(await hasty.session.write(collection, batch, "insert", never)).toMatchObject({
      written: 8,
      rejected: [],
    });
    expect(await stored()).toEqual(wanted);
    await hasty.store.close();
  });

  it("does not take a document for written whose _id was taken and is free again", async () => {
    const one = batchOf({ _id: 0, text: "x" });
    const taken = answer({ writeErrors: [{ index: 0, code: 11000, errmsg: "dup", keyPattern: { _id: 1 } }] });
    on("insert", taken, taken);
    const rejected = [expect.objectContaining({ id: id(0), occupied: true })];
    expect(await session.write(collection, one, "create", never)).toMatchObject({ written: 0, rejected });
    expect(await session.write(collection, one, "insert", never)).toMatchObject({ written: 1, rejected: [] });
    expect(await stored()).toEqual(hexOf(one.docs()));
  });

  it("a replacement leaves the old document in place when the server rejects a new one that takes a delete and an insert", async () => {
    await session.write(collection, batchOf({ _id: 0, text: "before" }), "insert", never);
    const refused = { index: 0, code: 121, errmsg: "refused" };
    on("insert", answer({ writeErrors: [refused] }));
    const after = batchOf(new Map<string, unknown>(Object.entries({ _id: 0, $text: "after" })));
    expect(await session.write(collection, after, "replace", never)).toMatchObject({
      ...{ written: 0, rejected: [{ id: id(0), reason: expect.stringMatching(/refused it/) }] },
    });
    expect(await stored()).toEqual(hexOf(batchOf({ _id: 0, text: "before" }).docs()));
  });

  it("no write begins before the checksums of its collection are removed, whichever write removes them", async () => {
    await session.checksums.leave(collection, Buffer.from("checksums"), never);
    const seen: string[] = [];
    relay.script = (command) => {
      const [name = ""] = Object.keys(command);
      if (name === "insert" || name === "delete") seen.push(name);
      // The first removal fails, and is tried again a little later.
      return name === "delete" && seen.length === 1 ? "break" : undefined;
    };
    const two = [0, 1].map((_id) => session.write(collection, batchOf({ _id }), "insert", never));
    await Promise.all(two);
    expect(seen).toEqual(["delete", "delete", "insert", "insert"]);
  });

  it("an append is never repeated when its reply was lost", async () => {
    const seen = on("insert", "lose the answer");
    await expect(session.sequences.append(collection, batch, never)).rejects.toMatchObject({
      exit: "target",
    });
    expect(seen()).toBe(1);
    expect(await stored()).toEqual(wanted);
  });

  it("an append rejects no document when it fails because of the server's state", async () => {
    on("insert", answer({ n: 3, writeErrors: [{ index: 3, code: 189, errmsg: "stepped down" }] }));
    await expect(session.sequences.append(collection, batch, never)).rejects.toMatchObject({
      exit: "target",
    });
  });
});

it("an index that cannot be built because the disk is full makes the run fail, and is not just rejected", async () => {
  await session.write(collection, batch, "insert", never);
  const info = { name: collection, kind: "collection", type: "collection", options: new Map() } as const;
  const index = new Map<string, unknown>([
    ["v", 2],
    ["key", new Map([["text", 1]])],
    ["name", "text_1"],
  ]);
  on("createIndexes", { answer: { ok: 0, code: 14031, codeName: "OutOfDiskSpace", errmsg: "no space" } });
  const building = session.finish({ ...info, ordered: true, documents: 8, bytes: 1_000 }, [index], never);
  await expect(building).rejects.toMatchObject({
    exit: "target",
    message: expect.stringMatching(/no space left/),
  });
});

it("a run fails when its lease or its run record cannot be written", async () => {
  const target = await mongodb({ uri: relay.uri, database: "own", role: "target", label: "test" }, never);
  const holder = { host: "test-host", pid: 1 };
  const run = { id: "r", command: "test", holder, from: "nowhere", isGone: () => false };
  const writeErrors = [{ index: 0, code: 14031, errmsg: "no space" }];
  on("update", answer({ writeErrors }));
  await expect(target.claim(run, never)).rejects.toMatchObject({ exit: "target" });
  const lease = await target.claim(run, never);
  on("update", answer({ writeErrors }));
  const reported = { command: "test", from: "nowhere", run: "r", token: "t", since: new Date(0) };
  const lastRun = { ...reported, complete: true, verified: true, documents: new Map() };
  await expect(lease.record(lastRun)).rejects.toMatchObject({ exit: "target" });
  await target.close();
});

describe("MongoDB removals", () => {
  const ids = [0, 3, 5].map((value) => id(value));

  it("a removal counts what it removed when only the reply was lost", async () => {
    await session.write(collection, batch, "insert", never);
    on("delete", "lose the answer");
    expect(await session.remove(collection, ids, never)).toBe(3);
    expect(await stored()).toHaveLength(5);
  });

  it("a removal is retried when a router blames single ids or no majority acknowledges it", async () => {
    await session.write(collection, batch, "insert", never);
    on(
      "delete",
      answer({ writeErrors: [{ index: 0, code: 10107, errmsg: "not primary" }] }),
      answer({ n: 3, writeConcernError: NOT_MAJORITY }),
    );
    expect(await session.remove(collection, ids, never)).toBe(3);
    expect(await stored()).toHaveLength(5);
  });
});
