import { beforeAll, describe, expect, it } from "vitest";
import { compareIds } from "../../../../src/bson/compare-ids.ts";
import type { CollectionInfo, IdRange } from "../../../../src/connectors/collection.ts";
import {
  type MongodbSession,
  type MongodbStore,
  mongodb,
} from "../../../../src/connectors/mongodb/mongodb.ts";
import { Batch, type Doc } from "../../../../src/model/document.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { startScripted } from "../../../services/wire/scripted-server.ts";
import { doc, id } from "../../../support/data/documents.ts";
import { isWithin } from "../../../support/memory/memory-store.ts";
import { never } from "../../../support/signal.ts";
import { sessionOf } from "../../../support/stores/claimed.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

let server: MongodbService;
let store: MongodbStore;
let session: MongodbSession;
beforeAll(async () => {
  server = await sharedMongodb();
  store = await open(server.uri);
  session = await sessionOf(store);
  return async () => {
    await store.close();
    await server.stop();
  };
});

function open(uri: string): Promise<MongodbStore> {
  return mongodb({ uri, database: "ranges", role: "target", label: "test/ranges" }, never);
}

async function stored(name: string, documents: readonly Doc[]): Promise<CollectionInfo> {
  const info = {
    name,
    kind: "collection",
    type: "collection",
    options: new Map(),
    ordered: true,
    documents: 0,
    bytes: 0,
  } as const;
  await session.prepare(info, never);
  await session.write(name, Batch.of(documents), "insert", never);
  return info;
}

/** Each range ends where the next begins, from the beginning of the whole to its end. */
function mustTile(ranges: readonly IdRange[], { from, to }: IdRange): void {
  expect(ranges[0]?.from?.key).toBe(from?.key);
  expect(ranges.at(-1)?.to?.key).toBe(to?.key);
  for (const [i, range] of ranges.entries()) {
    if (i > 0) expect(range.from?.key).toBe(ranges[i - 1]?.to?.key);
    if (range.from !== undefined && range.to !== undefined)
      expect(compareIds(range.from.element, range.to.element)).toBeLessThan(0);
  }
}

const numbers = Array.from({ length: 2_000 }, (_, n) => doc({ _id: n % 2 === 0 ? n : `k${n}` }));

describe("ranges of a collection", () => {
  it.each<[string, IdRange]>([
    ["between two numbers", { from: id(100), to: id(500) }],
    ["up to a number", { to: id(500) }],
    ["from a string on", { from: id("k3") }],
    ["across types", { from: id(1_000), to: id("k3") }],
  ])("cuts a range %s into adjoining pieces of similar size", async (_, within) => {
    const info = await stored("numbers", numbers);
    const documents = numbers.filter((document) => isWithin(document.id, within)).length;
    const ranges = await store.ranges.cut(info, 8, never, within);
    mustTile(ranges, within);
    expect(ranges).toHaveLength(8);
    const counts = await Promise.all(ranges.map((range) => store.count(info.name, { range }, never)));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(documents);
    expect(Math.max(...counts)).toBeLessThan(documents / 3);
  });

  it("leaves a range with one document or none uncut", async () => {
    const info = await stored("numbers", numbers);
    for (const within of [
      { from: id(100), to: id(101) },
      { from: id(4_000), to: id(5_000) },
    ])
      expect(await store.ranges.cut(info, 8, never, within)).toEqual([within]);
  });

  it("does not cut ranges at large ids", async () => {
    const large = Array.from({ length: 300 }, (_, n) => doc({ _id: `${n}${"x".repeat(150_000)}` }));
    const info = await stored("large", large.slice(0, 100));
    for (const from of [100, 200])
      await session.write(info.name, Batch.of(large.slice(from, from + 100)), "insert", never);
    expect(await store.ranges.cut(info, 10, never)).toEqual([{}]);
    await session.write(info.name, Batch.of(numbers.slice(0, 30)), "insert", never);
    const ranges = await store.ranges.cut(info, 10, never);
    mustTile(ranges, {});
    expect(ranges.length).toBeGreaterThan(1);
  });

  it("cuts ranges without $bsonSize where a server does not know it", async () => {
    const info = await stored("numbers", numbers);
    const refusal = { ok: 0, code: 31325, codeName: "Location31325", errmsg: "unknown" };
    const old = await startScripted({
      behind: server.port,
      answer: ({ command }) => (JSON.stringify(command).includes("$bsonSize") ? refusal : undefined),
    });
    const behind = await open(old.uri);
    const ranges = await behind.ranges.cut(info, 8, never);
    mustTile(ranges, {});
    expect(ranges).toHaveLength(8);
    await behind.close();
    await old.stop();
  });
});
