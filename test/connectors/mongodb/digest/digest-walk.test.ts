import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { compareIds } from "../../../../src/bson/compare-ids.ts";
import { TYPE } from "../../../../src/bson/elements.ts";
import type { CollectionInfo } from "../../../../src/connectors/collection.ts";
import {
  type MongodbSession,
  type MongodbStore,
  mongodb,
} from "../../../../src/connectors/mongodb/mongodb.ts";
import {
  cutSegments,
  type DigestWalkOptions,
  digestWalk,
} from "../../../../src/core/compare/digests/digest-walk.ts";
import type { DigestSide } from "../../../../src/core/compare/digests/digests.ts";
import type { Step } from "../../../../src/core/walk/walk.ts";
import { Batch, type Doc, type DocumentId } from "../../../../src/model/document.ts";
import {
  type BsonValue,
  decimal,
  documentBytes,
  double,
  int32,
  int64,
  text,
} from "../../../bson/bson-bytes.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { type Answer, startScripted } from "../../../services/wire/scripted-server.ts";
import type { Request } from "../../../services/wire/wire-message.ts";
import { startWireProxy, type WireProxy } from "../../../services/wire-proxy/wire-proxy.ts";
import { rawDoc } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { sessionOf } from "../../../support/stores/claimed.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

const COUNT = 20_000;
const STEP = 10;

interface Place {
  readonly service: MongodbService;
  readonly proxy: WireProxy;
  readonly store: MongodbStore;
  readonly session: MongodbSession;
}

let source: Place;
let target: Place;
beforeAll(async () => {
  [source, target] = await Promise.all([start("source"), start("target")]);
  return async () => {
    for (const { store, proxy, service } of [source, target]) {
      await store.close();
      await proxy.stop();
      await service.stop();
    }
  };
});

afterEach(() => {
  for (const { proxy } of [source, target]) proxy.calm();
});

async function start(role: "source" | "target"): Promise<Place> {
  const service = await sharedMongodb();
  const proxy = await startWireProxy({ target: service.port });
  const options = { uri: proxy.uri, database: "shop", role, label: `test/${role}` };
  const store = await mongodb(options, never);
  return { service, proxy, store, session: await sessionOf(store) };
}

const string = (content: string): BsonValue => text(TYPE.string, content);
const NOTE = "x".repeat(300);
const FIELDS: readonly (readonly [string, BsonValue])[] = [
  ["n", int64(5_000_000_000n)],
  ["zero", double(-0)],
  ["price", decimal(100n, -2)],
  ["s", string("x")],
  ["note", string(NOTE)],
];

/** A document with these fields in place of those of the same names. */
function made(id: BsonValue, fields: Readonly<Record<string, BsonValue>> = {}): Doc {
  return rawDoc(
    documentBytes([["_id", id], ...FIELDS.map(([name, value]) => [name, fields[name] ?? value] as const)]),
  );
}

function numbered(count: number): Doc[] {
  return Array.from({ length: count }, (_, i) => made(int32(i * STEP)));
}

async function fill(
  name: string,
  left: readonly Doc[],
  right: readonly Doc[],
): Promise<[DigestSide, DigestSide]> {
  return await Promise.all([fillOne(source, name, left), fillOne(target, name, right)]);
}

async function fillOne(
  { store, session }: Place,
  name: string,
  documents: readonly Doc[],
): Promise<DigestSide> {
  const info: CollectionInfo = {
    name,
    kind: "collection",
    type: "collection",
    options: new Map(),
    ordered: true,
    documents: 0,
    bytes: 0,
  };
  await session.prepare(info, never);
  for (let from = 0; from < documents.length; from += 5_000) {
    const batch = Batch.of(documents.slice(from, from + 5_000));
    expect((await session.write(name, batch, "insert", never)).written).toBe(batch.length);
  }
  const collection = (await store.list(never)).collections.find((listed) => listed.name === name);
  if (collection === undefined) throw new Error("not listed");
  const digester = await store.digests.digester(collection, never);
  return { store, collection, digester };
}

interface Found {
  equal: number;
  bytes: number;
  readonly missing: string[];
  readonly different: string[];
  readonly extra: string[];
}

/** Makes sure that a step reports nothing that belongs to a former one. */
class Line {
  #position: DocumentId | undefined;

  assertBefore({ position, missing, different, extra }: Step): void {
    this.#position = position ?? this.#position;
    const from = this.#position;
    if (from === undefined) return;
    const ids = [...missing, ...different.map(({ expected }) => expected), ...extra].map(({ id }) => id);
    for (const { element } of ids) expect(compareIds(from.element, element)).toBeLessThanOrEqual(0);
  }
}

/** Everything that a walk finds; checks on the way that it comes in order. */
async function walked(
  left: DigestSide,
  right: DigestSide,
  more: Partial<DigestWalkOptions> = {},
): Promise<Found> {
  const found: Found = { equal: 0, bytes: 0, missing: [], different: [], extra: [] };
  const segments = await cutSegments(left, right.store, never);
  const options = { source: left, target: right, segments, signal: never, ...more };
  const last = new Line();
  for await (const step of digestWalk(options)) {
    last.assertBefore(step);
    found.equal += step.equal.documents;
    found.bytes += step.equal.bytes;
    found.missing.push(...step.missing.map(({ id }) => id.key));
    found.different.push(...step.different.map(({ expected }) => expected.id.key));
    found.extra.push(...step.extra.map(({ id }) => id.key));
    expect(step.duplicateIds).toEqual([]);
  }
  return found;
}

function moved(): number {
  return [source, target].reduce(
    (sum, { proxy }) => sum + proxy.bytes["to client"] + proxy.bytes["to engine"],
    0,
  );
}

const keyOf = (value: number): string => made(int32(value)).id.key;

describe("comparison by digests between MongoDB servers", () => {
  const same = numbered(COUNT);
  const bytes = same.reduce((sum, document) => sum + document.bytes.length, 0);
  const changed = new Map<number, Doc>([
    [10, made(int32(10), { note: string(`${NOTE.slice(1)}y`) })],
    [40_000, made(int32(40_000), { n: double(5e9) })],
    [40_010, made(int32(40_010), { zero: double(0) })],
    [77_770, made(int32(77_770), { price: decimal(10n, -1) })],
    [90_000, made(double(90_000))],
    [100_000, made(int32(100_000), { s: text(TYPE.symbol, "x") })],
    [150_000, rawDoc(documentBytes([["_id", int32(150_000)]]))],
    [199_980, rawDoc(documentBytes([["_id", int32(199_980)], ...FIELDS.toReversed()]))],
  ]);
  const extras = [-5, 55_555, 55_556, COUNT * STEP + 5].map((value) => made(int32(value)));
  const withText = made(string("only on the target"));
  const gone = new Set([0, 60_000, 60_010, (COUNT - 1) * STEP]);
  const other = [
    ...same.map((document, i) => changed.get(i * STEP) ?? document).filter((_, i) => !gone.has(i * STEP)),
    ...extras,
    withText,
  ];
  const expected: Found = {
    equal: COUNT - changed.size - gone.size,
    bytes: expect.any(Number),
    missing: [...gone].map(keyOf),
    different: [...changed.keys()].map(keyOf),
    extra: [...extras, withText].map(({ id }) => id.key),
  };
  let left: DigestSide;
  let right: DigestSide;
  let equal: DigestSide;
  beforeAll(async () => {
    [left, right] = await fill("orders", same, other);
    [, equal] = await fill("equal", [], same);
  });
  const without = (side: DigestSide): DigestSide => ({ ...side, digester: undefined });

  it("finds every difference of eleven kinds and no others", async () => {
    expect(left.digester).toBeDefined();
    expect(right.digester).toBeDefined();
    expect(await walked(left, right)).toEqual(expected);
  });

  it("finds the same differences when only one side hashes", async () => {
    expect(await walked(without(left), right)).toEqual(expected);
    expect(await walked(left, without(right))).toEqual(expected);
  });

  it("finds the same differences when each range is compared separately", async () => {
    const ranges = await source.store.ranges.cut(left.collection, 5, never);
    const parts = [];
    for (const range of ranges) parts.push(await walked(left, right, { segments: [range] }));
    expect(parts.reduce((sum, part) => sum + part.equal, 0)).toBe(expected.equal);
    expect(parts.flatMap(({ missing }) => missing)).toEqual(expected.missing);
    expect(parts.flatMap(({ different }) => different)).toEqual(expected.different);
    expect(parts.flatMap(({ extra }) => extra)).toEqual(expected.extra);
  });

  it("transfers less than 0.2 % of the bytes when everything is equal", async () => {
    const before = moved();
    expect(await walked(left, equal)).toEqual({ equal: COUNT, bytes, missing: [], different: [], extra: [] });
    expect(moved() - before).toBeLessThan(0.002 * 2 * bytes);
  });

  it("transfers data in proportion to the differences, not to the documents", async () => {
    const few = numbered(5_000);
    const [small] = await fill("small", few, []);
    const cost = async (
      side: DigestSide,
      documents: readonly Doc[],
      differences: number,
    ): Promise<number> => {
      const every = Math.floor(documents.length / differences);
      const altered = documents.map((document, i) =>
        i % every === 7 ? made(int32(i * STEP), { s: string("y") }) : document,
      );
      const altering = await fillOne(target, `altered ${documents.length} ${differences}`, altered);
      const before = moved();
      const found = await walked(side, altering);
      expect(found.different).toHaveLength(differences);
      return moved() - before;
    };
    const one = await cost(left, same, 1);
    const four = await cost(left, same, 4);
    const fourOfFew = await cost(small, few, 4);
    // Twenty times the documents, and at most twice the bytes: how a walk cuts depends on the server's pace.
    expect(four).toBeLessThan(8 * one);
    expect(four).toBeLessThan(2 * fourOfFew);
    expect(four).toBeLessThan(4 * 300_000);
  });

  it("reads ranges that a store refuses to hash", async () => {
    let refused = 0;
    let refuses = false;
    const refusal = { ok: 0, code: 10334, codeName: "BSONObjectTooLarge", errmsg: "too large" };
    const answer = ({ command }: Request): Answer =>
      refuses && JSON.stringify(command).includes("sha256") && ++refused > 0 ? refusal : undefined;
    const scripted = await startScripted({ answer, behind: target.service.port });
    const options = { uri: scripted.uri, database: "shop", role: "target", label: "test/refusing" } as const;
    const store = await mongodb(options, never);
    const digester = await store.digests.digester(right.collection, never);
    refuses = true;
    expect(await walked(left, { ...right, store, digester })).toEqual(expected);
    expect(refused).toBeGreaterThan(0);
    await store.close();
    await scripted.stop();
  });

  it("finds the same differences when connections break in between", async () => {
    const fault = source.proxy.fail({ on: ["aggregate", "find"], every: 7, drop: "after", times: 5 });
    expect(await walked(left, right)).toEqual(expected);
    expect(fault.happened).toBe(5);
  });

  it("fails when a store is lost while it hashes", async () => {
    const options = {
      uri: target.proxy.uri,
      database: "shop",
      role: "target",
      label: "test/lost",
      retries: 1,
    } as const;
    const store = await mongodb(options, never);
    const digester = await store.digests.digester(right.collection, never);
    target.proxy.fail({ on: "aggregate", every: 1, drop: "before" });
    const walking = walked(left, { ...right, store, digester });
    await expect(walking).rejects.toMatchObject({ exit: "target", retryable: true });
    await store.close();
  });

  it("ends a comparison by digests when the signal aborts", async () => {
    const ender = new AbortController();
    const reason = new Error("enough");
    const walking = (async () => {
      const options = { source: left, target: right, segments: [{}], signal: ender.signal };
      for await (const _ of digestWalk(options)) ender.abort(reason);
    })();
    await expect(walking).rejects.toBe(reason);
  });

  it("sends no more digests once the comparison was stopped early", async () => {
    const asked = (): number => source.proxy.commands.get("aggregate") ?? 0;
    for await (const _ of digestWalk({ source: left, target: right, segments: [{}], signal: never })) break;
    const before = asked();
    expect(await left.store.count(left.collection.name, {}, never)).toBe(COUNT);
    expect(asked()).toBe(before + 1);
  });
});
