import fc from "fast-check";
import { expect, it } from "vitest";
import { compareIds } from "../../src/bson/compare-ids.ts";
import { merge } from "../../src/core/walk.ts";
import { Batch, type Doc } from "../../src/document.ts";
import { doc } from "../support/documents.ts";

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

it("finds exactly what is missing, different and extra, however the batches fall", async () => {
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
const twins = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 })), {
  maxLength: 8,
});

it("accounts for every document, and never calls several documents under one id equal that are not", async () => {
  const cuts = [1, 3, 2];
  await fc.assert(
    fc.asyncProperty(twins, twins, async (left, right) => {
      const [source, target] = [left, right].map((side) =>
        [...side].sort(([a], [b]) => a - b).map(([_id, v]) => doc({ _id, v })),
      ) as [Doc[], Doc[]];
      let [seen, held, equal, odd] = [0, 0, 0, 0];
      for await (const step of merge(batches(source, cuts), batches(target, cuts))) {
        const { missing, different, extra, twins: second, targetTwins } = step;
        equal += step.equal.documents;
        seen += step.equal.documents + missing.length + different.length + second.length;
        held += step.equal.documents + extra.length + different.length + targetTwins.length;
        odd += missing.length + extra.length + different.length + second.length + targetTwins.length;
      }
      expect([seen, held]).toEqual([source.length, target.length]);
      const same = Buffer.compare(Batch.of(source).bytes, Batch.of(target).bytes) === 0;
      expect(odd === 0).toBe(same);
      expect(equal === source.length && equal === target.length).toBe(same);
    }),
    { numRuns: 500, seed: 21 },
  );
});

it("closes both sides when the walk is left early", async () => {
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
