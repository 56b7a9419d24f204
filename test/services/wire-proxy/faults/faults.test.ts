import type { Document } from "mongodb";
import { expect, it } from "vitest";
import { proxyBench } from "../bench.ts";
import { commandMessage, type RawClient } from "../raw-client.ts";
import type { WireProxy } from "../wire-proxy.ts";
import { serverErrors } from "./errors.ts";

const bench = proxyBench();
const shutdown = serverErrors.shutdown;
let nextId = 0;

function insert(raw: RawClient, collection = "orders", database = "shop"): Promise<Document> {
  return raw.run({ insert: collection, $db: database }, [{ _id: nextId++ }]);
}

function stored(collection = "orders"): Promise<number> {
  return bench.direct.db("shop").collection(collection).countDocuments();
}

/** Which of `count` inserts failed, counted from 1. */
async function failures(raw: RawClient, count: number): Promise<number[]> {
  const failed: number[] = [];
  for (let n = 1; n <= count; n++) if ((await insert(raw)).ok === 0) failed.push(n);
  return failed;
}

async function started(): Promise<[WireProxy, RawClient]> {
  const proxy = await bench.start({ face: "replica-set" });
  return [proxy, await bench.raw(proxy)];
}

it.each(Object.entries(serverErrors))(
  "a fault answers with the error %s once, without applying the command",
  async (_, error) => {
    const [proxy, raw] = await started();
    const set = proxy.fail({ on: "insert", error });
    expect(await insert(raw)).toMatchObject({ ok: 0, ...error });
    expect(await stored()).toBe(0);
    expect(await insert(raw)).toMatchObject({ ok: 1, n: 1 });
    expect([set.happened, await stored()]).toEqual([1, 1]);
  },
);

it.each([
  [{}, [1]],
  [{ nth: 3 }, [3]],
  [{ nth: 3, times: 2 }, [3, 4]],
  [{ every: 3 }, [3, 6, 9]],
  [{ every: 3, times: 2 }, [3, 6]],
  [{ chance: 1, times: 4 }, [1, 2, 3, 4]],
  [{ chance: 0 }, []],
])("a fault with %o affects the inserts %j of ten", async (when, meant) => {
  const [proxy, raw] = await started();
  const set = proxy.fail({ on: "insert", error: shutdown, ...when });
  expect(await failures(raw, 10)).toEqual(meant);
  expect(set.happened).toBe(meant.length);
});

it("a random fault is reproducible by its seed", async () => {
  const struck = async (seed: number): Promise<number[]> => {
    const proxy = await bench.start({ seed });
    proxy.fail({ on: "insert", chance: 0.4, error: shutdown });
    return await failures(await bench.raw(proxy), 40);
  };
  const first = await struck(7);
  expect(first.length).toBeGreaterThan(5);
  expect(first.length).toBeLessThan(35);
  expect(await struck(7)).toEqual(first);
  expect(await struck(8)).not.toEqual(first);
});

it("a fault affects only its commands, collections and databases", async () => {
  const [proxy, raw] = await started();
  proxy.fail({ on: ["insert", "find"], collection: "people", every: 1, error: shutdown });
  proxy.fail({ on: "insert", database: "other", every: 1, error: shutdown });
  const oks = [
    await insert(raw, "people"),
    await raw.run({ find: "people" }),
    await insert(raw, "orders", "other"),
    await insert(raw, "orders"),
    await raw.run({ count: "people" }),
  ].map(({ ok }) => ok);
  expect(oks).toEqual([0, 0, 0, 1, 1]);
});

it("a fault on a collection affects getMore on that collection", async () => {
  await bench.direct.db("shop").collection("orders").insertMany([{}, {}, {}]);
  const [proxy, raw] = await started();
  proxy.fail({ on: "getMore", collection: "orders", error: serverErrors.cursorNotFound });
  const { cursor } = await raw.run({ find: "orders", batchSize: 1 });
  const more = { getMore: cursor.id, collection: "orders" };
  expect((await raw.run(more)).code).toBe(43);
  expect((await raw.run(more)).cursor.nextBatch).toHaveLength(2);
});

it("faults stop when they are canceled or calm() is called", async () => {
  const [proxy, raw] = await started();
  const one = proxy.fail({ on: "insert", every: 1, error: shutdown });
  expect(await failures(raw, 2)).toEqual([1, 2]);
  one.cancel();
  expect(await failures(raw, 2)).toEqual([]);
  proxy.fail({ on: "insert", every: 1, error: shutdown });
  proxy.stepDown();
  proxy.calm();
  expect(await failures(raw, 2)).toEqual([]);
});

it("a fault adds a write concern error to a write that was applied, even beside write errors", async () => {
  const [proxy, raw] = await started();
  const { code, codeName, errmsg } = serverErrors.writeConcernTimeout;
  const adds = { writeConcernError: { code, codeName, errmsg } };
  proxy.fail({ on: "insert", times: 2, adds });
  const twice = { insert: "orders", ordered: false };
  expect(await raw.run(twice, [{ _id: "a" }])).toMatchObject({ ok: 1, n: 1, ...adds });
  const both = await raw.run(twice, [{ _id: "a" }, { _id: "b" }]);
  expect(both).toMatchObject({ ok: 1, n: 1, writeErrors: [{ index: 0, code: 11000 }], ...adds });
  expect(await stored()).toBe(2);
  expect((await insert(raw)).writeConcernError).toBeUndefined();
});

it("a fault replaces the engine's write errors with given ones", async () => {
  const [proxy, raw] = await started();
  const writeErrors = [{ index: 1, code: 8000, errmsg: "full" }];
  proxy.fail({ on: "insert", adds: { writeErrors, n: 1 } });
  const answer = await raw.run({ insert: "orders", ordered: false }, [{ _id: "c" }, { _id: "c" }]);
  expect(answer).toMatchObject({ ok: 1, n: 1, writeErrors });
});

it("a fault drops a connection before the command is applied", async () => {
  const [proxy, raw] = await started();
  proxy.fail({ on: "insert", drop: "before" });
  await expect(insert(raw)).rejects.toThrow("closed without an answer");
  expect(await insert(await bench.raw(proxy))).toMatchObject({ ok: 1 });
  expect(await stored()).toBe(1);
});

it("a fault drops a connection after the command was applied", async () => {
  const [proxy, raw] = await started();
  proxy.fail({ on: "insert", drop: "after" });
  await expect(insert(raw)).rejects.toThrow("closed without an answer");
  expect(await stored()).toBe(1);
  expect(await insert(await bench.raw(proxy))).toMatchObject({ ok: 1 });
});

it.each([
  ["before", 0],
  ["after", 1],
] as const)("a hanging command is never answered, and hangs %s it is applied", async (hang, applied) => {
  const [proxy, raw] = await started();
  const set = proxy.fail({ on: "insert", hang });
  const hanging = insert(raw);
  let answered = false;
  hanging.then(
    () => (answered = true),
    () => undefined,
  );
  const other = await bench.raw(proxy);
  while (set.happened === 0 || (await stored()) < applied) await other.run({ ping: 1 });
  for (let n = 0; n < 20; n++) await other.run({ ping: 1 });
  raw.send(commandMessage({ insert: "orders" }, [{}])); // nothing is heard any more on that connection
  await other.run({ ping: 1 });
  expect([answered, await stored(), proxy.connections.open]).toEqual([false, applied, 2]);
  proxy.dropAll();
  await expect(hanging).rejects.toThrow("closed without an answer");
});

it("a hanging connection is closed when its client goes away", async () => {
  const [proxy, raw] = await started();
  const set = proxy.fail({ on: "insert", hang: "before" });
  insert(raw).catch(() => undefined);
  const other = await bench.raw(proxy);
  while (set.happened === 0) await other.run({ ping: 1 });
  raw.close();
  while (proxy.connections.open > 1) await other.run({ ping: 1 });
  expect(proxy.connections).toEqual({ made: 2, open: 1 });
});

it("a fault delays one command and no other", async () => {
  const [proxy, raw] = await started();
  const set = proxy.fail({ on: "insert", delayMs: 300 });
  const order: string[] = [];
  const start = performance.now();
  const late = insert(raw).then(() => order.push("late"));
  const other = await bench.raw(proxy);
  while (set.happened === 0) await other.run({ ping: 1 });
  await insert(other).then(() => order.push("in time"));
  await late;
  expect(order).toEqual(["in time", "late"]);
  expect(performance.now() - start).toBeGreaterThan(290);
});

it("a fault sends garbage in place of a reply", async () => {
  const [proxy, raw] = await started();
  const garbage = Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n");
  proxy.fail({ on: "ping", garbage });
  raw.run({ ping: 1 }).catch(() => undefined);
  expect(await raw.bytes(garbage.length)).toEqual(garbage);
  const client = bench.driver(proxy.uri);
  await client.db("shop").command({ ping: 1 });
  // The driver would wait for the rest of what these letters say is a message of 1.3 GB; a negative length it refuses.
  proxy.fail({ on: "insert", garbage: Buffer.alloc(16, 0xff) });
  await expect(client.db("shop").command({ insert: "orders", documents: [{}] })).rejects.toThrow(/size/i);
});

it("a proxy that stepped down is a secondary that refuses all but hello, until it steps up", async () => {
  const [proxy, raw] = await started();
  const before = await raw.run({ hello: 1 });
  expect(before).toMatchObject({ isWritablePrimary: true, secondary: false, primary: before.me });
  proxy.stepDown();
  const during = await raw.run({ hello: 1 });
  expect(during).toMatchObject({ isWritablePrimary: false, secondary: true, setName: before.setName });
  expect(during.primary).toBeUndefined();
  for (const command of [{ find: "orders" }, { insert: "orders" }, { ping: 1 }])
    expect(await raw.run(command, [{}])).toMatchObject({ code: 10107, errorLabels: ["RetryableWriteError"] });
  proxy.stepUp();
  const after = await raw.run({ hello: 1 });
  expect(after).toMatchObject({ isWritablePrimary: true, secondary: false });
  expect(after.electionId.toHexString() > before.electionId.toHexString()).toBe(true);
  expect([await failures(raw, 1), await stored()]).toEqual([[], 1]);
});

it("the driver's retry outlasts a temporary step-down", async () => {
  const proxy = await bench.start({ face: "replica-set" });
  const client = bench.driver(proxy.uri);
  await client.db("shop").command({ ping: 1 });
  proxy.stepDown({ forMs: 200 });
  await client.db("shop").collection("orders").insertOne({});
  expect([proxy.commands.get("insert"), await stored()]).toEqual([2, 1]);
});
