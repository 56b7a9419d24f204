import { beforeAll, expect, it } from "vitest";
import type { UnfinishedRun } from "../../../../src/connectors/copy-layouts.ts";
import { SeenIds } from "../../../../src/model/seen-ids.ts";
import { never } from "../../../support/signal.ts";
import { type Copies, type Copy, record, startCopies } from "./copies.ts";

/** What a copy keeps of a run that ended early. */
let copies: Copies;
beforeAll(async () => {
  copies = await startCopies();
  return () => copies.stop();
});

function settledKeys(keys: number): SeenIds {
  const settled = new SeenIds();
  for (let n = 0; n < keys; n++) settled.add(`key ${n}`);
  return settled;
}

/** More than one part takes. */
const MANY = 70_000;
const LARGE: UnfinishedRun = { kind: "any", since: new Date(5), open: 3, settled: settledKeys(MANY) };
const SMALL: UnfinishedRun = { kind: "other", since: new Date(6), open: 0, settled: settledKeys(7) };

async function read({ store }: Copy): Promise<object | undefined> {
  const found = await store.unfinished(never);
  return found && { ...found, settled: found.settled.size };
}

function own({ db }: Copy) {
  return db.collection<{ _id: number }>("_dualsync_agreements");
}

it("is read as it was left, replaced as a whole, and gone when it is taken away", async () => {
  const copy = await copies.begin("records");
  expect(await read(copy)).toBeUndefined();
  await copy.session.leaveUnfinished(LARGE, never);
  expect(await read(copy)).toEqual({ kind: "any", since: new Date(5), open: 3, settled: MANY });
  const { settled } = (await copy.store.unfinished(never)) as UnfinishedRun;
  expect([settled.has("key 0"), settled.has(`key ${MANY - 1}`), settled.has("x")]).toEqual([
    true,
    true,
    false,
  ]);
  await copy.session.leaveUnfinished(SMALL, never);
  expect(await read(copy)).toEqual({ kind: "other", since: new Date(6), open: 0, settled: 7 });
  expect(await own(copy).countDocuments()).toBe(2);
  await copy.session.leaveUnfinished(undefined, never);
  expect(await read(copy)).toBeUndefined();
  expect(await own(copy).countDocuments()).toBe(0);
});

it("is no agreement, and is not counted as one", async () => {
  const copy = await copies.begin("collections");
  const hash = "0".repeat(64);
  const { id } = record("a", "v");
  await copy.session.agreements.leave([{ id, primary: hash, copy: hash, expiresAt: undefined }], never);
  await copy.session.remember("collections", "kv.test", never);
  await copy.session.leaveUnfinished(LARGE, never);
  expect(await copy.store.agreements.count(never)).toBe(1);
  const all: unknown[] = [];
  for await (const some of copy.store.agreements.read(never)) all.push(...some);
  expect(all).toHaveLength(1);
});

it("means nothing unless all of it is there", async () => {
  const copy = await copies.begin("records");
  const spoil: (() => Promise<unknown>)[] = [
    () => own(copy).deleteOne({ _id: 2 }),
    () => own(copy).deleteOne({ _id: 3 }),
    () => own(copy).updateOne({ _id: 3 }, { $unset: { settled: 1 } }),
    () => own(copy).updateOne({ _id: 3 }, { $set: { settled: "x" } }),
    () => own(copy).updateOne({ _id: 1 }, { $set: { size: 5 } }),
    () => own(copy).updateOne({ _id: 1 }, { $set: { parts: 1_000_000_000 } }),
    () => own(copy).updateOne({ _id: 1 }, { $unset: { kind: 1 } }),
    () => own(copy).deleteOne({ _id: 1 }),
  ];
  for (const [at, one] of spoil.entries()) {
    await copy.session.leaveUnfinished(LARGE, never);
    await one();
    expect(await read(copy), String(at)).toBeUndefined();
  }
});

it("of a note that was written half when its run was killed nothing counts, and the next one is whole", async () => {
  const killed = new Error("killed");
  for (const [before, after] of [
    [LARGE, SMALL],
    [SMALL, LARGE],
    [LARGE, undefined],
  ] as const) {
    let whole = false;
    for (let steps = 1; !whole; steps++) {
      let left = Number.POSITIVE_INFINITY;
      const step = async (): Promise<void> => {
        if (left-- <= 0) throw killed;
      };
      const copy = await copies.begin("records", undefined, {
        disturb: (store) => ({
          ...store,
          async claim(run, signal) {
            const session = await store.claim(run, signal);
            return {
              ...session,
              write: async (...args) => step().then(() => session.write(...args)),
              remove: async (...args) => step().then(() => session.remove(...args)),
            };
          },
        }),
      });
      await copy.session.leaveUnfinished(before, never);
      left = steps;
      whole = await copy.session.leaveUnfinished(after, never).then(
        () => true,
        () => false,
      );
      const found = await copy.store.unfinished(never);
      if (!whole) expect([undefined, after?.kind], String(steps)).toContain(found?.kind);
      left = Number.POSITIVE_INFINITY;
      await copy.session.leaveUnfinished(SMALL, never);
      expect((await copy.store.unfinished(never))?.settled.size).toBe(7);
      expect(await own(copy).countDocuments()).toBe(2);
    }
  }
});
