import { readdirSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Spool } from "../../../../src/connectors/archive/blocks/spool.ts";
import { Batch } from "../../../../src/model/document.ts";
import * as bson from "../../../bson/bson-bytes.ts";
import { runs } from "../../../support/runs.ts";
import {
  anyDocuments,
  batchesOf,
  documentOf,
  hexes,
  newFolder,
  read,
  SIGNAL,
  sortedById,
} from "./block-files.ts";

const anyLimits = fc.record({
  sortedBytes: fc.constantFrom(1, 2000, 10_000, 1_000_000),
  partBytes: fc.constantFrom(1, 300, 2000),
  mergedBytes: fc.constantFrom(1, 1000, 100_000),
});

it("documents come out in the order of their ids, those with one id as they came, whatever fits into memory", async () => {
  const folder = newFolder();
  const property = fc.asyncProperty(
    anyDocuments,
    anyLimits,
    fc.boolean(),
    async (documents, limits, again) => {
      const spool = await Spool.create(folder, limits);
      for (const batch of batchesOf(documents, 5)) {
        const own = new Batch(Uint8Array.from(batch.bytes), batch.ends, true);
        await spool.add(own);
        own.bytes.fill(0);
      }
      const wanted = hexes(sortedById(documents));
      if (again) {
        const reader = await spool.end(SIGNAL);
        expect(await read(reader.read({ signal: SIGNAL }))).toEqual(wanted);
        expect(await read(reader.read({ signal: SIGNAL }))).toEqual(wanted);
        expect(reader.documents).toBe(documents.length);
      } else expect(await read(spool.sorted(SIGNAL))).toEqual(wanted);
      await spool.discard();
      await spool.discard();
      expect(readdirSync(folder)).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: runs(300) });
});

it("a spool that is left in the midst of merging is removed whole", async () => {
  const folder = newFolder();
  const spool = await Spool.create(folder, { sortedBytes: 1000, partBytes: 200, mergedBytes: 1 });
  const documents = Array.from({ length: 200 }, (_, index) => documentOf(bson.int32(-index), index));
  for (const batch of batchesOf(documents)) await spool.add(batch);
  const sorted = spool.sorted(SIGNAL);
  expect((await sorted.next()).done).toBe(false);
  await sorted.return(undefined);
  await spool.discard();
  expect(readdirSync(folder)).toEqual([]);
});

it("an abort ends the merge", async () => {
  const spool = await Spool.create(newFolder(), { sortedBytes: 1000, partBytes: 200, mergedBytes: 1 });
  for (const batch of batchesOf(
    Array.from({ length: 50 }, (_, index) => documentOf(bson.int32(-index), index)),
  ))
    await spool.add(batch);
  await expect(spool.end(AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  await spool.discard();
});
