import fc from "fast-check";
import { expect, it } from "vitest";
import type { CollectionInfo, IdRange } from "../../src/connectors/connector.ts";
import { SinceVerified } from "../../src/core/diff/since.ts";
import { isSealed, type Seal, sealFromBytes, sealToBytes } from "../../src/core/seal/seal.ts";
import { Sealing } from "../../src/core/seal/sealing.ts";
import { StretchHash } from "../../src/core/seal/stretch-hash.ts";
import type { VerifyMode } from "../../src/core/verify-mode.ts";
import { Batch, type Doc, type DocumentId } from "../../src/document.ts";
import { doc, hexOf, id } from "../support/documents.ts";
import { memoryRun } from "../support/memory-run.ts";
import { isWithin, MemoryStore } from "../support/memory-store.ts";
import { SealedStore } from "../support/sealed-store.ts";
import { never } from "../support/signal.ts";

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
  let sealed = 0;
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
        const target = new SealedStore(
          right.filter(([key]) => key % 23 !== 22).map(([key, version]) => made(key, version)),
          { foreign },
        );
        const { error } = await memoryRun({ source, target }, { remove });
        expect(target.left === undefined).toBe(error !== undefined || target.stretches.length === 0);
        for (const stretch of target.stretches) {
          const documents = within(target.documents, stretch);
          expect(hexOf(documents)).toEqual(hexOf(within(source.documents, stretch)));
          const hash = new StretchHash({ limit: 1e9, canFind: () => true });
          hash.add(Batch.of(documents));
          expect(hash.end().every((found) => isSealed(stretch, found.hash))).toBe(true);
          sealed++;
        }
      },
    ),
    { numRuns: 150 },
  );
  expect(sealed).toBeGreaterThan(100);
});

it.each<readonly [VerifyMode, CollectionInfo["kind"], boolean]>([
  ["content", "collection", true],
  ["counts", "collection", false],
  ["none", "collection", false],
  // A collection that can only be replaced whole is told by what was written into it.
  ["content", "capped", true],
  ["none", "capped", true],
])("--verify %s leaves checksums with a copy of kind %s: %s", async (verify, kind, leaves) => {
  const source = new MemoryStore([1, 2].map((key) => made(key, 0)));
  const target = new SealedStore([]);
  await memoryRun({ source, target }, { verify, kind });
  expect(target.left !== undefined).toBe(leaves);
});

const INFO: CollectionInfo = {
  ...{ name: "orders", kind: "collection", options: new Map(), ordered: true, documents: 3, bytes: 100 },
};
const FROM: CollectionInfo = { ...INFO, incarnation: "the source's" };
const TO: CollectionInfo = { ...INFO, incarnation: "the target's" };

async function copied(): Promise<SealedStore> {
  const source = new MemoryStore([1, 2, 3].map((key) => made(key, 0)));
  const target = new SealedStore([]);
  expect((await memoryRun({ source, target })).error).toBeUndefined();
  return target;
}

/** What is told of a document that the target holds unchanged and the source otherwise. */
async function ask(target: SealedStore, from = FROM, to = TO): Promise<(string | undefined)[]> {
  const since = new SinceVerified({ target, from, to, signal: never });
  const differences = [{ id: id(2) as DocumentId, source: made(2, 1), target: made(2, 0) }];
  return [...(await since.of(differences)).values()];
}

it("reports no drift when the checksums are removed or replaced while they are used", async () => {
  const target = await copied();
  expect(await ask(target)).toEqual(["behind"]);
  const left = target.left as Uint8Array;
  let reads = 0;
  target.onSeal = () => {
    if (++reads === 2) target.left = undefined;
  };
  expect(await ask(target)).toEqual([]);
  const later = sealToBytes({ ...(sealFromBytes(left) as Seal), at: new Date(0) });
  [reads, target.left] = [0, left];
  target.onSeal = () => {
    if (++reads === 2) target.left = later;
  };
  expect(await ask(target)).toEqual([]);
});

it("reports no drift from checksums of other collections, or for collections without an order", async () => {
  const target = await copied();
  expect(await ask(target, { ...FROM, incarnation: "another" })).toEqual([]);
  expect(await ask(target, FROM, { ...TO, incarnation: "another" })).toEqual([]);
  expect(await ask(target, { ...FROM, ordered: false })).toEqual([]);
  expect(await ask(target, FROM, { ...TO, ordered: false })).toEqual([]);
  const { incarnation: _, ...unknown } = FROM;
  expect(await ask(target, unknown)).toEqual([]);
});

it("reports no drift when the target changed after the difference was seen", async () => {
  const target = await copied();
  target.documents = [1, 2, 3].map((key) => made(key, key === 2 ? 5 : 0));
  expect(await ask(target)).toEqual([]);
});

it("reads no documents when nothing differs or when there are no checksums", async () => {
  let steps = 0;
  const target = new SealedStore([made(1, 0)], { onStep: () => steps++ });
  const since = new SinceVerified({ target, from: FROM, to: TO, signal: never });
  target.onSeal = () => steps++;
  await since.of([]);
  expect(steps).toBe(0);
  await since.of([{ id: id(1), target: made(1, 0) }]);
  expect(steps).toBe(1);
});

it("checksums leave out segments with unverified documents, and are not written when there are too many", () => {
  const target = new SealedStore([]);
  const stretch = (from: number, to: number) => ({
    ...{ from: id(from), to: id(to), documents: 1, bytes: 20, hash: Buffer.alloc(32, from) },
  });
  const begin = (): Sealing => {
    const sealing = Sealing.of({ from: FROM, verify: "content", target }, { source: "a", target: "b" });
    if (sealing === undefined) throw new Error("none");
    sealing.add([stretch(0, 10), stretch(20, 30), stretch(10, 20), stretch(30, 40)]);
    return sealing;
  };
  const sealed = (unsure: readonly number[]): (string | undefined)[] => {
    const sealing = begin();
    sealing.except(unsure.map((key) => id(key)));
    return sealFromBytes(sealing.bytes() ?? Buffer.of())?.stretches.map(({ from }) => from?.key) ?? [];
  };
  const keys = (...from: number[]) => from.map((key) => id(key).key);
  expect(sealed([])).toEqual(keys(0, 10, 20, 30));
  expect(sealed([1, 2, 3])).toEqual(keys(10, 20, 30));
  expect(sealed([25, 10, 26])).toEqual(keys(0, 30));
  expect(sealed([20, 40, 39])).toEqual(keys(0, 10));
  const many = begin();
  const all = Array.from({ length: 100_000 }, () => id(5));
  many.except(all);
  expect(sealFromBytes(many.bytes() ?? Buffer.of())?.stretches).toHaveLength(3);
  many.except([id(6)]);
  expect(many.bytes()).toBeUndefined();
});
