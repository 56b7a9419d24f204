import type { Db } from "mongodb";
import { describe, expect, it } from "vitest";
import { serverErrors } from "../../../services/wire-proxy/faults/errors.ts";
import { collectionOf, compare, findings } from "../../../support/compared.ts";
import { serverPair } from "../../../support/stores/pair.ts";

const pair = serverPair({}, {}, {});
const from = (): Db => pair.from.db(pair.database);
const to = (): Db => pair.to.db(pair.database);

const HOUR = 3_600_000;
const log = (n: number) => ({ _id: `l${n}`, n });
const reading = (n: number) => ({ at: new Date(1.7e12 + n * HOUR), sensor: n % 3, n });

async function fillBoth(): Promise<void> {
  for (const db of [from(), to()]) {
    await db.createCollection("log", { capped: true, size: 1_000_000 });
    await db.collection<{ _id: string }>("log").insertMany(Array.from({ length: 200 }, (_, n) => log(n)));
    await db.createCollection("readings", { timeseries: { timeField: "at", metaField: "sensor" } });
  }
  const readings = Array.from({ length: 200 }, (_, n) => ({ ...reading(n), _id: `r${n}` }));
  await from().collection<{ _id: string }>("readings").insertMany(readings);
  await to()
    .collection<{ _id: string }>("readings")
    .insertMany([...readings].reverse());
}

describe("collections without a unique _id", () => {
  it("compares capped collections in order, and measurements in any order", async () => {
    await fillBoth();
    const compared = await compare(pair);
    expect([compared.code, compared.differences], compared.stdout).toEqual([0, []]);
    for (const name of ["log", "readings"])
      expect(collectionOf(compared, name)).toMatchObject({ tier: "whole", equal: 200, sourceDocuments: 200 });
  });

  it.each([
    ["one more document in a capped collection", "log", (db: Db) => db.collection("log").insertOne({ n: 1 })],
    [
      "one more measurement, the same as another",
      "readings",
      (db: Db) => db.collection("readings").insertOne(reading(3)),
    ],
  ] as const)("reports %s as a difference", async (_what, name, change) => {
    await fillBoth();
    await change(to());
    const compared = await compare(pair);
    expect([compared.code, findings(compared)], compared.stdout).toEqual([1, [`content collection ${name}`]]);
    expect(collectionOf(compared, name)).toMatchObject({ changed: 1, equal: 0, verdict: "different" });
  });

  it("reports a different order in a capped collection", async () => {
    for (const [db, order] of [
      [from(), [1, 2]],
      [to(), [2, 1]],
    ] as const) {
      await db.createCollection("log", { capped: true, size: 1_000_000 });
      await db.collection<{ _id: string }>("log").insertMany(order.map(log));
    }
    expect((await compare(pair)).code).toBe(1);
  });

  it("reads a capped collection again from its beginning when the connection breaks", async () => {
    const text = "x".repeat(10_000); // more than a batch holds
    for (const db of [from(), to()]) {
      await db.createCollection("log", { capped: true, size: 20_000_000 });
      const logs = Array.from({ length: 700 }, (_, n) => ({ ...log(n), text }));
      await db.collection<{ _id: string }>("log").insertMany(logs);
    }
    const broken = pair.sourceProxy.fail({
      on: "getMore",
      collection: "log",
      drop: "after",
    });
    const compared = await compare(pair);
    expect([compared.code, compared.differences], compared.stdout + compared.stderr).toEqual([0, []]);
    expect(broken.happened).toBe(1);
  });

  it("reports a capped collection as moving while it is written", async () => {
    await fillBoth();
    let goesOn = true;
    const writing = (async () => {
      for (let n = 0; goesOn; n++) await from().collection("log").insertOne({ n });
    })();
    const compared = await compare(pair, ["--include", "log"]);
    goesOn = false;
    await writing;
    expect([compared.code, compared.summary?.moving], compared.stdout).toEqual([12, 1]);
  });
});

it("compares views by their definition", async () => {
  for (const db of [from(), to()]) {
    await db.collection("orders").insertOne({ _id: 1 } as never);
    await db.createCollection("v", { viewOn: "orders", pipeline: [{ $match: { n: { $gt: 1 } } }] });
  }
  const compared = await compare(pair);
  expect([compared.code, collectionOf(compared, "v")?.tier]).toEqual([0, "definition"]);
  expect(compared.summary?.complete).toBe(true);
});

it("fails when a server refuses to list indexes or collections, instead of taking them for none", async () => {
  await from().collection("orders").insertOne({ n: 1 });
  await to().collection("orders").insertOne({ n: 1 });
  pair.targetProxy.fail({ on: "listIndexes", every: 1, error: serverErrors.noRight });
  expect((await compare(pair)).code).toBe(8);
  pair.targetProxy.calm();
  pair.targetProxy.fail({ on: "listCollections", every: 1, error: serverErrors.noRight });
  expect((await compare(pair)).code).toBe(8);
});
