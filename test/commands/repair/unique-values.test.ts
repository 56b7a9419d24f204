import { beforeEach, expect, it } from "vitest";
import { RepairContext, type Row } from "../../support/repairing.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** Documents that swap unique values. */
const pair = serverPair();

let repairing: RepairContext;
beforeEach(() => {
  repairing = new RepairContext(pair);
});

function collection(side: "from" | "to") {
  return pair[side].db(pair.database).collection<{ _id: number }>("orders");
}

it("repairs documents that swap unique values, also in cycles and long chains, and can undo that", async () => {
  const names = (shift: number): Row[] =>
    Array.from({ length: 600 }, (_, n) => ({ _id: n, place: n + shift, ring: `r${n}` }));
  const other = (row: Row, n: number): Row => {
    if (n < 10) return { ...row, ring: `r${n % 2 === 0 ? n + 1 : n - 1}` };
    return n < 20 ? { ...row, ring: `r${n === 19 ? 10 : n + 1}` } : row;
  };
  await collection("from").insertMany(names(1).map(other) as never[]);
  await collection("to").insertMany(names(0) as never[]);
  await collection("to").createIndex({ place: 1 }, { unique: true });
  await collection("to").createIndex({ ring: 1 }, { unique: true });
  const before = await repairing.now();
  await repairing.plan("--no-indexes");
  const { code, items, run } = await repairing.repair();
  expect([code, items]).toEqual([0, []]);
  expect((await repairing.diff("--no-indexes")).code).toBe(0);
  const undone = await repairing.undo(run);
  expect([undone.code, undone.stdout]).toEqual([0, expect.anything()]);
  expect(await repairing.now()).toEqual(before);
});

it("loses nothing when another document keeps a cycle of unique values from being repaired", async () => {
  const both = (places: readonly string[]): Row[] => places.map((place, n) => ({ _id: n, place }));
  await collection("from").insertMany(both(["b", "c", "a", "y", "x"]) as never[]);
  await collection("to").insertMany([...both(["a", "b", "q", "x", "y"]), { _id: 9, place: "c" }] as never[]);
  await collection("to").createIndex({ place: 1 }, { unique: true });
  await repairing.plan("--no-indexes");
  const { code, items } = await repairing.repair();
  expect([code, items.map(({ key }) => key)]).toEqual([
    3,
    ["document orders/0", "document orders/1", "document orders/2"],
  ]);
  const found = (await collection("to").find().sort({ _id: 1 }).toArray()) as unknown as { place: string }[];
  expect(found.map(({ place }) => place)).toEqual(["a", "b", "q", "y", "x", "c"]);
});
