import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { CollectionInfo } from "../../../../src/connectors/collection.ts";
import {
  type MongodbSession,
  type MongodbStore,
  mongodb,
} from "../../../../src/connectors/mongodb/mongodb.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { batchOf, collect, id } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { testRun } from "../../../support/stores/claimed.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

/** What a session may do without the lease: nothing. */
let server: MongodbService;
beforeAll(async () => {
  server = await sharedMongodb();
  return () => server.stop();
});
beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

const info: CollectionInfo = {
  ...{ name: "orders", kind: "collection", type: "collection", options: new Map() },
  ...{ ordered: true, documents: 1, bytes: 20 },
};
const other = { ...info, name: "others" };
const index = new Map<string, unknown>([
  ["v", 2],
  ["key", new Map([["n", 1]])],
  ["name", "n_1"],
]);

const calls: Readonly<Record<string, (session: MongodbSession) => Promise<unknown>>> = {
  prepare: (session) => session.prepare(other, never),
  reset: (session) => session.sequences.reset(info, never),
  finish: (session) => session.finish(info, [index], never),
  write: (session) => session.write(info.name, batchOf({ _id: 2 }), "insert", never),
  append: (session) => session.sequences.append(info.name, batchOf({ _id: 2 }), never),
  remove: (session) => session.remove(info.name, [id(1)], never),
  leave: (session) => session.checksums.leave(info.name, Uint8Array.of(1), never),
};

function open(database: string): Promise<MongodbStore> {
  return mongodb({ uri: server.uri, database, role: "target", label: "test" }, never);
}

function claim(store: MongodbStore, isGone: boolean): Promise<MongodbSession> {
  return store.claim(testRun("r", isGone), never);
}

it.each(Object.entries(calls))("%s checks the lease before it changes anything", async (name, call) => {
  const [store, next] = await Promise.all([open(name), open(name)]);
  const session = await claim(store, false);
  await session.prepare(info, never);
  await session.write(info.name, batchOf({ _id: 1 }), "insert", never);
  await claim(next, true);
  // Longer than a run believes in its lease without asking.
  vi.advanceTimersByTime(31_000);
  await expect(call(session)).rejects.toMatchObject({ exit: "locked" });
  expect(session.lost.aborted).toBe(true);
  expect((await next.list(never)).collections.map((found) => found.name)).toEqual([info.name]);
  expect(await collect(next.read(info, { signal: never }))).toHaveLength(1);
  expect(await next.metadata.indexes(info.name, never)).toEqual([]);
  expect(await next.checksums.read(info.name, never)).toBeUndefined();
  await Promise.all([store.close(), next.close()]);
});
