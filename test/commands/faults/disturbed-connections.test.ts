import { expect, it } from "vitest";
import { serverErrors } from "../../services/wire-proxy/faults/errors.ts";
import { collectionRecord, records, summary } from "../../support/cli.ts";
import { contents } from "../../support/data/snapshot.ts";
import { copyDisturbed } from "../../support/disturbed.ts";
import { serverPair } from "../../support/stores/pair.ts";

const pair = serverPair({}, {}, {});

async function fillOrders(): Promise<void> {
  const text = "x".repeat(1_000);
  const orders = pair.from.db(pair.database).collection<{ _id: number; text: string }>("orders");
  await orders.insertMany(Array.from({ length: 3_000 }, (_, n) => ({ _id: n, text })));
}

async function expectEqual(): Promise<void> {
  expect(await contents(pair.to, pair.database, "orders")).toEqual(
    await contents(pair.from, pair.database, "orders"),
  );
}

it("copies everything over connections that are cut in the middle of a reply and of a batch", async () => {
  await fillOrders();
  const { disturbed, again } = await copyDisturbed(pair, () => {
    pair.sourceProxy.cutAfter(1_500_000, "to client");
    pair.targetProxy.cutAfter(500_000, "to engine");
    return undefined;
  });
  expect([pair.sourceProxy.cuts, pair.targetProxy.cuts]).toEqual([1, 1]);
  expect([disturbed.code, (await again()).code]).toEqual([0, 0]);
  await expectEqual();
});

it("a copy whose counts disagree exits with 11, even if an index could not be copied either", async () => {
  await fillOrders();
  await pair.from.db(pair.database).collection("orders").createIndex({ text: 1 });
  const other = { collection: "orders", every: 1 };
  const rows = { cursor: { id: 0n, ns: `${pair.database}.orders`, firstBatch: [{ n: 2_999 }] } };
  pair.targetProxy.fail({ ...other, on: "createIndexes", error: serverErrors.cannotCreateIndex });
  pair.targetProxy.fail({ ...other, on: "aggregate", mentions: "$count", adds: rows });
  const { code, stdout } = await pair.duplicate("--json", "--verify", "counts");
  expect([code, collectionRecord(stdout, "orders")?.verdict], stdout).toEqual([11, "failed"]);
  expect(records(stdout).filter(({ type }) => type === "item")).toMatchObject([
    { key: "index orders/text_1" },
  ]);
  expect(summary(stdout)?.verdict).toMatch(/^Verification failed/);
});

it("a run whose target is full says so, and the next run completes the copy", async () => {
  await fillOrders();
  const { disturbed, again } = await copyDisturbed(pair, () => {
    pair.targetProxy.fail({ on: "insert", collection: "orders", every: 1, error: serverErrors.diskFull });
    return undefined;
  });
  expect(disturbed.stderr).toMatch(/no space left at the target/);
  expect([disturbed.code, (await again()).code]).toEqual([5, 0]);
  await expectEqual();
});
