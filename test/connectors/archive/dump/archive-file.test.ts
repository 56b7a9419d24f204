import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Long, serialize } from "bson";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ARCHIVE_MAGIC } from "../../../../src/connectors/archive/dump/archive-format.ts";
import { Crc64 } from "../../../../src/connectors/archive/dump/crc64.ts";
import { openDump } from "../../../../src/connectors/archive/dump/open-dump.ts";
import type { OpenedArchive } from "../../../../src/connectors/archive/stored-collection.ts";

const { signal } = new AbortController();
const END = Buffer.from([0xff, 0xff, 0xff, 0xff]);
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "archives-"));
});
afterAll(() => rm(folder, { recursive: true }));

function block(db: string, collection: string, documents: readonly Uint8Array[], crc?: bigint): Buffer {
  const header = { db, collection, EOF: crc !== undefined, CRC: Long.fromBigInt(crc ?? 0n) };
  return Buffer.concat([serialize(header), ...documents, END]);
}

const ONE = [3, 1, 2].map((_id) => serialize({ _id, of: "one" }));
const TWO = [1, 2].map((_id) => serialize({ _id, of: "two" }));

function crcOf(documents: readonly Uint8Array[]): bigint {
  const crc = new Crc64();
  for (const document of documents) crc.add(document);
  return crc.value;
}

/** Two databases, whose collections take turns. */
function interleaved(): Buffer {
  return Buffer.concat([
    ARCHIVE_MAGIC,
    serialize({
      concurrent_collections: 2,
      version: "0.1",
      server_version: "4.4.0",
      tool_version: "100.9.0",
    }),
    serialize({ db: "shop", collection: "one", metadata: '{"indexes":[]}', size: 0, type: "collection" }),
    serialize({ db: "other", collection: "one", metadata: '{"indexes":[]}', size: 0, type: "collection" }),
    END,
    block("shop", "one", ONE.slice(0, 1)),
    block("other", "one", TWO.slice(0, 1)),
    block("shop", "one", ONE.slice(1)),
    block("other", "one", TWO.slice(1)),
    block("shop", "one", [], crcOf(ONE)),
    block("other", "one", [], crcOf(TWO)),
  ]);
}

async function documentsIn(dump: OpenedArchive): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (const one of dump.collections) {
    for await (const batch of one.read({ signal })) parts.push(Uint8Array.from(batch.bytes));
  }
  return Buffer.concat(parts);
}

it("collections that take turns in an archive file are put together, and databases are told apart", async () => {
  const path = join(folder, "a.archive");
  await writeFile(path, interleaved());
  await expect(openDump(path, undefined, signal)).rejects.toThrow(/several databases: other and shop/);
  await expect(openDump(path, "none", signal)).rejects.toMatchObject({ exit: "usage" });
  const shop = await openDump(path, "shop", signal);
  expect(shop.product).toBe("mongodump 100.9.0");
  expect(shop.collections.map(({ info }) => [info.name, info.documents, info.ordered])).toEqual([
    ["one", 3, false],
  ]);
  expect(await documentsIn(shop)).toEqual(Buffer.concat(ONE));
  const other = await openDump(path, "other", signal);
  expect(other.collections.map(({ info }) => [info.documents, info.ordered])).toEqual([[2, true]]);
  expect(await documentsIn(other)).toEqual(Buffer.concat(TWO));
});

it("an archive file of several databases that is cut off at any byte refuses what is not whole", async () => {
  const whole = interleaved();
  const path = join(folder, "cut.archive");
  const ends = block("other", "one", [], crcOf(TWO)).length;
  for (let length = 0; length < whole.length; length++) {
    await writeFile(path, whole.subarray(0, length));
    const shop = await openDump(path, "shop", signal).catch(() => undefined);
    const check = shop?.collections[0]?.check(signal) ?? Promise.reject(new Error("nothing"));
    const isWhole = await check.then(
      () => true,
      () => false,
    );
    // The terminator of the last header may be missing: the CRC before it proves the documents.
    expect([length, isWhole]).toEqual([length, length >= whole.length - ends - END.length]);
  }
});
