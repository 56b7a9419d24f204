import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import type { Target } from "../../../src/connectors/contract.ts";
import { mongodb } from "../../../src/connectors/mongodb/mongodb.ts";
import { type MongodbService, startMongodb } from "../../services/mongodb.ts";
import { batchOf, collect, id } from "../../support/documents.ts";
import { never } from "../../support/signal.ts";

/** What a target may do without the right to write: nothing. */
let server: MongodbService;
beforeAll(async () => {
  server = await startMongodb();
  return () => server.stop();
});
beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

const info: CollectionInfo = {
  ...{ name: "orders", kind: "collection", options: new Map(), ordered: true, documents: 1, bytes: 20 },
};
const other = { ...info, name: "others" };
const index = new Map<string, unknown>([
  ["v", 2],
  ["key", new Map([["n", 1]])],
  ["name", "n_1"],
]);

const calls: Readonly<Record<string, (store: Target) => Promise<unknown>>> = {
  prepare: (store) => store.prepare(other, never),
  reset: (store) => store.reset(info, never),
  finish: (store) => store.finish(info, [index], never),
  write: (store) => store.write(info.name, batchOf({ _id: 2 }), "insert", never),
  remove: (store) => store.remove(info.name, [id(1)], never),
};

function open(database: string): Promise<Target> {
  return mongodb({ uri: server.uri, database, role: "target", label: "test" }, never);
}

function claim(store: Target, isGone: boolean): ReturnType<Target["claim"]> {
  const holder = { host: "test-host", pid: 1 };
  return store.claim({ id: "r", command: "test", holder, from: "nowhere", isGone: () => isGone }, never);
}

it.each(Object.entries(calls))("%s checks the lease before it changes anything", async (name, call) => {
  const [store, next] = await Promise.all([open(name), open(name)]);
  await expect(call(store)).rejects.toMatchObject({ exit: "bug" });
  const lease = await claim(store, false);
  await store.prepare(info, never);
  await store.write(info.name, batchOf({ _id: 1 }), "insert", never);
  await claim(next, true);
  // Longer than a run believes in its lease without asking.
  vi.advanceTimersByTime(31_000);
  await expect(call(store)).rejects.toMatchObject({ exit: "locked" });
  expect(lease.lost.aborted).toBe(true);
  expect((await next.list(never)).collections.map((found) => found.name)).toEqual([info.name]);
  expect(await collect(next.read(info, { signal: never }))).toHaveLength(1);
  expect(await next.indexes(info.name, never)).toEqual([]);
  await Promise.all([store.close(), next.close()]);
});
