import { expect, it } from "vitest";
import { Budget } from "../../src/core/concurrency/byte-budget.ts";
import { TaskPool } from "../../src/core/concurrency/task-pool.ts";
import { SizeLimit } from "../../src/core/plan/size-limit.ts";
import { Losses, type SavedLosses } from "../../src/core/progress/losses.ts";
import { fromJson } from "../../src/core/progress/saved-run.ts";
import { Tally } from "../../src/core/progress/tally.ts";
import { OrderedFingerprint, UnorderedFingerprint } from "../../src/core/walk/fingerprint.ts";
import { Batch } from "../../src/model/document.ts";
import { batchOf, doc, id } from "../support/data/documents.ts";
import { MemoryStore } from "../support/memory/memory-store.ts";
import { never } from "../support/signal.ts";

it("a budget admits bytes up to its limit, first come first served, and an oversized batch alone", async () => {
  const budget = new Budget(10);
  const order: string[] = [];
  const releaseA = await budget.take(6, never);
  const waitingBig = budget.take(50, never).then((release) => {
    order.push("big");
    return release;
  });
  const waitingSmall = budget.take(1, never).then((release) => {
    order.push("small");
    return release;
  });
  await Promise.resolve();
  expect(order).toEqual([]);
  releaseA();
  const releaseBig = await waitingBig;
  expect(order).toEqual(["big"]);
  releaseBig();
  (await waitingSmall)();
  expect(order).toEqual(["big", "small"]);
});

it("the size limit measures the target again before it fails, because replaced documents take no more space", async () => {
  const target = new MemoryStore([doc({ _id: 1 })]); // 14 bytes
  const sizeLimit = new SizeLimit(target, 100, 60);
  await sizeLimit.take(40, never);
  await sizeLimit.take(80, never);
  await expect(sizeLimit.take(87, never)).rejects.toMatchObject({ exit: "target" });
});

it("a budget drops a waiting batch when its signal aborts, and admits the next one", async () => {
  const budget = new Budget(10);
  const release = await budget.take(5, never);
  const controller = new AbortController();
  const waiting = budget.take(8, controller.signal);
  const next = budget.take(5, never);
  controller.abort(new Error("stop"));
  await expect(waiting).rejects.toThrow("stop");
  (await next)();
  release();
});

it("a task pool never runs more tasks than its limit, and throws the first failure", async () => {
  const failures: unknown[] = [];
  const pool = new TaskPool(2, (error) => failures.push(error));
  let now = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
  };
  for (let i = 0; i < 10; i++) await pool.add(work);
  await pool.join();
  expect(most).toBe(2);
  const broken = new Error("broken");
  await pool.add(() => Promise.reject(broken));
  await expect(pool.join()).rejects.toBe(broken);
  await expect(pool.add(work)).rejects.toBe(broken);
  expect(failures).toEqual([broken]);
});

it("a tally rejects an outcome in which a document is unaccounted for", () => {
  const tally = new Tally();
  expect(() => tally.count(3, 30, { written: 1, unchanged: 1, rejected: [] })).toThrow(
    /Of 3 documents in a batch, 2/,
  );
  tally.count(3, 30, { written: 1, unchanged: 1, rejected: [{ id: id(1), reason: "x" }] });
  tally.reclassify(2);
  expect(tally).toMatchObject({ read: 3, written: 0, unchanged: 0, rejected: 3 });
});

it("accepted losses are listed but not counted, and acceptances that matched nothing are named", () => {
  const losses = new Losses(["index orders/geo", "index orders/gone"]);
  losses.add("index orders/geo", "why");
  losses.addDocuments("orders", [{ id: id(17), reason: "too large" }]);
  losses.addDocuments("orders", [{ id: id(17), reason: "too large" }]);
  expect(losses.counted).toBe(1);
  expect(losses.items).toEqual([
    { key: "index orders/geo", reason: "why", accepted: true },
    { key: "document orders/17", reason: "too large", accepted: false },
  ]);
  expect(losses.unusedAcceptances).toEqual(["index orders/gone"]);
});

it("accepted losses are not counted, however many there are, after merging and restoring", () => {
  const keys = Array.from({ length: 1_500 }, (_, n) => `document orders/${n}`);
  const all = new Losses(keys.slice(0, 1_400));
  const part = all.part();
  for (const key of keys) part.add(key, "why");
  all.merge(part);
  expect([all.counted, all.total]).toEqual([100, 1_500]);
  const later = Losses.restored(new Losses(keys.slice(0, 1_400)), all.save());
  expect([later.counted, later.total]).toEqual([100, 1_500]);
});

it("an acceptance is used by a loss that is not kept by name, also after merging, saving and restoring", () => {
  const accepted = ["document orders/7", "document orders/1200", "index orders/gone"];
  const part = new Losses(accepted);
  for (let n = 0; n < 1_500; n++) part.add(`document orders/${n}`, "why");
  const all = new Losses(accepted);
  all.merge(part);
  const saved = saveAndRead(all.save());
  const later = Losses.restored(new Losses(accepted), saved);
  for (const losses of [part, all, later])
    expect([losses.counted, losses.items.length, losses.unusedAcceptances]).toEqual([
      1_498,
      1_000,
      ["index orders/gone"],
    ]);
});

it("saved losses without used acceptances can still be read", () => {
  const { usedAcceptances: _, ...older } = new Losses([]).save();
  expect(saveAndRead(older).usedAcceptances).toEqual([]);
  expect(() => saveAndRead({ ...older, usedAcceptances: [1] })).toThrow(/does not hold the state of a run/);
});

/** Losses as they come back from the state file of a run. */
function saveAndRead(losses: object): SavedLosses {
  const collection = {
    name: "orders",
    source: "s",
    target: "t",
    remaining: [],
    extras: [],
    counts: {},
    losses,
  };
  const run = {
    token: "t",
    since: new Date(0),
    saved: new Date(0),
    verify: "content",
    collections: [collection],
  };
  const [read] = fromJson(JSON.parse(JSON.stringify(run)), "state").collections;
  if (read === undefined) throw new Error("no collection");
  return read.losses;
}

it("a fingerprint depends on the order of documents, or ignores it without letting pairs cancel out", () => {
  const [a, b] = [batchOf({ _id: 1 }), batchOf({ _id: 2 })];
  const ordered = (...batches: Batch[]): string => {
    const fingerprint = new OrderedFingerprint();
    for (const batch of batches) fingerprint.add(batch);
    return fingerprint.digest();
  };
  const multiset = (...batches: Batch[]): string => {
    const fingerprint = new UnorderedFingerprint();
    for (const batch of batches) fingerprint.add(batch);
    return fingerprint.digest();
  };
  expect(ordered(a, b)).toBe(ordered(Batch.of([doc({ _id: 1 }), doc({ _id: 2 })])));
  expect(ordered(a, b)).not.toBe(ordered(b, a));
  expect(multiset(a, b)).toBe(multiset(b, a));
  expect(multiset(a, a)).not.toBe(multiset(b, b));
  expect(multiset(batchOf({ a: 1, b: 2 }))).toBe(multiset(batchOf({ b: 2, a: 1 })));
  expect(multiset(batchOf({ a: 1, b: 2 }))).not.toBe(multiset(batchOf({ a: 2, b: 1 })));
  expect(multiset(a, a, b)).not.toBe(multiset(a, b, b));
});
