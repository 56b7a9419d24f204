import { hash } from "node:crypto";
import { deserialize } from "bson";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { UniqueRules } from "../../../src/connectors/powers/unique-values.ts";
import type { JournalEntry } from "../../../src/core/change/journal.ts";
import { survey } from "../../../src/core/undo/undo-survey.ts";
import { applied, becomes, goes, MemoryJournal, row, undone } from "../../support/data/changes.ts";
import { doc, hexOf, id } from "../../support/data/documents.ts";
import { type MemoryOptions, MemoryStore } from "../../support/memory/memory-store.ts";

/** What a run, or somebody else, does: a document becomes `n`, or goes. */
const step = fc.record({
  _id: fc.integer({ min: 1, max: 4 }),
  n: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
});

it("undo restores what was there before the run, whatever the run did, and changes nothing when repeated", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 })), fc.array(step), async (ids, steps) => {
      const first = [...new Set(ids)].map((_id) => row(_id, 0));
      const store = new MemoryStore(first);
      const before = hexOf(store.documents);
      const journal = new MemoryJournal();
      for (const { _id, n } of steps) {
        const change = n === undefined ? goes(_id) : becomes(row(_id, n));
        await applied(store, [change], { journal });
      }
      expect(await undone(store, journal)).toBe(0);
      expect(hexOf(store.documents)).toEqual(before);
      expect(await undone(store, journal)).toBe(0);
      expect(hexOf(store.documents)).toEqual(before);
    }),
    { numRuns: 300 },
  );
});

it("undo never overwrites what others have written since", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 8 }),
      fc.array(step, { maxLength: 4 }),
      async (steps, since) => {
        const store = new MemoryStore([row(1, 0), row(2, 0)]);
        const journal = new MemoryJournal();
        for (const { _id, n } of steps) {
          const change = n === undefined ? goes(_id) : becomes(row(_id, n));
          await applied(store, [change], { journal });
        }
        const theirs = since.map(({ _id, n = 1 }) => row(_id, 100 + n));
        await applied(
          store,
          theirs.map((one) => becomes(one)),
        );
        const kept = new Map(theirs.map((one) => [one.id.key, one]));
        await undone(store, journal, true);
        const found = new Map(store.documents.map((one) => [one.id.key, one]));
        for (const [key, { bytes }] of kept)
          expect(Buffer.from(found.get(key)?.bytes ?? []).equals(bytes)).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});

/** No two documents may hold one `n`. */
const unique: MemoryOptions = {
  refuses: (one, _, there) =>
    there.some(({ id, bytes }) => id.key !== one.id.key && nOf(bytes) === nOf(one.bytes))
      ? "taken"
      : undefined,
};

function nOf(bytes: Uint8Array): unknown {
  return deserialize(bytes).n;
}

it("undo restores a rejected document once the value in its way is free, and counts it while the value is taken", async () => {
  for (const stays of [false, true]) {
    const store = new MemoryStore([row(1, 1), row(2, 2)], unique);
    const before = hexOf(store.documents);
    const journal = new MemoryJournal();
    for (const one of [row(2, 3), row(1, 2)]) await applied(store, [becomes(one)], { journal });
    const theirs = row(1, 2);
    const expected = stays ? hexOf([doc({ _id: 1, n: 2, theirs: 1 }), row(2, 3)]) : before;
    if (stays) store.documents = [doc({ _id: 1, n: 2, theirs: 1 }), row(2, 3)];
    else expect(hexOf(store.documents)).toEqual(hexOf([theirs, row(2, 3)]));
    expect(await undone(store, journal)).toBe(stays ? 2 : 0);
    expect(hexOf(store.documents)).toEqual(expected);
  }
});

it("undo fails when the collection was replaced in the meantime", async () => {
  const store = new MemoryStore([row(1, 0)], { replaced: true });
  const journal = new MemoryJournal();
  await applied(store, [becomes(row(1, 5))], { journal });
  await expect(undone(store, journal)).rejects.toMatchObject({ exit: "unverified" });
});

it("a survey of a journal finds the document that a run changed twice among thousands", async () => {
  const journal = new MemoryJournal();
  const after = (n: number) => ({ sha256: hash("sha256", Buffer.of(n), "buffer"), bytes: 1 });
  for (let n = 0; n < 3_000; n++) journal.saved.push({ id: id(n).element, after: after(1) });
  journal.saved.push({ id: id(0).element, before: row(0, 1).bytes, after: after(2) });
  const { collections, repeated } = await survey(journal);
  expect([...repeated.values()].map(({ made }) => made.hashes.size)).toEqual([2]);
  expect(collections).toMatchObject([{ remove: 2_999, replace: 1, insert: 0 }]);
});

it("undo restores a missing document only where a killed run may have removed it", async () => {
  for (const brokenOff of [true, false]) {
    const store = new MemoryStore([row(1, 0)]);
    const journal = new MemoryJournal();
    await applied(store, [becomes(row(1, 5))], { journal });
    store.documents = [];
    expect(await undone(store, journal, brokenOff)).toBe(brokenOff ? 0 : 1);
    expect(hexOf(store.documents)).toEqual(brokenOff ? hexOf([row(1, 0)]) : []);
  }
});

it("undo restores everything after a killed run that saved a document without changing it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1 }), fc.nat(), async (steps, at) => {
      const store = new MemoryStore([row(1, 0), row(2, 0)]);
      const before = hexOf(store.documents);
      const journal = new MemoryJournal();
      for (const [index, { _id, n }] of steps.entries()) {
        const change = n === undefined ? goes(_id) : becomes(row(_id, n));
        const dead = index > at % steps.length;
        const held = store.documents;
        await applied(store, [change], { journal });
        if (dead) {
          store.documents = held;
          break;
        }
      }
      expect(await undone(store, journal, true)).toBe(0);
      expect(hexOf(store.documents)).toEqual(before);
    }),
    { numRuns: 200 },
  );
});

/** Whether `n` is held by others is not known to it. */
const UNIQUE_N: UniqueRules = {
  valuesOf: ({ bytes }) => [{ key: String(nOf(bytes)) }],
  holderOf: async () => undefined,
};

/** Its first two documents exchange a unique value, which somebody else takes while both are out. */
class SwappingStore extends MemoryStore {
  taken = true;

  constructor() {
    super([row(1, 1), row(2, 2)], {
      uniqueRules: UNIQUE_N,
      refuses: (one, mode) =>
        this.taken && (mode === "replace" || one.id.key === id(2).key) ? "its value is taken" : undefined,
    });
  }
}

it("undo restores a document whose unique value was taken during a unique swap", async () => {
  const store = new SwappingStore();
  const before = hexOf(store.documents);
  const journal = new MemoryJournal();
  const changes = [becomes(row(1, 2)), becomes(row(2, 1))];
  const outcomes = await applied(store, changes, { journal });
  expect(outcomes.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/one of which could not be written/),
    expect.stringMatching(/dualsync undo puts it back/),
  ]);
  expect(hexOf(store.documents)).toEqual(hexOf([row(1, 1)]));
  store.taken = false;
  expect(await undone(store, journal)).toBe(0);
  expect(hexOf(store.documents)).toEqual(before);
});

it("documents that swap a unique value are removed only once what others wrote to them meanwhile is saved", async () => {
  const theirs = doc({ _id: 1, n: 1, theirs: true });
  /** An application writes between the refusal and the exchange. */
  class Changed extends SwappingStore {
    override async uniqueRules(): Promise<UniqueRules | undefined> {
      this.documents = [theirs, row(2, 2)];
      return await super.uniqueRules();
    }
  }
  const store = new Changed();
  let saves = 0;
  const journal = new MemoryJournal(() => {
    if (++saves === 2) throw new Error("full");
  });
  const changes = [becomes(row(1, 2)), becomes(row(2, 1))];
  await expect(applied(store, changes, { journal })).rejects.toThrow("full");
  expect(hexOf(store.documents)).toEqual(hexOf([theirs, row(2, 2)]));
});

it("undo leaves alone what the run saved and then did not do, though it is as the run would have made it", async () => {
  const [own, theirs] = [row(1, 2), row(2, 2)];
  const store = new MemoryStore([row(1, 1)]);
  const journal = new MemoryJournal();
  await applied(store, [becomes(own), becomes(theirs)], { journal });
  await journal.save({ name: "orders" }, [{ id: theirs.id.element }]);
  expect(await undone(store, journal)).toBe(0);
  expect(hexOf(store.documents)).toEqual(hexOf([row(1, 1), theirs]));
  await applied(store, [becomes(row(2, 3))], { journal });
  expect(await undone(store, journal)).toBe(0);
  expect(hexOf(store.documents)).toEqual(hexOf([row(1, 1), theirs]));
});

it("a survey rejects a journal whose entries cannot belong to documents", async () => {
  const of = (entry: JournalEntry) => {
    const journal = new MemoryJournal();
    journal.saved.push(entry);
    return survey(journal);
  };
  const after = { sha256: hash("sha256", Buffer.of(1), "buffer"), bytes: 1 };
  for (const entry of [
    { id: Buffer.of(), after },
    { id: Buffer.of(3, 200, 0, 0, 0), after },
    { id: id(1).element, before: Buffer.of(1, 2, 3), after },
    { id: id(1).element, before: row(2, 2).bytes, after },
  ])
    await expect(of(entry)).rejects.toMatchObject({
      exit: "local",
      message: expect.stringMatching(/is damaged/),
    });
  expect((await of({ id: id(1).element, before: row(1, 1).bytes, after })).collections).toMatchObject([
    { replace: 1 },
  ]);
});
