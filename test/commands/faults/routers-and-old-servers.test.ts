import { MongoClient } from "mongodb";
import { afterEach, expect, it } from "vitest";
import { type MongodbService, withDatabase } from "../../services/mongodb/mongodb.ts";
import {
  startWireProxy,
  type WireProxy,
  type WireProxyOptions,
} from "../../services/wire-proxy/wire-proxy.ts";
import { type CliResult, dualsync } from "../../support/cli.ts";
import { fillMixed } from "../../support/data/mixed-database.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { expectExplained } from "../../support/explained.ts";
import { sharedMongodb } from "../../support/stores/shared-services.ts";

/** Servers that are old, sharded, or not what they say. */
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Server {
  readonly service: MongodbService;
  /** Past the proxies. */
  readonly client: MongoClient;
  readonly proxies: readonly WireProxy[];
  /** Through the proxies. */
  readonly uri: string;
}

type Face = Omit<WireProxyOptions, "target">;

/** A MongoDB behind as many proxies as there are faces. */
async function start(...faces: readonly Face[]): Promise<Server> {
  const service = await sharedMongodb();
  cleanups.push(() => service.stop());
  const client = new MongoClient(service.uri);
  cleanups.push(() => client.close());
  const proxies = await Promise.all(faces.map((face) => startWireProxy({ ...face, target: service.port })));
  cleanups.push(...proxies.map((proxy) => () => proxy.stop()));
  const hosts = proxies.map(({ port }) => `127.0.0.1:${port}`).join(",");
  // However late a router answers on a busy machine, it gets its share.
  const several = `mongodb://${hosts}/?localThresholdMS=60000`;
  const [only] = proxies;
  return { service, client, proxies, uri: proxies.length === 1 && only !== undefined ? only.uri : several };
}

function duplicate(from: Server, to: Server, ...flags: string[]): Promise<CliResult> {
  const env = { LIVE: withDatabase(from.uri, "shop"), COPY: withDatabase(to.uri, "shop") };
  return dualsync(["duplicate", "--from", "env:LIVE", "--to", "env:COPY", ...flags], { env });
}

async function expectIdentical(from: Server, to: Server): Promise<void> {
  expect(await snapshot(to.client, "shop")).toEqual(await snapshot(from.client, "shop"));
}

it("copies between sharded clusters behind two routers each, which know only their own cursors", async () => {
  const router: Face = { face: "router" };
  const [from, to] = [await start(router, router), await start(router, router)];
  await fillMixed(from.client, "shop");
  for (const round of ["into an empty target", "again"]) {
    const { code, stderr } = await duplicate(from, to, "--batch-size", "20");
    expect([code, stderr], round).toEqual([0, expect.not.stringMatching(/error/)]);
    await expectIdentical(from, to);
  }
  const used = [...from.proxies, ...to.proxies].map(({ commands }) => commands.get("find") ?? 0);
  expect(Math.min(...used)).toBeGreaterThan(0);
  expect(from.proxies.reduce((sum, { commands }) => sum + (commands.get("getMore") ?? 0), 0)).toBeGreaterThan(
    2,
  );
});

it("copies between servers of version 4.4, which refuse what they do not know", async () => {
  const old: Face = { face: "replica-set", wireVersion: 9, refuseGetLog: true };
  const [from, to] = [await start(old), await start(old)];
  await fillMixed(from.client, "shop");
  await from.client.db("shop").collection("readings").drop();
  const { code, stderr } = await duplicate(from, to);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
  await expectIdentical(from, to);
});

it("keeps time series up to date on servers that keep them in buckets", async () => {
  const old: Face = { wireVersion: 25 };
  const [from, to] = [await start(old), await start(old)];
  await fillMixed(from.client, "shop");
  for (const round of ["into an empty target", "again", "one measurement more"]) {
    if (round === "one measurement more")
      await from.client.db("shop").collection("readings").insertOne({ at: new Date(), sensor: 1 });
    const { code, stderr } = await duplicate(from, to);
    expect([code, stderr], round).toEqual([0, expect.not.stringMatching(/error/)]);
    await expectIdentical(from, to);
  }
});

it("names a kind of collection that the target is too old for, and copies the others", async () => {
  const [from, to] = [await start({}), await start({})];
  await fillMixed(from.client, "shop");
  const error = {
    code: 40415,
    codeName: "Location40415",
    errmsg: "BSON field 'create.timeseries' is unknown",
  };
  to.proxies[0]?.fail({ on: "create", collection: "readings", every: 1, error });
  const { code, stdout } = await duplicate(from, to);
  expect(stdout).toMatch(/collection readings: the target's server cannot create a timeseries collection/);
  expect(code).toBe(3);
  const copied = await snapshot(to.client, "shop");
  const { readings, ...others } = await snapshot(from.client, "shop");
  expect(readings).toBeDefined();
  expect(copied).toEqual(others);
  expect((await duplicate(from, to, "--accept", "collection readings")).code).toBe(0);
});

it("copies without the sizes of collections when servers refuse to report them", async () => {
  const [from, to] = [await start({}), await start({})];
  await fillMixed(from.client, "shop");
  const error = { code: 8000, codeName: "AtlasError", errmsg: "collStats not allowed in this atlas tier" };
  for (const server of [from, to]) server.proxies[0]?.fail({ on: "collStats", every: 1, error });
  const { code, stderr } = await duplicate(from, to);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
  await expectIdentical(from, to);
});

it("reads the source no faster than --rate allows", async () => {
  const [from, to] = [await start({}), await start({})];
  const rows = Array.from({ length: 3_000 }, (_, n) => ({ _id: n }));
  await from.client.db("shop").collection<{ _id: number }>("rows").insertMany(rows);
  const begun = performance.now();
  expect((await duplicate(from, to, "--rate", "1000", "--verify", "none")).code).toBe(0);
  expect(performance.now() - begun).toBeGreaterThan(2_000);
  await expectIdentical(from, to);
});

it("refuses a copy that will not fit into --max-target-size before anything is written", async () => {
  const [from, to] = [await start({}), await start({})];
  await fillMixed(from.client, "shop");
  const { code, stderr } = await duplicate(from, to, "--max-target-size", "5MB");
  expectExplained(stderr, code);
  expect([code, stderr]).toEqual([
    6,
    expect.stringMatching(/does not fit into --max-target-size.*the limit is 5\.0 MB/),
  ]);
  expect(await to.client.db("shop").listCollections().toArray()).toEqual([]);
});

it("stops cleanly at --max-target-size, and completes the copy with a larger limit", async () => {
  const [from, to] = [await start({}), await start({})];
  await fillMixed(from.client, "shop");
  // The sizes that the plan goes by are too small, as after a crash of the source.
  from.proxies[0]?.fail({ on: "collStats", every: 1, adds: { size: 1_000 } });
  const { code, stderr } = await duplicate(from, to, "--max-target-size", "5MB");
  expectExplained(stderr, code);
  expect([code, stderr]).toEqual([5, expect.stringMatching(/would grow beyond --max-target-size/)]);
  const { dataSize } = await to.client.db("shop").stats();
  expect(Number(dataSize)).toBeLessThan(5_000_000);
  expect(Number(dataSize)).toBeGreaterThan(100_000);
  from.proxies[0]?.calm();
  expect((await duplicate(from, to, "--max-target-size", "1GB")).code).toBe(0);
  await expectIdentical(from, to);
});
