import { Decimal128, Double, ObjectId } from "bson";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { doc } from "../../../support/data/documents.ts";
import { memoryRun } from "../../../support/memory/memory-run.ts";
import { MemoryStore } from "../../../support/memory/memory-store.ts";
import { supabaseTarget } from "../../../support/stores/supabase-target.ts";

/** A whole copy of documents that an application wrote into a table, with what is proved of it at its end. */
const target = supabaseTarget();

beforeAll(() =>
  target.tables(`
    create table orders (
      id int4 primary key, total numeric(10, 2), paid bool, at timestamptz, seen timestamptz default now());
    create function touch() returns trigger language plpgsql as
      $$ begin new.seen = clock_timestamp(); return new; end $$;
  `),
);
beforeEach(() => target.project.query("drop trigger if exists touch on orders; truncate orders"));

const orders = Array.from({ length: 120 }, (_, n) =>
  doc({ _id: new Double(n), total: new Double(n / 4), paid: n % 2 === 0, at: new Date(n * 1000), __v: 0 }),
);
const held = [
  "insert into orders (id, total, paid, at) select n, n / 4.0, n % 2 = 0, to_timestamp(n) from generate_series(0, 49) n;",
  "update orders set total = 1000 where id in (7, 8); update orders set seen = null;",
].join("");

function into(source: MemoryStore) {
  const { store, session } = target;
  return { source, target: store, session };
}

/** Saves what is overwritten, as a restore does. */
function journal() {
  const saved: { readonly id: Uint8Array; readonly before?: Uint8Array }[] = [];
  const save = async (_: unknown, entries: readonly (typeof saved)[number][]) => void saved.push(...entries);
  return { saved, journal: { save } };
}

it("verifies a copy into a table by equivalence, and names fields without a column", async () => {
  const { report, error, losses } = await memoryRun(into(new MemoryStore(orders)));
  expect(error).toBeUndefined();
  expect(report).toMatchObject({
    read: 120,
    written: 120,
    rejected: 0,
    verdict: "verified",
    targetCount: 120,
  });
  expect(losses.items.map(({ key }) => key)).toEqual(["field orders.__v"]);
  const again = await memoryRun(into(new MemoryStore(orders)));
  expect(again.report).toMatchObject({ written: 0, unchanged: 120, equivalent: 120, verdict: "verified" });
});

it("saves rows that it replaces in a table with rows, and leaves equivalent ones alone", async () => {
  await target.project.query(held);
  const { saved, journal: saving } = journal();
  const { report, error, losses } = await memoryRun(into(new MemoryStore(orders)), { journal: saving });
  expect(error).toBeUndefined();
  expect(report).toMatchObject({
    read: 120,
    written: 72,
    unchanged: 48,
    equivalent: 48,
    verdict: "verified",
  });
  expect(saved.filter(({ before }) => before !== undefined)).toHaveLength(2);
  expect(losses.items.map(({ key }) => key)).toEqual(["field orders.__v"]);
  expect(await target.rows("select count(*), sum(total) from orders")).toEqual(["(120,1785.00)"]);
});

it("rejects rows that a trigger changes or a column rounds, and an _id that cannot be a key", async () => {
  await target.project.query(
    "create trigger touch before insert or update on orders for each row execute function touch()",
  );
  const source = new MemoryStore([
    ...orders.slice(0, 3),
    doc({ _id: 500, total: new Decimal128("1.005") }),
    doc({ _id: new ObjectId() }),
  ]);
  const { report, error, losses } = await memoryRun(into(source));
  expect(error).toBeUndefined();
  expect(report).toMatchObject({ read: 5, written: 0, rejected: 5, verdict: "incomplete", targetCount: 4 });
  const reasons = losses.items.filter(({ key }) => key.startsWith("document")).map(({ reason }) => reason);
  expect(reasons.filter((reason) => /round them, or a trigger change them/.test(reason))).toHaveLength(4);
  expect(reasons.filter((reason) => /an `_id` that cannot be a key of this table/.test(reason))).toHaveLength(
    1,
  );
});
