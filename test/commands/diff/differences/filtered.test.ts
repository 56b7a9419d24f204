import { expect, it } from "vitest";
import { compare, findings } from "../../../support/compared.ts";
import { serverPair } from "../../../support/stores/pair.ts";

/** A filter selects on each side by itself: a document that it leaves out on one side is there all the same. */
const pair = serverPair();

function orders(side: "from" | "to") {
  return pair[side].db(pair.database).collection<{ _id: number; at?: Date; state: string }>("orders");
}

/** Whether the server deletes what has expired; one that does not know this setting is left as it is. */
async function deletesExpired(side: "from" | "to", ttlMonitorEnabled: boolean): Promise<void> {
  await pair[side]
    .db("admin")
    .command({ setParameter: 1, ttlMonitorEnabled })
    .catch(() => undefined);
}

it("diff reports a document that the filter selects on one side only, even if a TTL index will delete it soon", async () => {
  for (const side of ["from", "to"] as const) {
    await deletesExpired(side, false);
    await orders(side).createIndex({ at: 1 }, { expireAfterSeconds: 60 });
  }
  const at = new Date(Date.now() - 3_600_000);
  const both = { _id: 3, state: "open" };
  await orders("from").insertMany([{ _id: 1, at, state: "paid" }, { _id: 2, at, state: "open" }, both]);
  await orders("to").insertMany([{ _id: 1, at, state: "open" }, { _id: 2, at, state: "paid" }, both]);
  const found = await compare(pair, ["--filter", 'orders={"state":"open"}']);
  expect([found.code, findings(found), found.summary?.expired]).toEqual([1, ["changed 1", "changed 2"], 0]);
  const gone = { _id: 4, at, state: "open" };
  await orders("from").deleteMany({ _id: { $ne: both._id } });
  await orders("to").deleteMany({ _id: { $ne: both._id } });
  await orders("to").insertOne(gone);
  const expired = await compare(pair, ["--filter", 'orders={"state":"open"}']);
  expect([expired.code, findings(expired), expired.summary?.expired]).toEqual([0, [], 1]);
  for (const side of ["from", "to"] as const) await deletesExpired(side, true);
});

it("diff reports a document that the filter selects on one side only once in a collection compared by lookups", async () => {
  const collation = { locale: "en", strength: 2 };
  for (const side of ["from", "to"] as const)
    await pair[side].db(pair.database).createCollection("orders", { collation });
  const same = { _id: 5, state: "open" };
  const ours = ["paid", "open", "open 2"].map((state, _id) => ({ _id, state }));
  const theirs = ["open", "paid", "open 1"].map((state, _id) => ({ _id, state }));
  await orders("from").insertMany([...ours, same]);
  await orders("to").insertMany([...theirs, same]);
  const found = await compare(pair, ["--filter", 'orders={"state":{"$regex":"^open"}}']);
  expect([found.code, findings(found)]).toEqual([1, ["changed 0", "changed 1", "changed 2"]]);
  expect(found.summary).toMatchObject({ tiers: ["lookup"], sourceDocuments: 3, equal: 1 });
});
