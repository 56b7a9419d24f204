import { expect, it, onTestFinished, vi } from "vitest";
import { doc, hexOf } from "../../support/data/documents.ts";
import { inMemory } from "../../support/memory/in-memory.ts";

/** A restore between stores that can do everything, or nothing but what every store can. */
const memory = inMemory();

const order = (_id: number, n = 0) => doc({ _id, n });

it.each([
  ["every power", "all"],
  ["no power", "none"],
  ["what a key-value store has", "kv"],
] as const)("a store with %s is restored from its copy with every mode, and undone", async (_, powers) => {
  const live = memory.database(`live-${powers}`, powers);
  memory.database(`copy-${powers}`, powers);
  live.create(
    "orders",
    [1, 2, 3, 4].map((id) => order(id)),
  );
  const pair = { from: `memory:copy-${powers}`, to: `memory:live-${powers}` };
  expect((await memory.run("duplicate", [], { from: pair.to, to: pair.from, indexes: true })).status).toBe(0);
  live.create("orders", [order(1), order(2, 7), order(9)]);
  const confirmed = { ...pair, apply: true, confirm: `live-${powers}` };
  const held = () => hexOf([...live.documents("orders")].sort((a, b) => (a.id.key < b.id.key ? -1 : 1)));
  const before = held();
  const shown = await memory.run("restore", [], { ...pair });
  expect([shown.status, held()]).toEqual([6, before]);
  const missing = await memory.run("restore", [], confirmed);
  expect([missing.status, held()], JSON.stringify(missing)).toEqual([
    0,
    hexOf([order(1), order(2, 7), order(3), order(4), order(9)]),
  ]);
  const exact = await memory.run("restore", [], { ...confirmed, mode: "exact", includeNewer: true });
  expect([exact.status, held()], JSON.stringify(exact)).toEqual([
    0,
    hexOf([1, 2, 3, 4].map((id) => order(id))),
  ]);
  for (const { records } of [exact, missing]) {
    const run = String(records.at(-1)?.run);
    expect((await memory.run("undo", [run], { to: pair.to, yes: true })).status).toBe(0);
  }
  expect(held()).toEqual(before);
});

it("a restore that has ended leaves no timer behind that would keep its process alive", async () => {
  memory.database("live-ended", "all");
  const copy = memory.database("copy-ended", "all");
  for (let number = 0; number < 20; number++) copy.create(`orders${number}`, [order(1), order(2)]);
  const waiting = new Set<unknown>();
  const { setTimeout: start, clearTimeout: stop } = globalThis;
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((act: () => void, milliseconds?: number) => {
    const timer = start(() => {
      waiting.delete(timer);
      act();
    }, milliseconds);
    waiting.add(timer);
    return timer;
  }) as typeof setTimeout);
  vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
    waiting.delete(timer);
    stop(timer);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const pair = { from: "memory:copy-ended", to: "memory:live-ended" };
  const whole = { ...pair, apply: true, confirm: "live-ended" };
  const restored = await memory.run("restore", [], whole);
  expect(restored.status, JSON.stringify(restored)).toBe(0);
  expect(waiting.size).toBe(0);
});
