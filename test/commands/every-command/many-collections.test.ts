import { expect, it } from "vitest";
import { serverPair } from "../../support/stores/pair.ts";

/** Two servers that count the commands that they get. */
const pair = serverPair({}, {}, {});
const COLLECTIONS = 60;
/** What a run costs whatever the databases hold: the lease, the history, the proof that writes arrive. */
const OF_A_RUN = 40;

/** Commands that both servers got during a run, in all, but for those by which the driver watches its connections. */
async function commandsOf(...args: string[]): Promise<number> {
  const proxies = [pair.sourceProxy, pair.targetProxy];
  const count = () =>
    proxies.flatMap(({ commands }) => [...commands].filter(([name]) => name !== "hello").map(([, n]) => n));
  const sum = () => count().reduce((total, n) => total + n, 0);
  const before = sum();
  const { code, stdout, stderr } = await pair.run(args);
  expect(code, stdout + stderr).toBe(0);
  return sum() - before;
}

it("costs at most 8 commands a collection where nothing differs, for duplicate and for diff", async () => {
  const db = pair.from.db(pair.database);
  await Promise.all(
    Array.from({ length: COLLECTIONS }, async (_, n) => {
      await db.collection<{ _id: number }>(`c${n}`).insertOne({ _id: n });
      await db.collection(`c${n}`).createIndex({ n: 1 });
    }),
  );
  await commandsOf("duplicate");
  // As far away as another region: what is asked at about the same time is asked together.
  for (const proxy of [pair.sourceProxy, pair.targetProxy]) proxy.delay(5);
  const [again, compared] = [await commandsOf("duplicate"), await commandsOf("diff")];
  expect(again).toBeLessThanOrEqual(8 * COLLECTIONS + OF_A_RUN);
  expect(compared).toBeLessThanOrEqual(8 * COLLECTIONS + OF_A_RUN);
});
