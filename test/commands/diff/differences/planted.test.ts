import { Decimal128, Double, Int32, Long, type OptionalUnlessRequiredId } from "mongodb";
import { beforeAll, expect, it } from "vitest";
import { collectionOf, compare, findings, refuseHashes, TIERS } from "../../../support/compared.ts";
import { fillManyOrders } from "../../../support/data/many-orders.ts";
import { serverPair } from "../../../support/stores/pair.ts";

const pair = serverPair({}, {}, {});
const DATABASE = "planted";
const COUNT = 100_000;
const LAST = 10 * (COUNT - 1);

interface Order {
  _id: number | Double | Int32;
  [field: string]: unknown;
}

const DIFFERENCES = [
  ...["missing 0", "missing 500000", `missing ${LAST}`],
  ...["extra -5", "extra 333335", `extra ${LAST + 5}`],
  ...["changed 100000", "changed 200000", "changed 300000", "changed 400000", "changed 600000"],
  ...["idtype 700000", "changed 700070"],
].sort();

beforeAll(async () => {
  const both = [pair.from, pair.to].map((client) => client.db(DATABASE).collection<Order>("orders"));
  await Promise.all([pair.from, pair.to].map((client) => fillManyOrders(client, DATABASE, COUNT)));
  const [from, to] = both;
  const set = (_id: number, fields: Partial<Order>) => to?.updateOne({ _id }, { $set: fields });
  const replace = async (order: OptionalUnlessRequiredId<Order>) => {
    await to?.deleteOne({ _id: order._id });
    await to?.insertOne(order);
  };
  await to?.deleteMany({ _id: { $in: [0, 500_000, LAST] } });
  await to?.insertMany([-5, 333_335, LAST + 5].map((_id) => ({ _id, text: "only here" })));
  await set(100_000, { text: "thank yov" });
  const order = await from?.findOne({ _id: 200_000 });
  await replace(Object.fromEntries(Object.entries(order ?? {}).reverse()) as Order);
  await from?.updateOne({ _id: 300_000 }, { $set: { total: Long.fromInt(7) } });
  await set(300_000, { total: new Double(7) });
  await from?.updateOne({ _id: 400_000 }, { $set: { total: new Double(0) } });
  await set(400_000, { total: new Double(-0) });
  await from?.updateOne({ _id: 600_000 }, { $set: { total: Decimal128.fromString("1.0") } });
  await set(600_000, { total: Decimal128.fromString("1.00") });
  const typed = await from?.findOne({ _id: 700_000 }, { promoteValues: false });
  await replace({ ...typed, _id: new Double(700_000) });
  await to?.updateOne({ _id: 700_070 }, { $unset: { state: 1 } });
  expect([await from?.countDocuments(), await to?.countDocuments()]).toEqual([COUNT, COUNT]);
  expect(typed?._id).toBeInstanceOf(Int32);
  return () => Promise.all(both.map((orders) => orders.drop()));
});

it.each(TIERS)(
  "finds every planted difference among 100,000 documents and no other when $name",
  async ({ refusing, tier }) => {
    refuseHashes(pair, refusing);
    const compared = await compare(pair, [], { database: DATABASE });
    expect(findings(compared)).toEqual(DIFFERENCES);
    expect(compared.code).toBe(1);
    expect(compared.differences.every(({ state }) => state === "stable")).toBe(true);
    expect(compared.summary).toMatchObject({ complete: true, exact: true, tiers: [tier], moving: 0 });
    expect(collectionOf(compared, "orders")).toMatchObject({
      ...{ sourceDocuments: COUNT, targetDocuments: COUNT, equal: COUNT - 10 },
      ...{ missing: 3, extra: 3, changed: 7, settled: 0, verdict: "different" },
    });
  },
);
