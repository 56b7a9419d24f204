import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Doc } from "../../src/model/document.ts";
import { doc, hexOf } from "../support/documents.ts";
import { inMemory, type MemoryCommandResult } from "../support/in-memory.ts";
import type { MemoryDatabase, MemoryPowers } from "../support/memory-connector.ts";

const memory = inMemory();

const order = (_id: number, n: number): Doc => doc({ _id, n, text: "x".repeat(n % 7) });
const ORDERS = Array.from({ length: 40 }, (_, n) => order(n, 1));
const CUSTOMERS = [doc({ _id: "a", name: "Ada" }), doc({ _id: "b", name: "Bo" })];

interface Pair {
  readonly source: MemoryDatabase;
  readonly target: MemoryDatabase;
  run(command: string, flags?: object): Promise<MemoryCommandResult>;
}

let pairs = 0;

function pairOf(source: MemoryPowers, target: MemoryPowers): Pair {
  const [from, to] = [`live${++pairs}`, `copy${pairs}`];
  const stores = { source: memory.database(from, source), target: memory.database(to, target) };
  stores.source.create("orders", ORDERS);
  stores.source.create("customers", CUSTOMERS);
  return {
    ...stores,
    run: async (command, flags = {}) =>
      await memory.run(command, [], { from: `memory:${from}`, to: `memory:${to}`, indexes: true, ...flags }),
  };
}

function held(database: MemoryDatabase): object {
  return Object.fromEntries(
    [...database.collections.keys()].sort().map((name) => [name, hexOf(database.documents(name))]),
  );
}

const summaryOf = ({ records }: MemoryCommandResult) => records.at(-1);

const POWERS: readonly MemoryPowers[] = ["all", "none", "kv"];
const COMBINATIONS = POWERS.flatMap((source) => POWERS.map((target) => [source, target] as const));

describe.each(COMBINATIONS)(
  "commands on a connector of the tests, source with powers %s and target with %s",
  (from, to) => {
    it("duplicate makes an equal copy, and diff finds it identical", async () => {
      const pair = pairOf(from, to);
      const copied = await pair.run("duplicate");
      expect([copied.status, copied.error]).toEqual([0, undefined]);
      expect(held(pair.target)).toEqual(held(pair.source));
      const compared = await pair.run("diff", { settle: "0" });
      expect([compared.status, summaryOf(compared)?.differences]).toEqual([0, 0]);
    });

    it("duplicate brings a copy up to date, and removes what is gone with --delete", async () => {
      const pair = pairOf(from, to);
      await pair.run("duplicate");
      pair.source.create("orders", [order(0, 5), ...ORDERS.slice(2), order(77, 1)]);
      // A target that remembers nothing of former runs may hold documents of others.
      const known = to === "all" ? {} : { intoExisting: `copy${pairs}` };
      expect((await pair.run("duplicate", known)).status).toBe(0);
      const left = pair.target.documents("orders").length;
      expect(left).toBe(41);
      if (to !== "all") return;
      const removed = await pair.run("duplicate", { delete: true, yes: true });
      expect([removed.status, removed.error]).toEqual([0, undefined]);
      expect(held(pair.target)).toEqual(held(pair.source));
    });

    it("diff names each difference, repair applies the plan, and undo reverts it", async () => {
      const pair = pairOf(from, to);
      await pair.run("duplicate");
      const orders = [order(0, 9), ...ORDERS.slice(2), order(99, 1)];
      const store = pair.target.create("orders", orders);
      const plan = join(memory.cwd, `repair${pairs}.plan`);
      const compared = await pair.run("diff", { settle: "0", plan });
      expect(compared.status).toBe(1);
      expect(
        compared.records.find((one) => one.collection === "orders" && one.type === "collection"),
      ).toMatchObject({
        ...{ equal: 38, missing: 1, extra: 1, changed: 1, verdict: "different" },
      });
      const flags = { from: `memory:live${pairs}`, to: `memory:copy${pairs}`, delete: true, yes: true };
      const repaired = await memory.run("repair", [plan], flags);
      expect([repaired.status, repaired.error]).toEqual([0, undefined]);
      expect(hexOf(store.documents)).toEqual(hexOf(ORDERS));
      const run = /dualsync undo (\w+)/.exec(String(summaryOf(repaired)?.verdict))?.[1] ?? "";
      const undone = await memory.run("undo", [run], { to: flags.to, yes: true });
      expect([undone.status, undone.error]).toEqual([0, undefined]);
      expect(hexOf(store.documents)).toEqual(hexOf(orders));
    });
  },
);

it("a document that expires while it is copied is neither a difference nor a failure", async () => {
  const pair = pairOf("kv", "all");
  let reads = 0;
  const expiring = new Set(ORDERS.slice(10, 20).map(({ id }) => id.key));
  pair.source.isDue = ({ id }) => expiring.has(id.key) && ++reads > 25;
  expect((await pair.run("duplicate")).status).toBe(0);
  pair.source.isDue = ({ id }) => expiring.has(id.key);
  const compared = await pair.run("diff", { settle: "0" });
  expect([compared.status, summaryOf(compared)?.differences]).toEqual([0, 0]);
});

it("a second run is refused while another one holds the lease", async () => {
  const pair = pairOf("all", "all");
  pair.target.holder = {
    nonce: "another",
    run: { id: "r", command: "duplicate", holder: { host: "h", pid: 1 }, from: "f", isGone: () => false },
  };
  expect((await pair.run("duplicate")).status).toBe(7);
  expect(pair.target.collections.size).toBe(0);
});
