import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach } from "vitest";
import { compareIds } from "../../../../src/bson/compare-ids.ts";
import { BlockList } from "../../../../src/connectors/archive/blocks/block-list.ts";
import { BlockReader } from "../../../../src/connectors/archive/blocks/block-reader.ts";
import { type BlockOptions, BlockWriter } from "../../../../src/connectors/archive/blocks/block-writer.ts";
import type { IdRange } from "../../../../src/connectors/collection.ts";
import { Batch, type Doc, DocumentId, idElement } from "../../../../src/model/document.ts";
import type { BsonValue } from "../../../bson/bson-bytes.ts";
import * as bson from "../../../bson/bson-bytes.ts";
import { anyId } from "../../../bson/id-arbitraries.ts";

export const SIGNAL = new AbortController().signal;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Removed after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dualsync-archive-"));
  folders.push(folder);
  return folder;
}

export function documentOf(id: BsonValue, number: number, length = 0): Doc {
  const bytes = bson.documentBytes([
    ["_id", id],
    ["n", bson.int32(number)],
    ["text", bson.text(2, "x".repeat(length))],
  ]);
  return { id: new DocumentId(idElement(bytes)), bytes };
}

/** Documents with the ids 0, 1, 2… */
export function numbered(count: number, length = 0): Doc[] {
  return Array.from({ length: count }, (_, index) => documentOf(bson.int32(index), index, length));
}

/** Ids of all kinds, and often the same ones. */
const anyDocumentId = fc.oneof(fc.integer({ min: -5, max: 40 }).map(bson.int32), anyId);

/** Documents in any order, each other than all others; ids may be the same. */
export const anyDocuments = fc
  .array(fc.tuple(anyDocumentId, fc.nat({ max: 300 })), { maxLength: 60, size: "max" })
  .map((parts) => parts.map(([id, length], index) => documentOf(id, index, length)));

export const anyDocId = anyDocumentId.map((value) => new DocumentId(bson.element(value)));

export const anyRange: fc.Arbitrary<IdRange> = fc
  .tuple(fc.option(anyDocId, { nil: undefined }), fc.option(anyDocId, { nil: undefined }))
  .map(([from, to]) =>
    from !== undefined && to !== undefined && compareIds(from.element, to.element) > 0
      ? { from: to, to: from }
      : { from, to },
  );

/** Stable: those with one id stay in their order. */
export function sortedById(documents: readonly Doc[]): Doc[] {
  return [...documents].sort((a, b) => compareIds(a.id.element, b.id.element));
}

export function isInside({ id }: Doc, { from, to }: IdRange): boolean {
  if (from !== undefined && compareIds(id.element, from.element) < 0) return false;
  return to === undefined || compareIds(id.element, to.element) < 0;
}

/** Some documents to a batch. */
export function batchesOf(documents: readonly Doc[], size = 7): Batch[] {
  const batches: Batch[] = [];
  for (let at = 0; at < documents.length; at += size) batches.push(Batch.of(documents.slice(at, at + size)));
  return batches;
}

export interface WrittenFile {
  readonly path: string;
  readonly list: Buffer;
  readonly reader: BlockReader;
  readonly idsAreUnique: boolean;
}

let named = 0;

export async function writeBlocks(
  folder: string,
  documents: readonly Doc[],
  options: Partial<BlockOptions> = {},
): Promise<WrittenFile> {
  const path = join(folder, `file-${named++}`);
  const whole = { gzip: false, ordered: true, blockBytes: 400, ...options };
  const writer = await BlockWriter.create(path, whole);
  for (const batch of batchesOf(documents)) await writer.add(batch);
  const { list, idsAreUnique } = await writer.end();
  const reader = new BlockReader({ path, gzip: whole.gzip, list: new BlockList(list) });
  return { path, list, reader, idsAreUnique };
}

/** The documents' bytes in hexadecimal digits; no batch may be empty. */
export async function read(batches: AsyncIterable<Batch>): Promise<string[]> {
  const all: string[] = [];
  for await (const batch of batches) {
    if (batch.length === 0) throw new Error("An empty batch was given.");
    all.push(...hexes(batch.docs()));
    batch.release();
  }
  return all;
}

export function hexes(documents: readonly Doc[]): string[] {
  return documents.map(({ bytes }) => Buffer.from(bytes).toString("hex"));
}
