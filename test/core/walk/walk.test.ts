import fc from "fast-check";
import { expect, it } from "vitest";
import { compareIds } from "../../../src/bson/compare-ids.ts";
import { merge, type Step } from "../../../src/core/walk/walk.ts";
import { Batch, type Doc, type DocumentId } from "../../../src/model/document.ts";
import { doc, hexOf } from "../../support/data/documents.ts";
import { runs } from "../../support/runs.ts";

/** Sorted documents with distinct ids, cut into batches of random lengths. */
const side = fc.tuple(
  fc.uniqueArray(
    fc.record({
      _id: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.string({ maxLength: 2 })),
      v: fc.integer({ min: 0, max: 2 }),
    }),
    {
      selector: ({ _id }) => `${typeof _id}${_id}`,
      maxLength: 25,
    },
  ),
  fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
);

function sorted(contents: readonly { _id: number | string; v: number }[]): Doc[] {
  return contents.map((content) => doc(content)).sort((a, b) => compareIds(a.id.element, b.id.element));
}

async function* batches(documents: readonly Doc[], lengths: readonly number[]): AsyncGenerator<Batch> {
  for (let from = 0, i = 0; from < documents.length; i++) {
    const length = lengths[i % lengths.length] as number;
    yield Batch.of(documents.slice(from, from + length));
    from += length;
  }
}

it("finds exactly the missing, different and extra documents, wherever the batches end", async () => {
  await fc.assert(
    fc.asyncProperty(side, side, async ([left, leftCuts], [right, rightCuts]) => {
      const [source, target] = [sorted(left), sorted(right)];
      const there = new Map(target.map((document) => [document.id.key, document]));
      const wanted = new Map(source.map((document) => [document.id.key, document]));
      const found = { equal: 0, missing: [] as string[], different: [] as string[], extra: [] as string[] };
      for await (const step of merge(batches(source, leftCuts), batches(target, rightCuts))) {
        found.equal += step.equal.documents;
        found.missing.push(...step.missing.map(({ id }) => id.key));
        found.different.push(...step.different.map(({ expected }) => expected.id.key));
        found.extra.push(...step.extra.map(({ id }) => id.key));
      }
      const same = (document: Doc): boolean =>
        Buffer.compare(there.get(document.id.key)?.bytes ?? Buffer.alloc(0), document.bytes) === 0;
      expect(found).toEqual({
        equal: source.filter(same).length,
        missing: source.filter(({ id }) => !there.has(id.key)).map(({ id }) => id.key),
        different: source
          .filter((document) => there.has(document.id.key) && !same(document))
          .map(({ id }) => id.key),
        extra: target.filter(({ id }) => !wanted.has(id.key)).map(({ id }) => id.key),
      });
    }),
    { numRuns: 300, seed: 20 },
  );
});

/** Documents under few ids, several under one, sorted as a cluster of shards hands them out: by `_id` alone. */
const duplicateIds = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 })), {
  maxLength: 8,
});

it("accounts for every document, and never calls different documents under duplicate ids equal", async () => {
  const cuts = [1, 3, 2];
  await fc.assert(
    fc.asyncProperty(duplicateIds, duplicateIds, async (left, right) => {
      const [source, target] = [left, right].map((side) =>
        [...side].sort(([a], [b]) => a - b).map(([_id, v]) => doc({ _id, v })),
      ) as [Doc[], Doc[]];
      let [seen, held, equal, odd] = [0, 0, 0, 0];
      for await (const step of merge(batches(source, cuts), batches(target, cuts))) {
        const { missing, different, extra, duplicateIds: second, targetDuplicateIds } = step;
        equal += step.equal.documents;
        seen += step.equal.documents + missing.length + different.length + second.length;
        held += step.equal.documents + extra.length + different.length + targetDuplicateIds.length;
        odd += missing.length + extra.length + different.length + second.length + targetDuplicateIds.length;
      }
      expect([seen, held]).toEqual([source.length, target.length]);
      const same = Buffer.compare(Batch.of(source).bytes, Batch.of(target).bytes) === 0;
      expect(odd === 0).toBe(same);
      expect(equal === source.length && equal === target.length).toBe(same);
    }),
    { numRuns: runs(500), seed: 21 },
  );
});

/** Batches whose memory is gone once they are released, as a connector hands them out. */
async function* owned(documents: readonly Doc[], lengths: readonly number[]): AsyncGenerator<Batch> {
  for await (const { bytes, ends } of batches(documents, lengths))
    yield new Batch(Uint8Array.from(bytes), ends, true);
}

const lengths = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

it("reports the same wherever the batches end, and never splits documents of one id between steps", async () => {
  await fc.assert(
    fc.asyncProperty(
      duplicateIds,
      duplicateIds,
      lengths,
      lengths,
      async (left, right, leftCuts, rightCuts) => {
        const [source, target] = [left, right].map((side) =>
          [...side].sort(([a], [b]) => a - b).map(([_id, v]) => doc({ _id, v })),
        ) as [Doc[], Doc[]];
        const walk = async (hand: typeof batches, cuts: readonly number[], others: readonly number[]) => {
          const steps: Step[] = [];
          for await (const step of merge(hand(source, cuts), hand(target, others))) steps.push(step);
          const all = <T>(of: (step: Step) => readonly T[]): readonly T[] => steps.flatMap(of);
          const keys = (of: (step: Step) => readonly DocumentId[]) => all(of).map(({ key }) => key);
          const reported = {
            equal: steps.reduce((sum, { equal }) => sum + equal.documents, 0),
            missing: hexOf(all(({ missing }) => missing)),
            different: hexOf(
              all(({ different }) => different.flatMap(({ expected, found }) => [expected, found])),
            ),
            extra: hexOf(all(({ extra }) => extra)),
            duplicateIds: keys((step) => step.duplicateIds),
            targetDuplicateIds: keys((step) => step.targetDuplicateIds),
          };
          return { steps, reported };
        };
        const { steps, reported } = await walk(owned, leftCuts, rightCuts);
        expect(reported).toEqual((await walk(batches, [99], [99])).reported);
        const first = steps.flatMap(({ missing, different }) => [
          ...missing.map(({ id }) => id.key),
          ...different.map(({ expected }) => expected.id.key),
        ]);
        expect(new Set(first).size).toBe(first.length);
        let [seen, held] = [0, 0];
        for (const { position, equal, missing, different, extra, ...second } of steps) {
          if (position !== undefined)
            for (const [documents, passed] of [
              [source, seen],
              [target, held],
            ] as const)
              expect(documents.findIndex(({ id }) => compareIds(id.element, position.element) >= 0)).toBe(
                passed === documents.length ? -1 : passed,
              );
          seen += equal.documents + missing.length + different.length + second.duplicateIds.length;
          held += equal.documents + extra.length + different.length + second.targetDuplicateIds.length;
        }
      },
    ),
    { numRuns: runs(500), seed: 24 },
  );
});

it("closes both sides when the walk is stopped early", async () => {
  const closed: string[] = [];
  async function* endless(name: string, first: number): AsyncGenerator<Batch> {
    try {
      for (let n = first; ; n += 2) yield Batch.of([doc({ _id: n })]);
    } finally {
      closed.push(name);
    }
  }
  for await (const _ of merge(endless("source", 0), endless("target", 1))) break;
  expect(closed.sort()).toEqual(["source", "target"]);
});

it("returns documents whose memory stays valid after the batches of equal documents are released", async () => {
  const text = "x".repeat(300_000);
  const large = (v: number) =>
    Array.from({ length: 6 }, (_, _id) => doc({ _id, text, v: _id === 0 ? 0 : v }));
  const [source, target] = [large(1), [...large(2), doc({ _id: 6, text })]];
  const found: Doc[] = [];
  for await (const { different, extra } of merge(owned(source, [1, 2]), owned(target, [1, 1, 2])))
    found.push(...different.flatMap((pair) => [pair.expected, pair.found]), ...extra);
  const held = source.slice(1).flatMap((one, i) => [one, target[i + 1] as Doc]);
  expect(found.map(({ bytes }) => bytes.length)).toEqual(
    [...held, target[6] as Doc].map(({ bytes }) => bytes.length),
  );
  expect(hexOf(found)).toEqual(hexOf([...held, target[6] as Doc]));
});
