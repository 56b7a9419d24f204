import fc from "fast-check";
import { expect, it } from "vitest";
import type { CollectionInfo, IdRange } from "../../../src/connectors/collection.ts";
import { ChecksumBuilder } from "../../../src/core/checksums/checksum-builder.ts";
import {
  type Checksums,
  checksumsFromBytes,
  checksumsToBytes,
  matchesChecksum,
} from "../../../src/core/checksums/checksums.ts";
import { LastVerified } from "../../../src/core/checksums/last-verified.ts";
import { SegmentHash } from "../../../src/core/checksums/segment-hash.ts";
import { DriftDetector } from "../../../src/core/compare/drift/drift.ts";
import type { VerifyMode } from "../../../src/core/plan/verify-mode.ts";
import { Batch, type Doc, type DocumentId } from "../../../src/model/document.ts";
import { doc, hexOf, id } from "../../support/data/documents.ts";
import { ChecksumMemoryStore } from "../../support/memory/checksum-store.ts";
import { memoryRun } from "../../support/memory/memory-run.ts";
import { isWithin, MemoryStore } from "../../support/memory/memory-store.ts";
import { never } from "../../support/signal.ts";

/** A date as id stands for a document that the target cannot take. */
const made = (key: number, version: number): Doc =>
  doc({ _id: key % 23 === 22 ? new Date(key) : key, version, text: "x".repeat(key % 9) });

const held = fc.uniqueArray(fc.tuple(fc.nat(99), fc.constantFrom(0, 0, 0, 0, 1)), {
  maxLength: 60,
  selector: ([key]) => key,
});
const cuts = fc
  .uniqueArray(fc.nat(99), { maxLength: 12 })
  .map((found) => found.filter((key) => key % 23 !== 22).sort((a, b) => a - b));

function within(documents: readonly Doc[], { from, to }: IdRange): Doc[] {
  const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  return documents.filter((one) => isWithin(one.id, range));
}

it("checksums cover only segments in which both sides hold the same documents", async () => {
  let checksummed = 0;
  await fc.assert(
    fc.asyncProperty(
      held,
      held,
      cuts,
      fc.boolean(),
      fc.boolean(),
      async (left, right, bounds, remove, foreign) => {
        const options = { cuts: bounds.map((key) => id(key)), lengths: [3, 1, 5] };
        const source = new MemoryStore(
          left.map(([key, version]) => made(key, version)),
          options,
        );
        const target = new ChecksumMemoryStore(
          right.filter(([key]) => key % 23 !== 22).map(([key, version]) => made(key, version)),
          { foreign },
        );
        const { error } = await memoryRun({ source, target }, { remove });
        expect(target.left === undefined).toBe(error !== undefined || target.segments.length === 0);
        for (const segment of target.segments) {
          const documents = within(target.documents, segment);
          expect(hexOf(documents)).toEqual(hexOf(within(source.documents, segment)));
          const hash = new SegmentHash({ limit: 1e9, canQuery: () => true });
          hash.add(Batch.of(documents));
          expect(hash.end().every((found) => matchesChecksum(segment, found.hash))).toBe(true);
          checksummed++;
        }
      },
    ),
    { numRuns: 150 },
  );
  expect(checksummed).toBeGreaterThan(100);
});

it.each<readonly [VerifyMode, CollectionInfo["kind"], boolean]>([
  ["content", "collection", true],
  ["counts", "collection", false],
  ["none", "collection", false],
  // A collection that can only be replaced as a whole is recognized by what was written into it.
  ["content", "sequence", true],
  ["none", "sequence", true],
])("--verify %s leaves checksums with a copy of kind %s: %s", async (verify, kind, leaves) => {
  const source = new MemoryStore([1, 2].map((key) => made(key, 0)));
  const target = new ChecksumMemoryStore([]);
  await memoryRun({ source, target }, { verify, kind });
  expect(target.left !== undefined).toBe(leaves);
});

it("leaves no checksums with a collection that was replaced by another while it was filled", async () => {
  const source = new MemoryStore([1, 2].map((key) => made(key, 0)));
  const target = new ChecksumMemoryStore([], { replaced: true });
  expect((await memoryRun({ source, target })).error).toMatchObject({ exit: "unverified" });
  expect(target.left).toBeUndefined();
});

it("leaves checksums with a sequence that equals its source, so that it can be replaced later", async () => {
  const documents = [1, 2, 3].map((key) => made(key, 0));
  const target = new ChecksumMemoryStore(documents);
  const rolled = new MemoryStore([...documents.slice(1), made(4, 0), made(5, 0)]);
  await memoryRun({ source: new MemoryStore(documents), target }, { kind: "sequence" });
  const { report } = await memoryRun({ source: rolled, target }, { kind: "sequence" });
  expect(report).toMatchObject({ written: 4, verdict: "verified" });
  expect(hexOf(target.documents)).toEqual(hexOf(rolled.documents));
});

it("checksums leave out a segment with a document whose copy is newer", async () => {
  const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 3, minute));
  const theirs = doc({ _id: 2, updated_at: at(9) });
  const source = new MemoryStore([made(1, 0), doc({ _id: 2, updated_at: at(4) })]);
  const target = new ChecksumMemoryStore([made(1, 0), theirs]);
  const { report } = await memoryRun({ source, target });
  expect(report).toMatchObject({ rejected: 1, unchanged: 1 });
  expect(target.segments).toEqual([]);
});

const INFO: CollectionInfo = {
  ...{
    name: "orders",
    kind: "collection",
    type: "collection",
    options: new Map(),
    ordered: true,
    documents: 3,
    bytes: 100,
  },
};
const FROM: CollectionInfo = { ...INFO, uid: "the source's" };
const TO: CollectionInfo = { ...INFO, uid: "the target's" };

async function copied(): Promise<ChecksumMemoryStore> {
  const source = new MemoryStore([1, 2, 3].map((key) => made(key, 0)));
  const target = new ChecksumMemoryStore([]);
  expect((await memoryRun({ source, target })).error).toBeUndefined();
  return target;
}

/** The drift of a document that the target holds unchanged and the source does not. */
async function ask(target: ChecksumMemoryStore, from = FROM, to = TO): Promise<(string | undefined)[]> {
  const drift = new DriftDetector({ target, from, to, signal: never });
  const differences = [{ id: id(2) as DocumentId, source: made(2, 1), target: made(2, 0) }];
  return [...(await drift.of(differences)).values()];
}

it("reports no drift when the checksums are removed or replaced while they are used", async () => {
  const target = await copied();
  expect(await ask(target)).toEqual(["behind"]);
  const left = target.left as Uint8Array;
  let reads = 0;
  target.onRead = () => {
    if (++reads === 2) target.left = undefined;
  };
  expect(await ask(target)).toEqual([]);
  const later = checksumsToBytes({ ...(checksumsFromBytes(left) as Checksums), at: new Date(0) });
  [reads, target.left] = [0, left];
  target.onRead = () => {
    if (++reads === 2) target.left = later;
  };
  expect(await ask(target)).toEqual([]);
});

it("reports no drift from checksums of other collections, or for collections without an order", async () => {
  const target = await copied();
  expect(await ask(target, { ...FROM, uid: "another" })).toEqual([]);
  expect(await ask(target, FROM, { ...TO, uid: "another" })).toEqual([]);
  expect(await ask(target, { ...FROM, ordered: false })).toEqual([]);
  expect(await ask(target, FROM, { ...TO, ordered: false })).toEqual([]);
  const { uid: _, ...unknown } = FROM;
  expect(await ask(target, unknown)).toEqual([]);
});

it("the last verified state is known only for the same two collections, read in order and whole", async () => {
  const target = await copied();
  const known = async (
    of: { readonly from?: object; readonly to?: object; readonly filter?: unknown; readonly since?: unknown },
    uids: { readonly source?: string; readonly target?: string } = {},
  ): Promise<boolean> => {
    const { from, to, ...rest } = of;
    const job = { target, from: { ...FROM, ...from }, to: { ...TO, ...to }, ...rest, signal: never };
    const both = { source: "the source's", target: "the target's", ...uids };
    return (await LastVerified.of(job, both)) !== undefined;
  };
  expect(await known({})).toBe(true);
  expect(await known({}, { source: "another" })).toBe(false);
  expect(await known({}, { target: "another" })).toBe(false);
  expect(await known({ from: { ordered: false } })).toBe(false);
  expect(await known({ to: { ordered: false } })).toBe(false);
  expect(await known({ filter: new Map() })).toBe(false);
  expect(await known({ since: new Date(0) })).toBe(false);
});

it("reports no drift when the target changed after the difference was seen", async () => {
  const target = await copied();
  target.documents = [1, 2, 3].map((key) => made(key, key === 2 ? 5 : 0));
  expect(await ask(target)).toEqual([]);
});

it("reads no documents when nothing differs or when there are no checksums", async () => {
  let steps = 0;
  const target = new ChecksumMemoryStore([made(1, 0)], { onStep: () => steps++ });
  const drift = new DriftDetector({ target, from: FROM, to: TO, signal: never });
  target.onRead = () => steps++;
  await drift.of([]);
  expect(steps).toBe(0);
  await drift.of([{ id: id(1), target: made(1, 0) }]);
  expect(steps).toBe(1);
});

it("checksums leave out segments with unverified documents, and are not written when there are too many", () => {
  const target = new ChecksumMemoryStore([]);
  const segment = (from: number, to: number) => ({
    ...{ from: id(from), to: id(to), documents: 1, bytes: 20, hash: Buffer.alloc(32, from) },
  });
  const begin = (): ChecksumBuilder => {
    const checksumBuilder = ChecksumBuilder.of(
      { from: FROM, verify: "content", session: target.session },
      { source: "a", target: "b" },
    );
    if (checksumBuilder === undefined) throw new Error("none");
    checksumBuilder.add([segment(0, 10), segment(20, 30), segment(10, 20), segment(30, 40)]);
    return checksumBuilder;
  };
  const checksummed = (unsure: readonly number[]): (string | undefined)[] => {
    const checksumBuilder = begin();
    checksumBuilder.except(unsure.map((key) => id(key)));
    return checksumBuilder.checksums()?.segments.map(({ from }) => from?.key) ?? [];
  };
  const keys = (...from: number[]) => from.map((key) => id(key).key);
  expect(checksummed([])).toEqual(keys(0, 10, 20, 30));
  expect(checksummed([1, 2, 3])).toEqual(keys(10, 20, 30));
  expect(checksummed([25, 10, 26])).toEqual(keys(0, 30));
  expect(checksummed([20, 40, 39])).toEqual(keys(0, 10));
  const many = begin();
  const all = Array.from({ length: 100_000 }, () => id(5));
  many.except(all);
  expect(many.checksums()?.segments).toHaveLength(3);
  many.except([id(6)]);
  expect(many.checksums()).toBeUndefined();
});
