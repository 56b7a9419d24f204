import { describe, expect, it } from "vitest";
import type { Doc } from "../../../src/model/document.ts";
import { applied, becomes, goes, MemoryJournal, row, undone } from "../../support/data/changes.ts";
import { doc, hexOf, id } from "../../support/data/documents.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";

describe("applyChanges", () => {
  it("changes a document only if it is as expected and not yet as wanted", async () => {
    const store = new MemoryStore([row(1, 1), row(2, 2), row(3, 3), row(4, 4)]);
    const expects = (n: number) => (found: Doc | undefined) =>
      found !== undefined && Buffer.compare(found.bytes, row(n, n).bytes) === 0;
    const outcomes = await applied(store, [
      becomes(row(1, 10), expects(1)),
      becomes(row(2, 2), expects(7)),
      becomes(row(3, 30), expects(7)),
      goes(4, expects(4)),
      goes(5, () => false),
      becomes(row(6, 6), (found) => found === undefined),
      becomes(row(7, 7), (found) => found !== undefined),
    ]);
    const results = new Map(outcomes.map(({ change, result }) => [change.id.key, result]));
    expect([1, 2, 3, 4, 5, 6, 7].map((n) => results.get(id(n).key))).toEqual([
      ...["changed", "unchanged", "conflict", "changed"],
      ...["unchanged", "changed", "conflict"],
    ]);
    expect(hexOf(store.documents)).toEqual(hexOf([row(1, 10), row(2, 2), row(3, 3), row(6, 6)]));
  });

  it("saves documents before it changes them, and changes nothing that cannot be saved", async () => {
    const store = new MemoryStore([row(1, 1), row(2, 2)]);
    const before = hexOf(store.documents);
    const journal = new MemoryJournal((entries) => {
      expect(hexOf(store.documents)).toEqual(before);
      expect(entries.map(({ before }) => before?.length)).toEqual([
        row(2, 2).bytes.length,
        row(1, 1).bytes.length,
        undefined,
      ]);
    });
    const changes = [becomes(row(1, 5)), becomes(row(3, 3)), goes(2)];
    const full = new MemoryJournal(() => {
      throw new Error("full");
    });
    await expect(applied(store, changes, { journal: full })).rejects.toThrow("full");
    expect(hexOf(store.documents)).toEqual(before);
    const sorted = [goes(2), becomes(row(1, 5)), becomes(row(3, 3))];
    await applied(store, sorted, { journal });
    expect(journal.saved).toHaveLength(3);
    expect(hexOf(store.documents)).toEqual(hexOf([row(1, 5), row(3, 3)]));
  });

  it("reports the outcomes in a dry run, but saves and writes nothing", async () => {
    const store = new MemoryStore([row(1, 1)]);
    const journal = new MemoryJournal();
    const outcomes = await applied(store, [becomes(row(1, 5)), goes(9)], {
      journal,
      dryRun: true,
    });
    expect(outcomes.map(({ result }) => result).sort()).toEqual(["changed", "unchanged"]);
    expect([journal.saved.length, hexOf(store.documents)]).toEqual([0, hexOf([row(1, 1)])]);
  });

  it("saves a document that appears between reading and writing before it replaces it", async () => {
    const store = new MemoryStore([]);
    const theirs = row(1, 77);
    let came = false;
    const journal = new MemoryJournal(() => {
      if (!came) store.documents = [theirs];
      came = true;
    });
    const outcomes = await applied(store, [becomes(row(1, 1))], { journal });
    expect(outcomes).toMatchObject([{ result: "changed" }]);
    expect(journal.saved.map(({ before }) => before && Buffer.from(before).toString("hex"))).toEqual([
      undefined,
      ...hexOf([theirs]),
    ]);
    // Undone, it is theirs again, not absent.
    await undone(store, journal);
    expect(hexOf(store.documents)).toEqual(hexOf([theirs]));
  });

  it("reports a document that is gone again right after it was written", async () => {
    const store = new MemoryStore([row(1, 1), row(2, 2)]);
    store.forgets.add(id(1).key);
    const outcomes = await applied(store, [becomes(row(1, 5)), becomes(row(2, 5))]);
    expect(outcomes).toMatchObject([
      { result: "refused", reason: expect.stringMatching(/is missing again/) },
      { result: "changed" },
    ]);
  });

  it("returns an outcome for each change, however many or large the documents are", async () => {
    const many = Array.from({ length: 1_101 }, (_, n) => row(n, 1));
    const large = [1, 2, 3, 4, 5].map((_id) => doc({ _id, text: "x".repeat(3_000_000) }));
    for (const documents of [many, large]) {
      const store = new MemoryStore([]);
      const changes = documents.map((one) => becomes(one));
      const outcomes = await applied(store, changes);
      expect(new Set(outcomes.map(({ change }) => change)).size).toBe(documents.length);
      expect(outcomes.every(({ result }) => result === "changed")).toBe(true);
      expect(store.documents.length).toBe(documents.length);
    }
  });

  it("does not change a document whose _id cannot be used in a query", async () => {
    const store = new MemoryStore([]);
    const odd = doc({ _id: new Date(0) });
    expect(await applied(store, [becomes(odd)])).toMatchObject([
      { result: "conflict", reason: "its _id cannot be used in a query" },
    ]);
  });
});
