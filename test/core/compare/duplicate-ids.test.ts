import { expect, it } from "vitest";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import { Comparing } from "../../../src/core/compare/compare.ts";
import { DiffCheckpoint } from "../../../src/core/compare/progress/diff-checkpoint.ts";
import type { SavedDiffProgress } from "../../../src/core/compare/progress/diff-progress.ts";
import type { Reporter } from "../../../src/model/reporter.ts";
import { doc } from "../../support/data/documents.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";
import { never } from "../../support/signal.ts";

/** Compares a source that holds two documents under one `_id` with a target that holds one of them. */
async function compareDuplicateIds(counted: boolean) {
  const rows = [{ _id: 1 }, { _id: 2, n: 1 }, { _id: 3 }];
  const stores = {
    source: new MemoryStore([...rows, { _id: 2, n: 2 }].map(doc)),
    target: new MemoryStore(rows.map(doc)),
  };
  const info: CollectionInfo = {
    ...{
      name: "orders",
      kind: "collection",
      type: "collection",
      uid: "1",
      options: new Map(),
      ordered: true,
    },
    ...{ documents: 3, bytes: 100 },
  };
  let saved: readonly SavedDiffProgress[] = [];
  const stop = (error: unknown): never => {
    throw error;
  };
  const checkpoint = new DiffCheckpoint(
    { async write() {} },
    [],
    (collections) => {
      saved = collections;
      return undefined;
    },
    stop,
  );
  const run = {
    ...stores,
    ...{
      now: () => new Date(),
      concurrency: 1,
      delays: [0, 0],
      ignoreFieldOrder: false,
      oneWay: false,
      values: false,
      indexes: true,
    },
    ...{ renames: new Map(), signal: never, stop },
    report: async <T>(reported: T) => ({ ...reported, counted, firstSeen: new Date(), lastSeen: new Date() }),
  };
  const comparing = new Comparing(run, [{ from: info, to: info }], checkpoint);
  const silent = { phase() {}, advance() {}, end() {} };
  await comparing.all({ meter: () => silent } as Partial<Reporter> as Reporter);
  return { report: comparing.collections[0], saved };
}

it("duplicate ids keep a collection from being called compared", async () => {
  const { report, saved } = await compareDuplicateIds(true);
  expect([report?.verdict, report?.unreadable, saved.length]).toEqual(["not compared", 1, 1]);
});

it("accepted duplicate ids are counted as accepted, and compared again by the next run", async () => {
  const { report, saved } = await compareDuplicateIds(false);
  expect([report?.verdict, report?.accepted, saved.length]).toEqual(["accepted", 1, 0]);
});
