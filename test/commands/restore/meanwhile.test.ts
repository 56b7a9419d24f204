import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { serverPair } from "../../support/stores/pair.ts";
import { runOf, undoFolder } from "../../support/undo-folder.ts";

/** An application that writes while a restore runs: at each of the commands on the collection, which waits for it. */
const pair = serverPair({}, {}, {});
const folder = undoFolder(pair);

interface Order {
  readonly _id: number;
  readonly text: string;
  readonly updated_at: Date;
}

const PAST = new Date(0);
const orders = () => pair.from.db(pair.database).collection<Order>("orders");
const order = (_id: number, text: string, updated_at = PAST): Order => ({ _id, text, updated_at });

/** Runs a restore whose n-th command of these waits until `act` is done. @returns whether there was one */
async function meanwhile(
  { on, nth }: { readonly on: readonly string[]; readonly nth: number },
  flags: readonly string[],
  act: () => Promise<void>,
): Promise<{ readonly happened: boolean; readonly run: string }> {
  const fault = pair.sourceProxy.fail({ on, collection: "orders", nth, delayMs: 100 });
  const args = ["restore", "--from", "env:COPY", "--to", "env:LIVE", "--json", "--apply", ...flags];
  const done = await folder.run([...args, "--confirm", pair.database], {
    async onStart(child) {
      while (fault.happened === 0 && child.exitCode === null) await wait(1);
      if (fault.happened > 0) await act();
    },
  });
  fault.cancel();
  expect([0, 3], done.stdout + done.stderr).toContain(done.code);
  return { happened: fault.happened > 0, run: runOf(done) };
}

async function copied(documents: readonly Order[]): Promise<void> {
  await orders().deleteMany({});
  await orders().insertMany([...documents]);
  const { code, stderr } = await folder.run(["duplicate", "--from", "env:LIVE", "--to", "env:COPY"]);
  expect(code, stderr).toBe(0);
}

it("a document that the application changes while it is looked at is newer than the copy, and --mode exact keeps it", {
  timeout: 120_000,
}, async () => {
  await copied([1, 2, 3].map((id) => order(id, "copied")));
  let tried = 0;
  for (let nth = 1; ; nth++) {
    await orders().deleteMany({ _id: { $gt: 3 } });
    await orders().insertOne(order(4, "old"));
    let isThere = false;
    const { happened } = await meanwhile({ on: ["find"], nth }, ["--mode", "exact"], async () => {
      const set = { $set: { text: "new", updated_at: new Date() } };
      isThere = (await orders().updateOne({ _id: 4 }, set)).matchedCount === 1;
    });
    if (!happened) break;
    if (isThere) tried++;
    expect(await orders().countDocuments({ _id: 4 }), `find ${nth}`).toBe(isThere ? 1 : 0);
  }
  console.log(`${tried} moments`);
  expect(tried).toBeGreaterThan(2);
});

it("by default nothing that the application writes meanwhile is replaced, and undo leaves it", {
  timeout: 120_000,
}, async () => {
  await copied([1, 2, 3].map((id) => order(id, "copied")));
  let tried = 0;
  for (let nth = 1; ; nth++) {
    await orders().deleteMany({ _id: 3 });
    const on = ["find", "insert", "update", "delete"];
    const { happened, run } = await meanwhile({ on, nth }, [], async () => {
      await orders().replaceOne({ _id: 3 }, order(3, "new"), { upsert: true });
    });
    if (!happened) break;
    tried++;
    const held = async () => (await orders().findOne({ _id: 3 }))?.text;
    expect(await held(), `command ${nth}`).toBe("new");
    await folder.run(["undo", run, "--to", "env:LIVE", "--yes"]);
    expect(await held(), `undo after command ${nth}`).toBe("new");
  }
  console.log(`${tried} moments`);
  expect(tried).toBeGreaterThan(2);
});
