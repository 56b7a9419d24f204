import type { Db } from "mongodb";
import { describe, expect, it, vi } from "vitest";
import { type Compared, compare, refuseHashes, TIERS } from "../../../support/compared.ts";
import { serverPair } from "../../../support/stores/pair.ts";

const pair = serverPair({}, {}, {});

/** What happens to a collection of one side while it is compared. */
const FATES: Record<string, (db: Db) => Promise<unknown>> = {
  dropped: (db) => db.collection("orders").drop(),
  emptied: (db) => db.collection("orders").deleteMany({}),
  "replaced by an empty one": async (db) => {
    await db.collection("orders").drop();
    await db.createCollection("orders");
  },
  "replaced by one of the same documents": async (db) => {
    const documents = await db.collection("orders").find().toArray();
    await db.collection("orders").drop();
    await db.collection("orders").insertMany(documents);
  },
  renamed: (db) => db.collection("orders").rename("others"),
};

/** Compares; `change` is done at the moment when a command of the kind has come to the side for the `nth` time. */
async function compareWhile(
  side: "source" | "target",
  { on, nth }: { on: string; nth: number },
  change: (db: Db) => Promise<unknown>,
): Promise<Compared> {
  const proxy = side === "source" ? pair.sourceProxy : pair.targetProxy;
  const moment = proxy.fail({ on, collection: "orders", nth, delayMs: 700 });
  const comparing = compare(pair);
  await vi.waitUntil(() => moment.happened === 1, { timeout: 30_000, interval: 5 });
  await change((side === "source" ? pair.from : pair.to).db(pair.database));
  return await comparing;
}

describe.each(["source", "target"] as const)(
  "collection of the %s that changes during a comparison",
  (side) => {
    it.each(Object.entries(FATES))(
      "does not call a collection equal that is %s while it is compared",
      async (_what, change) => {
        const documents = Array.from({ length: 500 }, (_, n) => ({ _id: n, n }));
        for (const client of [pair.from, pair.to])
          await client.db(pair.database).collection<{ _id: number }>("orders").insertMany(documents);
        refuseHashes(pair, TIERS[3].refusing);
        const compared = await compareWhile(side, { on: "find", nth: 1 }, change);
        expect([0, null], compared.stdout).not.toContain(compared.code);
      },
    );
  },
);
