import { expect, it } from "vitest";
import { proxyBench } from "./bench.ts";
import { commandMessage } from "./raw-client.ts";

const bench = proxyBench();
const insert = commandMessage({ insert: "orders" }, [{ _id: 1, text: "x".repeat(1_000) }]);

function stored(): Promise<number> {
  return bench.direct.db("shop").collection("orders").countDocuments();
}

it("cutAfter() cuts every connection after a given number of reply bytes, each time it is called", async () => {
  await bench.direct
    .db("shop")
    .collection<{ _id: number }>("orders")
    .insertMany([{ _id: 1 }, { _id: 2 }]);
  const proxy = await bench.start({ face: "replica-set" });
  for (const bytes of [1, 17, 60]) {
    const [raw, idle] = [await bench.raw(proxy), await bench.raw(proxy)];
    await idle.run({ ping: 1 });
    proxy.cutAfter(bytes, "to client");
    await expect(raw.run({ find: "orders" })).rejects.toThrow("closed without an answer");
    expect(raw.received.length).toBe(bytes);
    await idle.closed();
    expect((await (await bench.raw(proxy)).run({ find: "orders" })).cursor.firstBatch).toHaveLength(2);
  }
  expect(proxy.cuts).toBe(3);
});

it("cutAfter() counts bytes across several replies", async () => {
  const proxy = await bench.start();
  const raw = await bench.raw(proxy);
  await raw.run({ ping: 1 });
  const answer = raw.received.length;
  proxy.cutAfter(2 * answer + 5, "to client");
  await raw.run({ ping: 1 });
  await raw.run({ ping: 1 });
  await expect(raw.run({ ping: 1 })).rejects.toThrow("closed without an answer");
  expect(raw.received.length).toBe(3 * answer + 5);
});

it.each([
  ["before its last byte is not applied", insert.length - 1, 0],
  ["after its last byte is applied", insert.length, 1],
])("a command cut on its way to the engine %s", async (_, bytes, applied) => {
  const proxy = await bench.start({ face: "replica-set" });
  const raw = await bench.raw(proxy);
  await raw.run({ ping: 1 });
  proxy.cutAfter(bytes, "to engine");
  raw.send(insert);
  await raw.closed();
  const again = await bench.raw(proxy);
  if (applied > 0) while ((await stored()) === 0) await again.run({ ping: 1 });
  expect(await again.run({ insert: "orders" }, [{ _id: 2 }])).toMatchObject({ ok: 1 });
  expect([await stored(), proxy.cuts]).toEqual([applied + 1, 1]);
});

it("the driver recovers from a cut", async () => {
  const proxy = await bench.start({ face: "replica-set" });
  const orders = bench.driver(proxy.uri).db("shop").collection<{ _id: number }>("orders");
  await orders.insertOne({ _id: 1 });
  proxy.cutAfter(30, "to client");
  expect(await orders.findOne({})).toEqual({ _id: 1 }); // its one retry of a read
  expect(proxy.cuts).toBe(1);
});

it("throttle() slows both directions until calm() is called", async () => {
  const proxy = await bench.start();
  const raw = await bench.raw(proxy);
  const echo = { insert: "orders", comment: "x".repeat(20_000) };
  const took = async (): Promise<number> => {
    const start = performance.now();
    await raw.run(echo, [{}]);
    await raw.run({ find: "orders", filter: { $comment: "y".repeat(10_000) } });
    return performance.now() - start;
  };
  proxy.throttle(100_000); // 30,000 bytes to the engine
  expect(await took()).toBeGreaterThan(290);
  await bench.direct
    .db("shop")
    .collection("orders")
    .insertOne({ text: "z".repeat(30_000) });
  const start = performance.now();
  const { cursor } = await raw.run({ find: "orders" });
  expect(performance.now() - start).toBeGreaterThan(290); // 30,000 bytes to the client
  expect(cursor.firstBatch).toHaveLength(2);
  proxy.throttle(1);
  proxy.calm();
  await raw.run({ find: "orders" }); // a byte a second would outlast the test
});

it("delay() delays every command", async () => {
  const proxy = await bench.start();
  const raw = await bench.raw(proxy);
  proxy.delay(60);
  const start = performance.now();
  for (let n = 0; n < 3; n++) await raw.run({ ping: 1 });
  expect(performance.now() - start).toBeGreaterThan(175);
});

it("the proxy counts commands, bytes and connections", async () => {
  const proxy = await bench.start();
  const raw = await bench.raw(proxy);
  const message = commandMessage({ ping: 1 });
  await raw.run({ ping: 1 });
  await raw.run({ isMaster: 1 });
  await raw.run({ ping: 1 });
  expect(Object.fromEntries(proxy.commands)).toEqual({ ping: 2, hello: 1 });
  expect(proxy.bytes["to client"]).toBe(raw.received.length);
  expect(proxy.bytes["to engine"]).toBe(2 * message.length + commandMessage({ isMaster: 1 }).length);
  expect(proxy.connections).toEqual({ made: 1, open: 1 });
});

it("stop() closes all connections, and may be called twice", async () => {
  const proxy = await bench.start();
  const raw = await bench.raw(proxy);
  await raw.run({ ping: 1 });
  proxy.throttle(1);
  raw.send(insert);
  await proxy.stop();
  await proxy.stop();
  await raw.closed();
  await expect(bench.raw(proxy)).rejects.toThrow(/ECONNREFUSED/);
  expect(proxy.connections.open).toBe(0);
});
