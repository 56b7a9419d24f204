import { Binary, BSON, type Document, Long, type TopologyDescription, UUID } from "mongodb";
import { describe, expect, it } from "vitest";
import { proxyBench } from "./bench.ts";
import type { FaceName } from "./face.ts";

const bench = proxyBench();
const FACES: [FaceName, string][] = [
  ["standalone", "Single"],
  ["replica-set", "ReplicaSetWithPrimary"],
  ["router", "Sharded"],
];
const WITH_SESSIONS: FaceName[] = ["replica-set", "router"];
const orders = Array.from({ length: 500 }, (_, n) => ({ _id: n, total: n * 10 }));

describe.each(FACES)("proxy as %s", (face, topology) => {
  it(`the driver discovers ${topology} through the proxy, and writes and reads many batches`, async () => {
    const proxy = await bench.start({ face });
    const client = bench.driver(proxy.uri);
    let seen: TopologyDescription | undefined;
    client.on("topologyDescriptionChanged", ({ newDescription }) => {
      seen = newDescription;
    });
    await client.db("shop").collection<{ _id: number }>("orders").insertMany(orders);
    const found = await client.db("shop").collection("orders").find({}, { batchSize: 20 }).toArray();
    expect(found).toEqual(orders);
    expect(seen?.type).toBe(topology);
    expect(proxy.commands.get("getMore")).toBe(25);
    expect(await bench.direct.db("shop").collection("orders").countDocuments()).toBe(500);
  });

  it("the proxy passes the largest documents and messages unchanged in both directions", async () => {
    const client = bench.driver((await bench.start({ face })).uri);
    const shell = BSON.calculateObjectSize({ _id: 1, content: new Binary(Buffer.alloc(0)) });
    const large = { _id: 1, content: new Binary(Buffer.alloc(16 * 1024 * 1024 - shell, "dualsync")) };
    const many = Array.from({ length: 14 }, (_, n) => ({
      _id: n + 2,
      content: new Binary(Buffer.alloc(2_000_000, n)),
    }));
    const files = client.db("shop").collection<{ _id: number; content: Binary }>("files");
    await files.insertOne(large);
    await files.insertMany(many);
    const written = bench.direct.db("shop").collection<{ _id: number; content: Binary }>("files");
    for (const collection of [files, written]) {
      for await (const bytes of collection.find({}, { raw: true, sort: { _id: 1 } })) {
        const document = BSON.deserialize(bytes as unknown as Uint8Array) as { _id: number };
        const meant = document._id === 1 ? large : many[document._id - 2];
        expect(Buffer.compare(bytes as unknown as Buffer, BSON.serialize(meant ?? {}))).toBe(0);
      }
      expect(await collection.countDocuments()).toBe(15);
    }
  });
});

describe.each(WITH_SESSIONS)("sessions of a proxy as %s", (face) => {
  it("the proxy answers session commands itself, because they would end the engine", async () => {
    const raw = await bench.raw(await bench.start({ face }));
    expect(await raw.run({ startSession: 1 })).toMatchObject({ ok: 1, id: { id: expect.any(UUID) } });
    for (const command of ["refreshSessions", "endSessions", "killSessions", "killAllSessions"])
      expect(await raw.run({ [command]: [] })).toMatchObject({ ok: 1 });
    expect(await raw.run({ ping: 1 })).toMatchObject({ ok: 1 });
  });

  it("the proxy accepts session fields, which the engine refuses", async () => {
    const [behind, bare] = [await bench.start({ face }), await bench.start()];
    const retryable = {
      insert: "orders",
      lsid: { id: new UUID() },
      txnNumber: Long.fromNumber(1),
      $clusterTime: { clusterTime: new BSON.Timestamp({ t: 1, i: 1 }) },
    };
    expect(await (await bench.raw(bare)).run(retryable, [{ _id: 1 }])).toMatchObject({ ok: 0 });
    expect(await (await bench.raw(behind)).run(retryable, [{ _id: 1 }])).toMatchObject({ ok: 1, n: 1 });
  });

  it("the driver's sessions and retryable writes work through the proxy", async () => {
    const client = bench.driver((await bench.start({ face })).uri, { monitorCommands: true });
    const sent: Document[] = [];
    client.on("commandStarted", ({ command }) => sent.push(command));
    await client.withSession(async (session) => {
      const collection = client.db("shop").collection<{ _id: number }>("orders");
      await collection.insertOne({ _id: 1 }, { session });
      expect(await collection.find({}, { session }).toArray()).toEqual([{ _id: 1 }]); // reads after its own write
    });
    expect(sent[0]).toMatchObject({
      insert: "orders",
      lsid: expect.anything(),
      txnNumber: expect.anything(),
    });
    expect(sent[1]).toMatchObject({ find: "orders", readConcern: { afterClusterTime: expect.anything() } });
  });

  it("the proxy puts a cluster time into every reply", async () => {
    const raw = await bench.raw(await bench.start({ face }));
    for (const command of [
      { ping: 1 },
      { find: "orders" },
      { hello: 1 },
      { nonsense: 1 },
      { endSessions: [] },
    ]) {
      const { $clusterTime, operationTime } = await raw.run(command);
      expect($clusterTime.clusterTime).toEqual(operationTime);
    }
  });
});

it("a standalone proxy does not mention sessions", async () => {
  const raw = await bench.raw(await bench.start());
  const hello = await raw.run({ hello: 1 });
  expect(hello.logicalSessionTimeoutMinutes ?? hello.$clusterTime ?? hello.setName).toBeUndefined();
});

it("the proxy imitates the version and the missing features of an older release", async () => {
  const raw = await bench.raw(await bench.start({ face: "replica-set", wireVersion: 9 }));
  expect((await raw.run({ hello: 1 })).maxWireVersion).toBe(9);
  expect((await raw.run({ buildInfo: 1 })).version).toMatch(/^4\.4\./);
  const insert = { insert: "orders" };
  expect(await raw.run({ ...insert, bypassEmptyTsReplacement: true }, [{ _id: 1 }])).toMatchObject({
    code: 40415,
    errmsg: "BSON field 'insert.bypassEmptyTsReplacement' is an unknown field.",
  });
  expect(await raw.run({ create: "log", timeseries: { timeField: "at" } })).toMatchObject({ code: 40415 });
  expect(await raw.run(insert, [{ _id: 1 }])).toMatchObject({ ok: 1, n: 1 });
});

it.each(FACES)("the proxy refuses every password (as %s)", async (face) => {
  const proxy = await bench.start({ face, auth: { refuse: true } });
  const client = bench.driver(proxy.uri.replace("//", "//anna:secret@"));
  await expect(client.db("shop").command({ ping: 1 })).rejects.toMatchObject({ code: 18 });
});

it("the proxy refuses getLog as free clusters do", async () => {
  const raw = await bench.raw(await bench.start({ refuseGetLog: true }));
  expect(await raw.run({ getLog: "startupWarnings" })).toMatchObject({ ok: 0, code: 8000 });
  expect(await raw.run({ ping: 1 })).toMatchObject({ ok: 1 });
});
