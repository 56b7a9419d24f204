import { describe, expect, it } from "vitest";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import { Comparing } from "../../../src/core/compare/compare.ts";
import type { RawDifference } from "../../../src/core/compare/diff-job.ts";
import { DiffCheckpoint } from "../../../src/core/compare/progress/diff-checkpoint.ts";
import type { ComparedCollection, Difference, Reporter } from "../../../src/model/reporter.ts";
import { doc } from "../../support/data/documents.ts";
import { memoryDiff } from "../../support/memory/memory-diff.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";
import { never } from "../../support/signal.ts";

/** Compares two collections whose reads do not come in the order of ids, as those with a collation. */
async function compareUnordered(
  source: readonly Record<string, unknown>[],
  target: readonly Record<string, unknown>[],
): Promise<{ found: string[]; report: ComparedCollection | undefined }> {
  const found: string[] = [];
  const stores = { source: new MemoryStore(source.map(doc)), target: new MemoryStore(target.map(doc)) };
  const infoOf = (documents: number): CollectionInfo => ({
    ...{
      name: "orders",
      kind: "collection",
      type: "collection",
      uid: "1",
      options: new Map(),
      ordered: false,
    },
    ...{ documents, bytes: 1_000 },
  });
  const stop = (error: unknown): never => {
    throw error;
  };
  const run = {
    ...stores,
    ...{
      now: () => new Date(),
      concurrency: 2,
      delays: [0, 0],
      ignoreFieldOrder: false,
      oneWay: false,
      values: false,
      indexes: true,
    },
    ...{ renames: new Map(), signal: never, stop },
    async report(reported: RawDifference): Promise<Difference> {
      found.push(`${reported.kind} ${reported.id}`);
      return { ...reported, counted: true, firstSeen: new Date(), lastSeen: new Date() };
    },
  };
  const checkpoint = new DiffCheckpoint({ async write() {} }, [], () => undefined, stop);
  const comparing = new Comparing(
    run,
    [{ from: infoOf(source.length), to: infoOf(target.length) }],
    checkpoint,
  );
  const silent = { phase() {}, advance() {}, end() {} };
  await comparing.all({ meter: () => silent } as Partial<Reporter> as Reporter);
  return { found: found.sort(), report: comparing.collections[0] };
}

/** The store in memory cannot be asked for dates. */
const UNASKABLE = new Date(0);
const some = Array.from({ length: 10 }, (_, n) => ({ _id: `c${n}`, n }));

describe("comparison of collections that are not sorted by id", () => {
  it("looks up each document on both sides when the collections are not sorted by id", async () => {
    const { found, report } = await compareUnordered(
      some.slice(1),
      some.map(({ _id, n }) => ({ _id, n: n === 4 ? 5 : n })).filter(({ n }) => n !== 7),
    );
    expect(found).toEqual(["changed c4", "extra c0", "missing c7"]);
    expect(report).toMatchObject({ tier: "lookup", sourceDocuments: 9, targetDocuments: 9, equal: 7 });
  });

  it("calls unsorted collections with the same documents identical", async () => {
    const { found, report } = await compareUnordered(some, [...some].reverse());
    expect([found, report?.verdict]).toEqual([[], "identical"]);
  });

  it.each([
    ["the source", [...some, { _id: UNASKABLE }], some],
    ["the target", some, [...some, { _id: UNASKABLE }]],
    ["both sides", [...some, { _id: UNASKABLE }], [...some, { _id: UNASKABLE }]],
  ])(
    "does not call unsorted collections compared when an id of %s cannot be used in a query",
    async (_who, source, target) => {
      const { found, report } = await compareUnordered(source, target);
      expect(report?.verdict).toBe("not compared");
      expect(new Set(found)).toEqual(new Set([`unreadable {"$date":"1970-01-01T00:00:00Z"}`]));
    },
  );

  it("looks up each document when only one side is not sorted by id", async () => {
    const stores = {
      source: new MemoryStore(some.slice(1).map(doc)),
      target: new MemoryStore(some.map(doc)),
    };
    for (const ordered of [
      { source: true, target: false },
      { source: false, target: true },
    ]) {
      const { report } = await memoryDiff(stores, { ordered });
      expect(report).toMatchObject({ tier: "lookup", equal: 9, extra: 1, verdict: "different" });
    }
  });
});
