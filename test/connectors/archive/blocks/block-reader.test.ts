import { readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { compareIds } from "../../../../src/bson/compare-ids.ts";
import { BadBlockList, BlockList } from "../../../../src/connectors/archive/blocks/block-list.ts";
import { BlockReader } from "../../../../src/connectors/archive/blocks/block-reader.ts";
import { BlockWriter, OutOfOrder } from "../../../../src/connectors/archive/blocks/block-writer.ts";
import type { IdRange } from "../../../../src/connectors/collection.ts";
import { Batch, type Doc, type DocumentId } from "../../../../src/model/document.ts";
import * as bson from "../../../bson/bson-bytes.ts";
import { runs } from "../../../support/runs.ts";
import {
  anyDocId,
  anyDocuments,
  anyRange,
  batchesOf,
  documentOf,
  hexes,
  isInside,
  newFolder,
  numbered,
  read,
  SIGNAL,
  sortedById,
  writeBlocks,
} from "./block-files.ts";

const anyOptions = fc.record({ gzip: fc.boolean(), blockBytes: fc.constantFrom(1, 100, 400, 5000) });

it("reading gives what the documents in a range, behind an id, are", async () => {
  const folder = newFolder();
  const property = fc.asyncProperty(
    anyDocuments.map(sortedById),
    anyOptions,
    anyRange,
    fc.option(anyDocId, { nil: undefined }),
    fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    async (documents, options, range, after, batchSize) => {
      const { reader } = await writeBlocks(folder, documents, options);
      const wanted = documents.filter(
        (document) =>
          isInside(document, range) &&
          (after === undefined || compareIds(document.id.element, after.element) > 0),
      );
      const sizes: number[] = [];
      const watched = async function* (batches: AsyncIterable<Batch>) {
        for await (const batch of batches) {
          sizes.push(batch.length);
          yield batch;
        }
      };
      const given = await read(watched(reader.read({ range, after, batchSize, signal: SIGNAL })));
      expect(given).toEqual(hexes(wanted));
      if (batchSize !== undefined) expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(batchSize);
      expect(await read(reader.read({ signal: SIGNAL }))).toEqual(hexes(documents));
      await reader.check(SIGNAL);
    },
  );
  await fc.assert(property, { numRuns: runs(300) });
});

it("documents are found by id: those that are there, of several with one id the first", async () => {
  const folder = newFolder();
  const property = fc.asyncProperty(
    anyDocuments.map(sortedById),
    anyOptions,
    fc.array(anyDocId, { maxLength: 8 }),
    fc.boolean(),
    async (documents, options, others, ordered) => {
      const { reader } = await writeBlocks(folder, documents, { ...options, ordered });
      const asked = [...others, ...documents.filter((_, index) => index % 3 === 0).map(({ id }) => id)];
      const wanted = new Map<string, string>();
      for (const id of asked) {
        const first = documents.find((document) => document.id.key === id.key);
        if (first !== undefined) wanted.set(id.key, hexes([first])[0] as string);
      }
      const found = await reader.find(asked, SIGNAL);
      expect(new Map([...found].map(([key, document]) => [key, hexes([document])[0]]))).toEqual(wanted);
      expect([...found].every(([key, { id }]) => key === id.key)).toBe(true);
    },
  );
  await fc.assert(property, { numRuns: runs(300) });
});

it("a cut tiles the range, and its pieces count and give what lies in them", async () => {
  const folder = newFolder();
  const property = fc.asyncProperty(
    anyDocuments.map(sortedById),
    anyOptions,
    fc.integer({ min: 1, max: 9 }),
    fc.option(anyRange, { nil: undefined }),
    async (documents, options, pieces, within) => {
      // Servers refuse a range that holds no id, and nobody asks for one.
      fc.pre(within?.from === undefined || within.to === undefined || order(within.from, within.to) < 0);
      const { reader } = await writeBlocks(folder, documents, options);
      const ranges = reader.cut(pieces, within);
      expectTiles(ranges, within ?? {});
      expect(ranges.length).toBeLessThanOrEqual(pieces);
      for (const range of ranges) {
        const inside = documents.filter((document) => isInside(document, range));
        expect(await reader.count(range, SIGNAL)).toBe(inside.length);
        expect(await read(reader.read({ range, signal: SIGNAL }))).toEqual(hexes(inside));
      }
      expect(await reader.count(undefined, SIGNAL)).toBe(documents.length);
    },
  );
  await fc.assert(property, { numRuns: runs(300) });
});

function order(a: DocumentId, b: DocumentId): number {
  return compareIds(a.element, b.element);
}

function expectTiles(ranges: readonly IdRange[], { from, to }: IdRange): void {
  expect(ranges[0]?.from).toBe(from);
  expect(ranges.at(-1)?.to).toBe(to);
  for (const [index, range] of ranges.entries()) {
    if (index > 0) expect(ranges[index - 1]?.to).toBe(range.from);
    if (range.from !== undefined && range.to !== undefined)
      expect(order(range.from, range.to)).toBeLessThan(0);
  }
}

it("many blocks are cut into pieces of about the same size", async () => {
  const { reader } = await writeBlocks(newFolder(), numbered(1000));
  const counts = await Promise.all(reader.cut(4, undefined).map((range) => reader.count(range, SIGNAL)));
  expect(counts).toHaveLength(4);
  for (const count of counts) expect(Math.abs(count - 250)).toBeLessThan(30);
});

it("only the blocks of a range are read", async () => {
  const { path, reader } = await writeBlocks(newFolder(), numbered(1000));
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0, 0, 2000).fill(0, bytes.length - 2000));
  const [from, to] = [500, 510].map((number) => documentOf(bson.int32(number), number).id);
  expect(await read(reader.read({ range: { from, to }, signal: SIGNAL }))).toHaveLength(10);
  expect((await reader.find([from as DocumentId], SIGNAL)).size).toBe(1);
  await expect(reader.check(SIGNAL)).rejects.toThrow("is damaged in block 1 of");
});

it("a document that is larger than a block is a block of its own", async () => {
  const documents = numbered(30).map((document, index) =>
    index % 7 === 3 ? documentOf(bson.int32(index), index, 900) : document,
  );
  const { reader, list } = await writeBlocks(newFolder(), documents);
  expect(await read(reader.read({ signal: SIGNAL }))).toEqual(hexes(documents));
  const blocks = new BlockList(list);
  const large = Array.from({ length: blocks.length }, (_, index) => blocks.entry(index)).filter(
    ({ bytes }) => bytes > 400,
  );
  expect(large.map((entry) => entry.documents)).toEqual([1, 1, 1, 1]);
});

it("a compressed file is one gzip file of all documents back to back", async () => {
  const documents = numbered(200, 50);
  const { path, list } = await writeBlocks(newFolder(), documents, { gzip: true });
  expect(new BlockList(list).length).toBeGreaterThan(10);
  expect(gunzipSync(readFileSync(path)).equals(Batch.of(documents).bytes)).toBe(true);
});

it("documents that do not come in the order of their ids are refused, and equal ids are noted", async () => {
  const folder = newFolder();
  const [a, b] = numbered(2) as [Doc, Doc];
  const writer = await BlockWriter.create(join(folder, "file"), { gzip: false, ordered: true });
  await expect(writer.add(Batch.of([b, a]))).rejects.toThrow(OutOfOrder);
  await writer.abandon();
  expect((await writeBlocks(folder, [a, b])).idsAreUnique).toBe(true);
  expect((await writeBlocks(folder, [a, documentOf(bson.double(0), 5), b])).idsAreUnique).toBe(false);
});

it("a sequence is given in the order in which it came", async () => {
  const documents = numbered(50).reverse();
  const { reader } = await writeBlocks(newFolder(), documents, { ordered: false });
  expect(await read(reader.read({ signal: SIGNAL }))).toEqual(hexes(documents));
});

it.each([false, true])("every byte of a data file that is flipped is found (gzip: %s)", async (gzip) => {
  const documents = numbered(12, 20);
  const { path, reader } = await writeBlocks(newFolder(), documents, { gzip, blockBytes: 250 });
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
    writeFileSync(path, bytes);
    await expectDamage(read(reader.read({ signal: SIGNAL })));
    await expectDamage(reader.check(SIGNAL));
    bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
  }
  writeFileSync(path, bytes);
  await reader.check(SIGNAL);
});

it("a data file that is cut off anywhere, or longer than it was, is found", async () => {
  const { path, reader } = await writeBlocks(newFolder(), numbered(12, 20), { blockBytes: 250 });
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(1)]));
  await expectDamage(reader.check(SIGNAL));
  for (let length = bytes.length - 1; length >= 0; length--) {
    truncateSync(path, length);
    await expectDamage(read(reader.read({ signal: SIGNAL })));
    await expectDamage(reader.check(SIGNAL));
  }
  rmSync(path);
  await expectDamage(reader.check(SIGNAL));
  symlinkSync("/dev/zero", path);
  await expectDamage(reader.check(SIGNAL));
});

async function expectDamage(reading: Promise<unknown>): Promise<void> {
  const error = await reading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({
    name: "DualsyncError",
    exit: "local",
    hint: expect.stringContaining("--at"),
  });
}

it("a block whose content is not what its list says is refused, whatever its checksum", async () => {
  const folder = newFolder();
  const { path } = await writeBlocks(folder, numbered(3), { blockBytes: 5000 });
  const other = await writeBlocks(folder, numbered(4), { blockBytes: 5000 });
  const reader = new BlockReader({ path, gzip: false, list: new BlockList(other.list) });
  await expectDamage(read(reader.read({ signal: SIGNAL })));
});

it("every byte of a list of blocks that is flipped, and every length of it, is refused", async () => {
  const { list } = await writeBlocks(newFolder(), numbered(12, 20));
  for (let at = 0; at < list.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = Buffer.from(list);
      flipped[at] = (flipped[at] as number) ^ (1 << bit);
      expect(() => new BlockList(flipped)).toThrow(BadBlockList);
    }
    expect(() => new BlockList(list.subarray(0, at))).toThrow(BadBlockList);
  }
  expect(new BlockList(list).documents).toBe(12);
});

it("an abort ends reading, and no file stays open", async () => {
  const { reader } = await writeBlocks(newFolder(), numbered(100));
  const controller = new AbortController();
  const reading = reader.read({ signal: controller.signal });
  await reading.next();
  controller.abort(new Error("enough"));
  await expect(read(reading)).rejects.toThrow("enough");
});

it("a batch may be released as soon as it was taken", async () => {
  const folder = newFolder();
  const documents = numbered(2000, 1000);
  const writer = await BlockWriter.create(join(folder, "file"), { gzip: true, ordered: true });
  for (const batch of batchesOf(documents, 500)) {
    const own = new Batch(Uint8Array.from(batch.bytes), batch.ends, true);
    await writer.add(own);
    own.release();
  }
  const { list } = await writer.end();
  const reader = new BlockReader({ path: join(folder, "file"), gzip: true, list: new BlockList(list) });
  expect(await read(reader.read({ signal: SIGNAL }))).toEqual(hexes(documents));
});
