import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type Checksums,
  checksumsFromBytes,
  checksumsToBytes,
  matchesChecksum,
  segmentOf,
} from "../../../src/core/checksums/checksums.ts";
import { areSame, type Segment } from "../../../src/core/checksums/segment.ts";
import { SegmentHash } from "../../../src/core/checksums/segment-hash.ts";
import { detectDrift, layOut, type Mismatch } from "../../../src/core/compare/drift/detect-drift.ts";
import { Batch, type Doc } from "../../../src/model/document.ts";
import { doc, id } from "../../support/data/documents.ts";

function made(key: number, version: number): Doc {
  return doc({ _id: key, text: "x".repeat(key % 40), version });
}

function batches(documents: readonly Doc[], lengths: readonly number[]): Batch[] {
  const cut: Batch[] = [];
  for (let at = 0, turn = 0; at < documents.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    cut.push(Batch.of(documents.slice(at, at + length)));
    at += length;
  }
  return cut;
}

function segments(documents: readonly Doc[], limit: number, lengths: readonly number[] = [7]) {
  const hash = new SegmentHash({ limit, canQuery: () => true });
  for (const batch of batches(documents, lengths)) hash.add(batch);
  return hash.end();
}

function checksumsOf(found: readonly Segment[]): Checksums {
  return { at: new Date(1_000), source: "s", target: "t", segments: found };
}

const keys = fc.uniqueArray(fc.integer({ min: 0, max: 3_000 }), { maxLength: 200 });
const ascending = keys.map((found) => found.sort((a, b) => a - b));
const lengths = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
const limits = fc.integer({ min: 1, max: 3_000 });

it("segments are the same for any batch sizes, and each document is in exactly one segment", () => {
  fc.assert(
    fc.property(ascending, limits, lengths, lengths, (found, limit, left, right) => {
      const documents = found.map((key) => made(key, 0));
      const one = segments(documents, limit, left);
      expect(areSame(one, segments(documents, limit, right))).toBe(true);
      expect(one.reduce((sum, segment) => sum + segment.documents, 0)).toBe(documents.length);
      for (const [i, segment] of one.entries()) {
        const within = documents.filter((document) => segmentOf(checksumsOf(one), document.id) === segment);
        expect(within).toHaveLength(segment.documents);
        if (i < one.length - 1) expect(segment.bytes).toBeGreaterThanOrEqual(limit);
      }
    }),
  );
});

it("changing or removing any document changes the segments", () => {
  fc.assert(
    fc.property(ascending, limits, fc.nat(), fc.boolean(), (found, limit, at, gone) => {
      fc.pre(found.length > 0);
      const documents = found.map((key) => made(key, 0));
      const which = at % documents.length;
      const others = documents.flatMap((one, i) =>
        i !== which ? [one] : gone ? [] : [made(found[i] ?? 0, 1)],
      );
      expect(areSame(segments(documents, limit), segments(others, limit))).toBe(false);
    }),
  );
});

it("checksums are read back as they were written, and not at all with a flipped bit or missing bytes", () => {
  fc.assert(
    fc.property(ascending, limits, fc.nat(), fc.integer({ min: 0, max: 7 }), (found, limit, at, bit) => {
      const all = segments(
        found.map((key) => made(key, 0)),
        limit,
      );
      const bytes = checksumsToBytes(checksumsOf(all.filter((_, i) => i % 3 !== 1)));
      const read = checksumsFromBytes(bytes);
      expect(read?.segments.map(({ from, to }) => [from?.key, to?.key])).toEqual(
        all.filter((_, i) => i % 3 !== 1).map(({ from, to }) => [from?.key, to?.key]),
      );
      expect(read?.segments.every((segment) => all.some(({ hash }) => matchesChecksum(segment, hash)))).toBe(
        true,
      );
      expect(checksumsFromBytes(bytes.subarray(0, at % bytes.length))).toBeUndefined();
      const flipped = Uint8Array.from(bytes);
      flipped[at % bytes.length] = (flipped[at % bytes.length] ?? 0) ^ (1 << bit);
      expect(checksumsFromBytes(flipped)).toBeUndefined();
    }),
  );
});

it("checksums whose segments overlap or run backwards are not read", () => {
  const segment = (from: number | undefined, to: number | undefined): Segment => ({
    ...(from === undefined ? {} : { from: id(from) }),
    ...(to === undefined ? {} : { to: id(to) }),
    ...{ documents: 1, bytes: 10, hash: new Uint8Array(32) },
  });
  const read = (...all: Segment[]) => checksumsFromBytes(checksumsToBytes(checksumsOf(all)))?.segments.length;
  expect(read(segment(undefined, 3), segment(3, 5), segment(7, undefined))).toBe(3);
  expect(read(segment(undefined, 3), segment(2, 5))).toBeUndefined();
  expect(read(segment(5, 3))).toBeUndefined();
  expect(read(segment(3, 3))).toBeUndefined();
  expect(read(segment(3, undefined), segment(5, 7))).toBeUndefined();
  expect(read(segment(3, 5), segment(undefined, 7))).toBeUndefined();
});

it("an id that is in none of the listed segments is found in none", () => {
  const all = segments(
    [1, 2, 3, 4].map((key) => made(key, 0)),
    1,
  );
  const checksums = checksumsOf(all.filter((_, i) => i !== 1));
  expect(segmentOf(checksums, id(2))).toBeUndefined();
  expect(segmentOf(checksums, id(2.5))).toBeUndefined();
  expect(segmentOf(checksums, id(0))).toBe(all[0]);
  expect(segmentOf(checksums, id(3))).toBe(all[2]);
  expect(segmentOf(checksums, id("later"))).toBe(all[3]);
});

/** What became of a document since: version 0 is the one that was verified, undefined is absence. */
interface Fate {
  readonly checksummed: 0 | undefined;
  readonly source: number | undefined;
  readonly target: number | undefined;
}
const version = fc.constantFrom(undefined, 0, 1, 2);
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 24, arbitrary: fc.constant<Fate>({ checksummed: 0, source: 0, target: 0 }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Fate>(
      { checksummed: 0, source: 1, target: 0 },
      { checksummed: 0, source: 0, target: 1 },
      { checksummed: undefined, source: 1, target: undefined },
      { checksummed: undefined, source: undefined, target: 1 },
      { checksummed: 0, source: undefined, target: 0 },
      { checksummed: 0, source: 0, target: undefined },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      checksummed: fc.constantFrom(0 as const, undefined),
      source: version,
      target: version,
    }),
  },
);

function versions(fates: readonly Fate[], side: keyof Fate): Doc[] {
  return fates.flatMap((one, key) => (one[side] === undefined ? [] : [made(key, one[side])]));
}

it("drift is never reported wrongly, and is reported where each document changed on one side only", () => {
  let reported = 0;
  fc.assert(
    fc.property(fc.array(fate, { minLength: 1, maxLength: 60 }), lengths, (fates, cut) => {
      const [checksummed] = segments(versions(fates, "checksummed"), 1e9);
      if (checksummed === undefined) throw new Error("no segment");
      const differences: Mismatch[] = fates.flatMap(({ source, target }, key) =>
        source === target
          ? []
          : [
              {
                id: id(key),
                ...(source === undefined ? {} : { source: made(key, source) }),
                ...(target === undefined ? {} : { target: made(key, target) }),
              },
            ],
      );
      const laidOut = layOut(batches(versions(fates, "target"), cut), differences);
      if (laidOut === undefined) throw new Error("the target holds what it holds");
      const moved = detectDrift(laidOut, {
        matchesChecksum: (hash) => matchesChecksum(checksummed, hash),
        onHashed: () => undefined,
      });
      for (const [at, one] of fates.entries()) {
        const difference = differences.find(({ id: { key } }) => key === id(at).key);
        const drift = difference === undefined ? undefined : moved.get(difference.id);
        if (drift === "behind")
          expect([one.target, one.source === one.checksummed]).toEqual([one.checksummed, false]);
        if (drift === "diverged") expect(one.target).not.toEqual(one.checksummed);
        if (drift !== undefined) reported++;
      }
      const clear = fates.every((one) =>
        one.source !== one.target
          ? [one.source, one.target].includes(one.checksummed)
          : one.target === one.checksummed,
      );
      if (clear && differences.length <= 8) expect(moved.size).toBe(differences.length);
    }),
    { numRuns: 500 },
  );
  expect(reported).toBeGreaterThan(100);
});

it("drift is not determined when the target does not hold what was seen of it", () => {
  const held = [1, 2, 3].map((key) => made(key, 0));
  const ask = (difference: Mismatch) => layOut(batches(held, [2]), [difference]);
  expect(ask({ id: id(2), source: made(2, 1), target: made(2, 0) })).toBeDefined();
  expect(ask({ id: id(2), source: made(2, 0), target: made(2, 1) })).toBeUndefined();
  expect(ask({ id: id(2), source: made(2, 0) })).toBeUndefined();
  expect(ask({ id: id(2.5), target: made(2.5, 0) })).toBeUndefined();
  expect(ask({ id: id(9), target: made(9, 0) })).toBeUndefined();
  expect(ask({ id: id(9), source: made(9, 0) })).toBeDefined();
});

it("a segment never begins at an id that is shared, cannot be used in a query, or is too long", () => {
  const long = "x".repeat(80);
  const documents = [1, 2, 2, 3, 4, 5, "a", long, "y"].map((_id, v) => doc({ _id, v }));
  const bounds = (lengths: readonly number[]): (string | undefined)[] => {
    const cut = new SegmentHash({ limit: 1, canQuery: ({ key }) => key !== id(4).key });
    for (const batch of batches(documents, lengths)) cut.add(batch);
    const found = cut.end(id("z"));
    for (const [i, { from }] of found.entries()) expect(from?.key).toBe(found[i - 1]?.to?.key);
    expect(found.reduce((sum, one) => sum + one.documents, 0)).toBe(documents.length);
    return found.map(({ to }) => to?.key);
  };
  const expected = [2, 3, 5, "a", "y", "z"].map((_id) => id(_id).key);
  for (const lengths of [[1], [2], [3], [1, 2], [9]]) expect(bounds(lengths)).toEqual(expected);
});
