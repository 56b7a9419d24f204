import { createHash } from "node:crypto";
import { Binary, serialize } from "bson";
import fc from "fast-check";
import { expect, it } from "vitest";
import { compareIds } from "../../../src/bson/compare-ids.ts";
import type { CollectionInfo, IdRange, Selection } from "../../../src/connectors/collection.ts";
import { digestWalk } from "../../../src/core/compare/digests/digest-walk.ts";
import type { DigestSide } from "../../../src/core/compare/digests/digests.ts";
import { merge, type Step } from "../../../src/core/walk/walk.ts";
import { Batch, type Doc } from "../../../src/model/document.ts";
import { DualsyncError } from "../../../src/model/errors.ts";
import type { RangeDigest } from "../../../src/model/range-digest.ts";
import { digestOf } from "../../../src/model/range-digest.ts";
import { doc, id } from "../../support/data/documents.ts";
import { isWithin, MemoryStore } from "../../support/memory/memory-store.ts";
import { never } from "../../support/signal.ts";

/** Large enough that a few of them are worth cutting. */
const TEXT = "x".repeat(9_000);

const documents = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 7 })), {
    selector: ([n]) => n,
    maxLength: 70,
  })
  .map((pairs) => new Map(pairs));

/** The source's documents, and what is otherwise in the target: nothing, other content, or something new. */
const sides = fc.record({
  source: documents,
  changes: fc.oneof(fc.constant(new Map<number, number>()), documents),
  gone: fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { maxLength: 5 }),
  whole: fc.boolean(),
});

/** Cuts at some of its ids, and refuses digests of more than so many documents. */
class HashingStore extends MemoryStore {
  readonly #most: number;

  constructor(contents: readonly Doc[], most: number) {
    super(contents);
    this.#most = most;
  }

  override async cut(
    _?: CollectionInfo,
    pieces = 1,
    __?: AbortSignal,
    within: IdRange = {},
  ): Promise<IdRange[]> {
    const inside = this.#inside(within).slice(1);
    const wanted = Array.from(
      { length: pieces - 1 },
      (_, i) => inside[Math.floor(((i + 1) * inside.length) / pieces)],
    );
    const cuts = [...new Set(wanted)].flatMap((document) => (document === undefined ? [] : [document.id]));
    const bounds = [within.from, ...cuts, within.to];
    return bounds.slice(0, -1).map((from, i) => {
      const to = bounds[i + 1];
      return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    });
  }

  async digest({ range = {} }: Selection): Promise<RangeDigest> {
    const inside = this.#inside(range);
    if (inside.length > this.#most) throw new DualsyncError("source", "Too many documents.");
    return digestOf([Batch.of(inside)]);
  }

  side(hashes: boolean): DigestSide {
    const collection: CollectionInfo = {
      name: "orders",
      kind: "collection",
      type: "collection",
      options: new Map(),
      ordered: true,
      documents: this.documents.length,
      bytes: this.documents.length * TEXT.length,
    };
    const digest = (selection: Selection) => this.digest(selection);
    return { store: this, collection, digester: hashes ? { digest } : undefined };
  }

  #inside(range: IdRange): readonly Doc[] {
    return this.documents.filter((document) => isWithin(document.id, range));
  }
}

function storeOf(contents: ReadonlyMap<number, number>, most: number): HashingStore {
  return new HashingStore(
    [...contents].map(([_id, v]) => doc({ _id, v, text: TEXT })),
    most,
  );
}

async function reported(steps: AsyncIterable<Step>): Promise<object> {
  const found = {
    documents: 0,
    bytes: 0,
    missing: [] as string[],
    different: [] as string[],
    extra: [] as string[],
  };
  let position: Uint8Array | undefined;
  for await (const step of steps) {
    found.documents += step.equal.documents;
    found.bytes += step.equal.bytes;
    found.missing.push(...step.missing.map(({ id }) => id.key));
    found.different.push(...step.different.map(({ expected }) => expected.id.key));
    found.extra.push(...step.extra.map(({ id }) => id.key));
    const next = step.position?.element;
    if (position !== undefined && next !== undefined)
      expect(compareIds(position, next)).toBeLessThanOrEqual(0);
    position = next ?? position;
  }
  return found;
}

it("finds the same as a merge, whichever side hashes, whatever the ranges, and when digests are refused", async () => {
  const hashing = fc.constantFrom([true, true], [true, false], [false, true]);
  const most = fc.constantFrom(0, 3, 20, Number.POSITIVE_INFINITY);
  await fc.assert(
    fc.asyncProperty(
      sides,
      hashing,
      most,
      fc.integer({ min: 1, max: 9 }),
      async (content, [left, right], limit, first) => {
        const { source, changes, gone, whole } = content;
        const others = new Map([...source, ...changes]);
        for (const n of gone) others.delete(n);
        const [from, to] = [storeOf(source, limit), storeOf(others, limit)];
        const range: IdRange = whole ? {} : { from: id(20), to: id(70) };
        const options = { range, signal: never };
        const [a, b] = [from.side(left === true), to.side(right === true)];
        expect(
          await reported(
            digestWalk({
              source: a,
              target: b,
              segments: await from.cut(a.collection, first, never, range),
              signal: never,
            }),
          ),
        ).toEqual(await reported(merge(from.read(a.collection, options), to.read(b.collection, options))));
      },
    ),
    { numRuns: 150, seed: 11 },
  );
});

it("reads only the few documents around one that differs", async () => {
  const contents = new Map(Array.from({ length: 60 }, (_, n) => [n, n]));
  const changed = new Map([...contents, [33, 0]]);
  const [from, to] = [storeOf(contents, 100), storeOf(changed, 100)];
  let read = 0;
  for (const store of [from, to]) {
    const reads = store.read.bind(store);
    store.read = async function* (collection, options) {
      for await (const batch of reads(collection, options)) {
        read += batch.length;
        yield batch;
      }
    };
  }
  const found = await reported(
    digestWalk({ source: from.side(true), target: to.side(true), segments: [{}], signal: never }),
  );
  expect(found).toMatchObject({ documents: 59, different: [id(33).key] });
  expect(read).toBeLessThanOrEqual(16);
});

it("finds every difference when all documents differ", async () => {
  const contents = Array.from({ length: 60 }, (_, n) => n);
  const from = storeOf(new Map(contents.map((n) => [n, 1])), 100);
  const to = storeOf(new Map([...contents, 61, 62, 63].map((n) => [n, 2])), 100);
  const walking = digestWalk({
    source: from.side(true),
    target: to.side(true),
    segments: [{}],
    signal: never,
  });
  const different = contents.map((n) => id(n).key);
  const extra = [61, 62, 63].map((n) => id(n).key);
  expect(await reported(walking)).toEqual({ documents: 0, bytes: 0, missing: [], different, extra });
});

it("throws an error of a digest instead of taking it for a difference", async () => {
  const contents = new Map(Array.from({ length: 60 }, (_, n) => [n, n]));
  const [from, to] = [storeOf(contents, 100), storeOf(contents, 100)];
  for (const error of [
    new DualsyncError("target", "Gone for now.", { retryable: true }),
    new DualsyncError("bug", "Never."),
    new TypeError("not a function"),
  ]) {
    const lost: DigestSide = { ...to.side(true), digester: { digest: () => Promise.reject(error) } };
    const walking = reported(
      digestWalk({ source: from.side(true), target: lost, segments: [{}], signal: never }),
    );
    await expect(walking).rejects.toBe(error);
  }
});

it("applies the filter to all digests and reads of both sides", async () => {
  const contents = new Map(Array.from({ length: 60 }, (_, n) => [n, n]));
  const [from, to] = [storeOf(contents, 20), storeOf(new Map([...contents, [33, 0]]), 20)];
  const filter = new Map([["open", true]]);
  const asked = { digest: [] as unknown[], read: [] as unknown[] };
  const sides = [from, to].map((store, i) => {
    const reads = store.read.bind(store);
    store.read = (collection, options) => {
      asked.read.push(options.filter);
      return reads(collection, options);
    };
    const side = store.side(i === 0);
    const digest = (selection: Selection) => {
      asked.digest.push(selection.filter);
      return store.digest(selection);
    };
    return { ...side, digester: side.digester && { digest } };
  }) as [DigestSide, DigestSide];
  await reported(digestWalk({ source: sides[0], target: sides[1], segments: [{}], filter, signal: never }));
  for (const filters of [asked.digest, asked.read]) {
    expect(filters.length).toBeGreaterThan(2);
    expect(new Set(filters)).toEqual(new Set([filter]));
  }
});

it("stops running digests when the walk is stopped early", async () => {
  const contents = new Map(Array.from({ length: 60 }, (_, n) => [n, n]));
  const [from, to] = [storeOf(contents, 100), storeOf(contents, 100)];
  let underWay = 0;
  const slow: DigestSide = {
    ...to.side(true),
    digester: {
      async digest(selection, signal) {
        if (selection.range?.from === undefined) return await to.digest(selection);
        underWay++;
        await new Promise((done) => signal.addEventListener("abort", done));
        await new Promise((done) => setImmediate(done));
        underWay--;
        throw signal.reason;
      },
    },
  };
  const segments = [{ to: id(20) }, { from: id(20), to: id(40) }, { from: id(40) }];
  for await (const { equal } of digestWalk({
    ...{ source: from.side(true), target: slow, segments, signal: never },
  })) {
    expect([equal.documents, underWay]).toEqual([20, 1]);
    break;
  }
  expect(underWay).toBe(0);
});

it("digestOf hashes the list of all documents' hashes, for any number of documents and any batches", async () => {
  const documents = Array.from({ length: 300 }, (_, n) => doc({ _id: n }));
  const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
  for (const count of [0, 1, 63, 64, 65, 128, 129, 300])
    for (const length of [1, 7, 64, 300]) {
      const some = documents.slice(0, count);
      const batches = Array.from({ length: Math.ceil(count / length) }, (_, i) =>
        Batch.of(some.slice(i * length, (i + 1) * length)),
      );
      expect(digestOf(batches)).toEqual({
        documents: count,
        bytes: some.reduce((sum, { bytes }) => sum + bytes.length, 0),
        sha256: sha256(serialize({ h: some.map(({ bytes }) => new Binary(sha256(bytes))) })).toString("hex"),
      });
    }
});
