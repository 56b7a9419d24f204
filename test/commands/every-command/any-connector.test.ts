import { join } from "node:path";
import { type Document, deserialize } from "bson";
import { describe, expect, it } from "vitest";
import type { Mapping } from "../../../src/connectors/powers/mapping.ts";
import type { Doc } from "../../../src/model/document.ts";
import { DualsyncError } from "../../../src/model/errors.ts";
import { doc, hexOf } from "../../support/data/documents.ts";
import { inMemory, type MemoryCommandResult } from "../../support/memory/in-memory.ts";
import type { MemoryDatabase, MemoryPowers } from "../../support/memory/memory-connector.ts";

const memory = inMemory();

const plain = ({ bytes }: Doc): Document => deserialize(bytes);

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

describe("a place that is written once", () => {
  it.each(POWERS)(
    "a place that is written once takes a copy of a store with powers %s, in which diff finds no difference",
    async (from) => {
      const pair = pairOf(from, "once");
      const copied = await pair.run("duplicate");
      expect([copied.status, copied.error]).toEqual([0, undefined]);
      expect(
        copied.records.filter(({ type }) => type === "collection").map(({ verdict }) => verdict),
      ).toEqual(["verified", "verified"]);
      const compared = await pair.run("diff", { settle: "0" });
      expect([compared.status, summaryOf(compared)?.differences]).toEqual([0, 0]);
      pair.source.create("orders", [order(0, 5), ...ORDERS.slice(1)]);
      expect((await pair.run("diff", { settle: "0" })).status).toBe(1);
    },
  );

  it("a place that is written once keeps what was published before when it returns other bytes than it was given", async () => {
    const pair = pairOf("all", "once");
    await pair.run("duplicate");
    const before = pair.target.archived;
    pair.source.create("orders", ORDERS.slice(1));
    pair.target.alters = (document) => (document.id.key === ORDERS[7]?.id.key ? order(7, 2) : document);
    const copied = await pair.run("duplicate");
    expect([copied.status, copied.error]).toMatchObject([11, { exit: "unverified" }]);
    expect(pair.target.archived).toBe(before);
  });

  it("a place that is written once keeps what was published before when the source breaks off", async () => {
    const pair = pairOf("kv", "once");
    await pair.run("duplicate");
    const before = pair.target.archived;
    pair.source.isDue = () => {
      throw new DualsyncError("source", "The line is cut.");
    };
    expect((await pair.run("duplicate")).status).toBe(4);
    expect(pair.target.archived).toBe(before);
  });

  it("a copy to a place that is written once names a collection that cannot be read, and takes the others", async () => {
    const pair = pairOf("kv", "once");
    const customers = new Set(CUSTOMERS.map(({ id }) => id.key));
    let listed = false;
    pair.source.isDue = ({ id }) => {
      if (listed && customers.has(id.key))
        throw new DualsyncError("source", "It is locked.", { ofOneCollection: true });
      listed ||= id.key === CUSTOMERS.at(-1)?.id.key;
      return false;
    };
    const copied = await pair.run("duplicate");
    expect(copied.status).toBe(3);
    expect(copied.records.filter(({ type }) => type === "item").map(({ key }) => key)).toEqual([
      "collection customers",
    ]);
    expect([...pair.target.archived.keys()]).toEqual(["orders"]);
  });

  it("repair does not write to a place that is written once", async () => {
    const pair = pairOf("all", "once");
    await pair.run("duplicate");
    const plan = join(memory.cwd, `once${pairs}.plan`);
    pair.source.create("orders", ORDERS.slice(1));
    expect((await pair.run("diff", { settle: "0", plan })).status).toBe(1);
    const flags = { from: `memory:live${pairs}`, to: `memory:copy${pairs}`, yes: true };
    expect((await memory.run("repair", [plan], flags)).status).toBe(6);
  });
});

describe("a mapping says what documents are made from, and nothing else", () => {
  /** Documents say the same where their `n` is the same. */
  const mapping: Mapping = {
    classify: (_, own, other) => (plain(own).n === plain(other).n ? "equivalent" : "different"),
    differing: () => ["n"],
    merged: (_, own) => own,
  };

  it("what was dropped in the source is no loss where nothing is hidden, and no table's name is put on it", async () => {
    const pair = pairOf("all", "all");
    pair.source.mapping = mapping;
    await pair.run("duplicate");
    pair.source.collections.delete("customers");
    const copied = await pair.run("duplicate");
    expect([copied.status, copied.error]).toEqual([0, undefined]);
  });

  it("what only the target has is a difference where the source is nobody's primary", async () => {
    const pair = pairOf("all", "all");
    pair.source.mapping = mapping;
    await pair.run("duplicate");
    pair.target.create("orders", [doc({ _id: 0, n: 1, seen: true }), ...ORDERS.slice(1)]);
    const equivalent = await pair.run("diff", { settle: "0" });
    expect([equivalent.status, summaryOf(equivalent)?.differences]).toEqual([0, 0]);
    pair.target.create("others", CUSTOMERS);
    const compared = await pair.run("diff", { settle: "0" });
    expect([compared.status, summaryOf(compared)?.differences]).toEqual([1, 1]);
  });
});

it.each(["duplicate", "diff"])(
  "%s refuses --filter where the documents of a side cannot be chosen by it",
  async (command) => {
    const pair = pairOf("all", "all");
    const { status, error } = await pair.run(command, { filter: ['orders={"n": 1}'] });
    expect([status, error]).toMatchObject([
      2,
      { message: "--filter cannot be used where one side is a store in memory. Nothing was contacted." },
    ]);
    expect(held(pair.target)).toEqual({});
  },
);
