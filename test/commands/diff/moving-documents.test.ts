import type { Collection } from "mongodb";
import { expect, it, onTestFinished, vi } from "vitest";
import { collectionOf, compare } from "../../support/compared.ts";
import { fillManyOrders } from "../../support/data/many-orders.ts";
import { serverPair } from "../../support/stores/pair.ts";

const pair = serverPair({}, {}, {});
const COUNT = 2_000;
/** Documents that the writers go round. */
const HOT = 20;

interface Order {
  _id: number;
  n?: number;
}

function orders(): { from: Collection<Order>; to: Collection<Order> } {
  const [from, to] = [pair.from, pair.to].map((client) =>
    client.db(pair.database).collection<Order>("orders"),
  ) as [Collection<Order>, Collection<Order>];
  return { from, to };
}

async function fill(): Promise<void> {
  await Promise.all([pair.from, pair.to].map((client) => fillManyOrders(client, pair.database, COUNT)));
}

/** Does `write` with one number after the other, as fast as possible, until it is stopped. */
function writer(write: (n: number) => Promise<unknown>): { stop(): Promise<number> } {
  let goesOn = true;
  let n = 0;
  const work = (async () => {
    while (goesOn) await write(n++);
  })();
  const stop = async (): Promise<number> => {
    goesOn = false;
    await work;
    return n;
  };
  onTestFinished(() => void stop());
  return { stop };
}

it("diff reports documents that keep changing as moving, and keeps them apart from stable differences", async () => {
  await fill();
  const { from, to } = orders();
  await to.updateOne({ _id: 5_000 }, { $set: { n: -1 } });
  await to.deleteOne({ _id: 6_000 });
  const writing = writer((n) => from.updateMany({ _id: { $lt: 10 * HOT } }, { $set: { n } }));
  const different = await compare(pair);
  await to.updateOne({ _id: 5_000 }, { $unset: { n: 1 } });
  await to.insertOne((await from.findOne({ _id: 6_000 })) ?? { _id: -1 });
  const began = performance.now();
  const moving = await compare(pair, ["--settle", "4"]);
  expect(performance.now() - began).toBeGreaterThan(4_000);
  expect(await writing.stop()).toBeGreaterThan(20);

  const stable = different.differences.filter(({ state }) => state === "stable");
  expect(stable.map(({ kind, id }) => `${kind} ${id}`).sort()).toEqual(["changed 5000", "missing 6000"]);
  expect([different.code, moving.code]).toEqual([1, 12]);
  expect(moving.differences.map(({ state }) => state)).toEqual(Array(HOT).fill("moving"));
  // Seen once, and looked at three times more.
  expect(new Set(moving.differences.map(({ rounds }) => rounds))).toEqual(new Set([4]));
  expect(moving.summary).toMatchObject({ complete: true, differences: 0, moving: HOT });
  expect(moving.summary?.verdict).toMatch(/^Inconclusive: \d+ documents? kept changing/);
  expect(collectionOf(moving, "orders")).toMatchObject({ verdict: "moving", equal: COUNT - HOT });

  await Promise.all(
    (await from.find({ _id: { $lt: 10 * HOT } }).toArray()).map(({ _id, ...rest }) =>
      to.replaceOne({ _id }, rest),
    ),
  );
  const calm = await compare(pair);
  expect([calm.code, calm.differences]).toEqual([0, []]);
});

it("raises no false alarm for an application that writes to both sides", async () => {
  await fill();
  const { from, to } = orders();
  const writing = writer(async (n) => {
    const _id = 10 * (n % HOT);
    if (n % 5 === 4) {
      for (const side of [from, to]) await side.deleteOne({ _id: COUNT * 10 + n - 1 });
    } else if (n % 5 === 3) {
      for (const side of [from, to]) await side.insertOne({ _id: COUNT * 10 + n, n });
    } else for (const side of [from, to]) await side.updateOne({ _id }, { $set: { n } });
  });
  for (let run = 0; run < 3; run++) {
    const compared = await compare(pair, ["--settle", "0.6"]);
    expect(compared.summary?.differences, compared.stdout).toBe(0);
    expect([0, 12]).toContain(compared.code);
  }
  expect(await writing.stop()).toBeGreaterThan(20);
  const calm = await compare(pair);
  expect([calm.code, calm.differences]).toEqual([0, []]);
});

it("counts documents that differed at first and then agreed as settled", async () => {
  await fill();
  const { from, to } = orders();
  await to.updateMany({ _id: { $lt: 10 * HOT } }, { $set: { n: 1 } });
  // The copy was ahead; the source follows just before the second look.
  const looks = [pair.sourceProxy, pair.targetProxy].map((proxy) =>
    proxy.fail({ on: "find", mentions: "$in", delayMs: 1_000 }),
  );
  const comparing = compare(pair);
  await vi.waitUntil(() => looks.every(({ happened }) => happened === 1), { timeout: 30_000, interval: 5 });
  await from.updateMany({ _id: { $lt: 10 * HOT } }, { $set: { n: 1 } });
  const compared = await comparing;
  expect(compared.code, compared.stdout).toBe(0);
  expect(compared.summary).toMatchObject({ settled: HOT, differences: 0, moving: 0 });
  expect(compared.summary?.verdict).toMatch(/20 documents differed at first and agreed/);
});
