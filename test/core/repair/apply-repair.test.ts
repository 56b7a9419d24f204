import fc from "fast-check";
import { expect, it } from "vitest";
import type { CollectionInfo, Listing } from "../../../src/connectors/collection.ts";
import type { JournalEntry } from "../../../src/core/change/journal.ts";
import { sideOf } from "../../../src/core/compare/candidate.ts";
import { applyRepair } from "../../../src/core/repair/apply-repair.ts";
import type { PlanRow } from "../../../src/core/repair/repair-plan.ts";
import type { Doc } from "../../../src/model/document.ts";
import { doc, hexOf } from "../../support/data/documents.ts";
import { type MemoryOptions, MemoryStore } from "../../support/memory/memory-store.ts";
import { never } from "../../support/signal.ts";

type Contents = ReadonlyMap<number, number>;

class Listed extends MemoryStore {
  override list: () => Promise<Listing>;

  constructor(contents: Contents, uid: string, options: MemoryOptions = {}) {
    super(docsOf(contents), options);
    const info: CollectionInfo = {
      ...{ name: "orders", kind: "collection", type: "collection", ordered: true, options: new Map(), uid },
      ...{ documents: contents.size, bytes: 1_000 },
    };
    this.list = async () => ({ collections: [info], notCopied: [] });
  }
}

function docsOf(contents: Contents): Doc[] {
  return [...contents].map(([_id, v]) => doc({ _id, v }));
}

/** What a comparison of these two writes into its plan. */
function rowsOf(source: Contents, target: Contents): PlanRow[] {
  const [from, to] = [source, target].map((side) => new Map(docsOf(side).map((one) => [one.id.key, one])));
  const ids = new Map([...docsOf(source), ...docsOf(target)].map(({ id }) => [id.key, id]));
  return [...ids].flatMap(([key, id]) => {
    const sides = { source: sideOf(from?.get(key)), target: sideOf(to?.get(key)) };
    if (sides.source?.sha256 === sides.target?.sha256) return [];
    const does = sides.source === undefined ? "remove" : sides.target === undefined ? "insert" : "replace";
    return [{ do: does, collection: "orders", targetCollection: "orders", id, printed: key, ...sides }];
  });
}

const COLLECTIONS = [{ source: "orders", target: "orders", sourceUid: "a", targetUid: "b" }];

function planOf(rows: readonly PlanRow[]) {
  return {
    collections: COLLECTIONS,
    async *rows() {
      yield* rows;
    },
  };
}

class Journal {
  readonly path = "memory";
  readonly saved: JournalEntry[] = [];

  async save(_: unknown, entries: readonly JournalEntry[]): Promise<void> {
    this.saved.push(...entries);
  }
}

const contents = fc
  .uniqueArray(fc.tuple(fc.nat(15), fc.nat(1)), { selector: ([key]) => key, maxLength: 14 })
  .map((pairs) => new Map(pairs));
/** Documents that become another one, or are gone, once the plan is written. */
const changes = fc.array(fc.tuple(fc.nat(15), fc.option(fc.integer({ min: 0, max: 2 }))), { maxLength: 6 });

function changed(before: Contents, by: readonly (readonly [number, number | null])[]): Map<number, number> {
  const after = new Map(before);
  for (const [key, v] of by)
    if (v === null) after.delete(key);
    else after.set(key, v);
  return after;
}

it("repairs what both sides still hold as planned, saves it first, and touches nothing else", async () => {
  const property = fc.asyncProperty(
    ...([contents, contents, changes, changes, fc.boolean(), fc.boolean()] as const),
    async (source, target, sourceSince, targetSince, deletes, dryRun) => {
      const rows = rowsOf(source, target);
      const [from, to] = [changed(source, sourceSince), changed(target, targetSince)];
      const wanted = new Map(to);
      const counts = { changed: 0, unchanged: 0, conflicts: 0, skipped: 0 };
      const touched: number[] = [];
      for (const key of new Set([...source.keys(), ...target.keys()])) {
        if (source.get(key) === target.get(key)) continue;
        if (!source.has(key) && !deletes) counts.skipped++;
        else if (from.get(key) !== source.get(key)) counts.conflicts++;
        else if (to.get(key) === from.get(key)) counts.unchanged++;
        else if (to.get(key) !== target.get(key)) counts.conflicts++;
        else {
          counts.changed++;
          touched.push(key);
          const v = from.get(key);
          if (v === undefined) wanted.delete(key);
          else wanted.set(key, v);
        }
      }
      const journal = new Journal();
      const stores = { source: new Listed(from, "a"), target: new Listed(to, "b") };
      const session = dryRun ? undefined : stores.target.session;
      const work = { ...stores, session, journal, signal: never };
      const result = await applyRepair(work, planOf(rows), { delete: deletes });
      expect(result.collections.get("orders")).toEqual(rows.length === 0 ? undefined : counts);
      expect([result.itemCount, result.items.length]).toEqual([counts.conflicts, counts.conflicts]);
      const sorted = (some: Contents) => hexOf(docsOf(new Map([...some].sort(([a], [b]) => a - b))));
      expect(hexOf(stores.target.documents)).toEqual(sorted(dryRun ? to : wanted));
      expect(hexOf(stores.source.documents)).toEqual(sorted(from));
      const saved = journal.saved.flatMap(({ before }) => before ?? []);
      const there = touched.filter((key) => to.has(key)).map((key) => [key, to.get(key)] as const);
      expect(saved.map((bytes) => Buffer.from(bytes).toString("hex")).sort()).toEqual(
        dryRun ? [] : hexOf(docsOf(new Map(there as [number, number][]))).sort(),
      );
    },
  );
  await fc.assert(property, { numRuns: 300, seed: 41 });
});

it("repairs more documents than fit into one query, each once", async () => {
  const source = new Map(Array.from({ length: 1_201 }, (_, n) => [n, 1]));
  const target = new Map(Array.from({ length: 600 }, (_, n) => [n, 2]));
  const stores = { source: new Listed(source, "a"), target: new Listed(target, "b") };
  const result = await applyRepair(
    { ...stores, session: stores.target.session, signal: never },
    planOf(rowsOf(source, target)),
    {
      delete: false,
    },
  );
  expect(result.collections.get("orders")).toMatchObject({ changed: 1_201, conflicts: 0 });
  expect(hexOf(stores.target.documents)).toEqual(hexOf(stores.source.documents));
});

/** Does not take some documents: one never, another one not before a third is there. */
const refuses: MemoryOptions["refuses"] = ({ id }, _, there) => {
  const isLastThere = there.some((one) => one.id.key === "n1100");
  return id.key === "n5" || (id.key === "n0" && !isLastThere) ? "not now" : undefined;
};

it("retries rejected documents after all others are repaired, and names those that are rejected again", async () => {
  const source = new Map(Array.from({ length: 1_101 }, (_, n) => [n, 1]));
  const stores = { source: new Listed(source, "a"), target: new Listed(new Map(), "b", { refuses }) };
  const plan = planOf(rowsOf(source, new Map()));
  const result = await applyRepair({ ...stores, session: stores.target.session, signal: never }, plan, {
    delete: false,
  });
  expect(result.collections.get("orders")).toMatchObject({ changed: 1_100, conflicts: 1, unchanged: 0 });
  expect(result.items).toEqual([{ key: "document orders/n5", reason: "not now" }]);
  const wanted = new Map(source);
  wanted.delete(5);
  expect(hexOf(stores.target.documents)).toEqual(hexOf(docsOf(wanted)));
});

it("changes nothing when a collection of either side was replaced since the plan was made", async () => {
  const [source, target] = [new Map([[1, 1]]), new Map([[1, 2]])];
  for (const [uids, replaced] of [
    [["other", "b"], []],
    [["a", "other"], []],
    [["a", "b"], ["source"]],
    [["a", "b"], ["target"]],
  ] as const) {
    const is = (side: string) => ({ replaced: (replaced as readonly string[]).includes(side) });
    const stores = {
      source: new Listed(source, uids[0], is("source")),
      target: new Listed(target, uids[1], is("target")),
    };
    const result = await applyRepair(
      { ...stores, session: stores.target.session, signal: never },
      planOf(rowsOf(source, target)),
      {
        delete: true,
      },
    );
    expect(result.collections.get("orders")).toMatchObject({ changed: 0, conflicts: 1 });
    expect(result.items[0]?.reason).toMatch(/was dropped or replaced since/);
    expect(hexOf(stores.target.documents)).toEqual(hexOf(docsOf(target)));
  }
});

it("fails when the target's collection is replaced during the repair", async () => {
  const [source, target] = [new Map([[1, 1]]), new Map([[1, 2]])];
  const stores = { source: new Listed(source, "a"), target: new Listed(target, "b") };
  let asked = 0;
  stores.target.stillExists = async () => asked++ === 0;
  const repairRun = applyRepair(
    { ...stores, session: stores.target.session, signal: never },
    planOf(rowsOf(source, target)),
    {
      delete: true,
    },
  );
  await expect(repairRun).rejects.toMatchObject({ exit: "unverified" });
});
