import { type Document, type Long, UUID } from "mongodb";
import { beforeEach, describe, expect, it } from "vitest";
import { proxyBench } from "./bench.ts";
import type { RawClient } from "./raw-client.ts";

const bench = proxyBench();
const mine = { lsid: { id: new UUID() } };
const other = { lsid: { id: new UUID() } };
const none = {};

beforeEach(async () => {
  const db = bench.direct.db("shop");
  await db.collection("orders").insertMany(Array.from({ length: 10 }, (_, n) => ({ n, m: -n })));
  await db.collection("orders").createIndexes([{ key: { n: 1 } }, { key: { m: 1 } }]);
  for (const name of ["a", "b", "c"]) await db.createCollection(name);
});

const OPENING: [string, Document, string][] = [
  ["find", { find: "orders", batchSize: 2 }, "orders"],
  ["aggregate", { aggregate: "orders", pipeline: [], cursor: { batchSize: 2 } }, "orders"],
  ["listCollections", { listCollections: 1, cursor: { batchSize: 1 } }, "$cmd.listCollections"],
  ["listIndexes", { listIndexes: "orders", cursor: { batchSize: 1 } }, "orders"],
];

async function open(raw: RawClient, command: Document): Promise<Long> {
  const { cursor } = await raw.run(command);
  expect(cursor.id.isZero()).toBe(false);
  return cursor.id;
}

function getMore(id: Long, collection: string): Document {
  return { getMore: id, collection, batchSize: 1 };
}

describe.each([
  ["replica-set", [50736, 50737, 50738]],
  ["router", [50799, 50800, 50801]],
] as const)("proxy as %s", (face, [notInSession, withoutSession, otherSession]) => {
  it.each(OPENING)("a cursor of %s is refused outside its session", async (_, command, collection) => {
    const raw = await bench.raw(await bench.start({ face }));
    const id = await open(raw, { ...command, ...mine });
    const more = getMore(id, collection);
    const codeOf = async (session: Document) => (await raw.run({ ...more, ...session })).code;
    expect([await codeOf(none), await codeOf(other)]).toEqual([withoutSession, otherSession]);
    expect((await raw.run({ ...more, ...other })).errmsg).toMatch(
      /^Cannot run getMore on cursor \d+, which was created in session/,
    );
    expect((await raw.run({ ...more, ...mine })).cursor.nextBatch).toHaveLength(1);
  });

  it("a cursor opened without a session is refused inside one", async () => {
    const raw = await bench.raw(await bench.start({ face }));
    const more = getMore(await open(raw, { find: "orders", batchSize: 2 }), "orders");
    expect((await raw.run({ ...more, ...mine })).code).toBe(notInSession);
    expect((await raw.run({ ...more, ...none })).cursor.nextBatch).toHaveLength(1);
  });

  it("a cursor can be killed in any session, and is gone afterwards", async () => {
    const raw = await bench.raw(await bench.start({ face }));
    const id = await open(raw, { find: "orders", batchSize: 2, ...mine });
    const killed = await raw.run({ killCursors: "orders", cursors: [id], ...other });
    expect(killed).toMatchObject({ ok: 1, cursorsKilled: [id] });
    expect((await raw.run({ ...getMore(id, "orders"), ...mine })).code).toBe(43);
  });
});

it("a cursor survives a change of connection", async () => {
  const proxy = await bench.start({ face: "replica-set" });
  const id = await open(await bench.raw(proxy), { find: "orders", batchSize: 2, ...mine });
  const elsewhere = await bench.raw(proxy);
  expect((await elsewhere.run({ ...getMore(id, "orders"), ...mine })).cursor.nextBatch).toHaveLength(1);
});

it("a router does not know a cursor that another router opened", async () => {
  const [one, two] = [await bench.start({ face: "router" }), await bench.start({ face: "router" })];
  const [at, elsewhere] = [await bench.raw(one), await bench.raw(two)];
  const id = await open(at, { find: "orders", batchSize: 2, ...mine });
  expect(await elsewhere.run({ ...getMore(id, "orders"), ...mine })).toMatchObject({ ok: 0, code: 43 });
  const killed = await elsewhere.run({ killCursors: "orders", cursors: [id], ...mine });
  expect(killed).toMatchObject({ ok: 1, cursorsKilled: [], cursorsNotFound: [id] });
  expect((await at.run({ ...getMore(id, "orders"), ...mine })).cursor.nextBatch).toHaveLength(1);
});

it("the driver reads through two routers of one engine", async () => {
  const [one, two] = [await bench.start({ face: "router" }), await bench.start({ face: "router" })];
  const client = bench.driver(`mongodb://127.0.0.1:${one.port},127.0.0.1:${two.port}/`);
  for (let n = 0; n < 10; n++) {
    expect(await client.db("shop").collection("orders").find({}, { batchSize: 3 }).toArray()).toHaveLength(
      10,
    );
  }
  const counts = [one, two].map(({ commands }) => [commands.get("find") ?? 0, commands.get("getMore") ?? 0]);
  expect(counts.reduce((sum, [finds = 0]) => sum + finds, 0)).toBe(10);
  for (const [finds = 0, getMores] of counts) expect(getMores).toBe(3 * finds);
});
