import { expect, it } from "vitest";
import { contents } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";

const pair = serverPair({ clusterTime: true }, { clusterTime: true });

it("copies in large batches between servers whose replies carry a cluster time", async () => {
  const orders = pair.from.db(pair.database).collection<{ _id: number; text: string }>("orders");
  const text = "x".repeat(3_600);
  await orders.insertMany(Array.from({ length: 3_000 }, (_, _id) => ({ _id, text })));
  const { code, stderr } = await pair.duplicate();
  expect(stderr).not.toMatch(/error/);
  expect(code).toBe(0);
  expect(await contents(pair.to, pair.database, "orders")).toEqual(
    await contents(pair.from, pair.database, "orders"),
  );
});
