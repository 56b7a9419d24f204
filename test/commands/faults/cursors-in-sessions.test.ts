import { describe, expect, it } from "vitest";
import { contents } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";

describe.each(["replica-set", "router"] as const)("servers of the kind %s", (face) => {
  const pair = serverPair({}, {}, { face });

  it("keeps every cursor in its session while many are open at once", async () => {
    const orders = pair.from.db(pair.database).collection<{ _id: number; text: string }>("orders");
    const text = "x".repeat(4_500);
    await orders.insertMany(Array.from({ length: 4_000 }, (_, _id) => ({ _id, text })));
    const { code, stderr } = await pair.duplicate("--batch-size", "40");
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
    expect(pair.sourceProxy.commands.get("find")).toBeGreaterThan(1);
    expect(pair.sourceProxy.commands.get("getMore")).toBeGreaterThan(90);
    expect(await contents(pair.to, pair.database, "orders")).toEqual(
      await contents(pair.from, pair.database, "orders"),
    );
  });
});
