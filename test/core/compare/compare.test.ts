import { Int32, MaxKey, MinKey, serialize } from "bson";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { compareIds } from "../../../src/bson/compare-ids.ts";
import { TYPE } from "../../../src/bson/elements.ts";
import { toOrdered } from "../../../src/bson/ordered.ts";
import { expiredUnder } from "../../../src/connectors/mongodb/schema/expiry.ts";
import type { IsDue } from "../../../src/connectors/powers/expiry.ts";
import { observe } from "../../../src/core/compare/candidate.ts";
import type { Doc } from "../../../src/model/document.ts";
import { doc } from "../../support/data/documents.ts";
import { memoryDiff } from "../../support/memory/memory-diff.ts";
import { isBound, isWithin, MemoryStore } from "../../support/memory/memory-store.ts";

/** Comparisons that break off at any step, and what the next one makes of what the first one wrote down. */

// What is compared is saved by its age: the tests turn the clock themselves.
beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

const ids = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 3, arbitrary: fc.string({ maxLength: 1 }) },
  { weight: 1, arbitrary: fc.constantFrom(new MinKey(), new MaxKey(), new Date(1), new Date(2)) },
);
const contents = fc
  .array(fc.record({ _id: ids, v: fc.constantFrom(0, 0, 0, 1) }), { maxLength: 60, size: "max" })
  .map((all) => [...new Map(all.map((content) => [doc(content).id.key, doc(content)])).values()]);
const lengths = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

const story = fc.record({
  source: contents,
  target: contents,
  lengths: fc.tuple(lengths, lengths),
  cuts: fc.array(fc.nat(100), { maxLength: 3 }),
  /** The clock moves on by so many seconds at each step. */
  seconds: fc.array(fc.constantFrom(0, 2, 6), { minLength: 1, maxLength: 6 }),
  breaksAt: fc.integer({ min: 1, max: 40 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

/** Shrinking ends before the test's own time does, which would hide what failed. */
const BOUNDED = { interruptAfterTimeLimit: 40_000, markInterruptAsFailure: true };

/** Comparisons, each of which breaks off at the story's step, and the state that they leave. */
async function begin(of: Story, times = 1) {
  let step = 0;
  let breaking = true;
  const broken = new Error("broken");
  const onStep = (): void => {
    step++;
    vi.advanceTimersByTime(1e3 * (of.seconds[step % of.seconds.length] ?? 0));
    if (breaking && step >= of.breaksAt) throw broken;
  };
  const bounds = of.source.filter(({ id }) => isBound(id)).map(({ id }) => id);
  const cuts = [...new Set(of.cuts.flatMap((n) => bounds[n % Math.max(1, bounds.length)] ?? []))].sort(
    (a, b) => compareIds(a.element, b.element),
  );
  const source = new MemoryStore(of.source, { onStep, cuts, lengths: of.lengths[0] });
  const target = new MemoryStore(of.target, { onStep, lengths: of.lengths[1] });
  let ended = await memoryDiff({ source, target }, of);
  for (; times > 1 && ended.error !== undefined; times--) {
    expect(ended.error).toBe(broken);
    step = 0;
    ended = await memoryDiff({ source, target }, { ...of, saved: ended.saved });
  }
  breaking = false;
  return { stores: { source, target }, ended };
}

/** What is different, by the keys of the ids, among these documents. */
function expected(source: readonly Doc[], target: readonly Doc[]) {
  const [from, to] = [source, target].map((side) => new Map(side.map((one) => [one.id.key, one])));
  const candidates: string[] = [];
  const reported = { equal: 0, missing: 0, extra: 0, changed: 0, unreadable: 0 };
  for (const key of new Set([...source, ...target].map(({ id }) => id.key))) {
    const [left, right] = [from?.get(key), to?.get(key)];
    const isSame = left && right && Buffer.compare(left.bytes, right.bytes) === 0;
    if (!isSame) candidates.push(key);
    // The store in memory cannot be asked for dates.
    const isDate = (left ?? right)?.id.element[0] === TYPE.date;
    if (isSame) reported.equal++;
    else if (isDate) reported.unreadable++;
    else reported[left === undefined ? "extra" : right === undefined ? "missing" : "changed"]++;
  }
  return { reported, candidates };
}

it("saves exactly what was compared, wherever a comparison breaks off", async () => {
  let written = 0;
  await fc.assert(
    fc.asyncProperty(story, async (of) => {
      const { ended } = await begin(of);
      const [saved] = ended.saved;
      if (saved === undefined) return;
      const isDone = ({ id }: Doc): boolean => !saved.remaining.some((range) => isWithin(id, range));
      const [source, target] = [of.source.filter(isDone), of.target.filter(isDone)];
      const { reported, candidates } = expected(source, target);
      expect(saved.scanned).toMatchObject({
        ...{ source: source.length, target: target.length, equal: reported.equal },
        ...{ sourceHeld: of.source.length, targetHeld: of.target.length },
      });
      expect(saved.candidates.map(({ id }) => id.key).sort()).toEqual(candidates.sort());
      const held = (side: readonly Doc[], key: string) => side.find(({ id }) => id.key === key);
      for (const { id, observation } of saved.candidates)
        expect(observation).toEqual(observe(held(source, id.key), held(target, id.key)));
      if (source.length > 0 && source.length < of.source.length) written++;
    }),
    { numRuns: 300, seed: 31, ...BOUNDED },
  );
  expect(written).toBeGreaterThan(20);
});

it("resumes an interrupted comparison with the same result as an undisturbed one", async () => {
  await fc.assert(
    fc.asyncProperty(story, fc.integer({ min: 1, max: 4 }), async (of, times) => {
      const { stores, ended } = await begin(of, times);
      const again = await memoryDiff(stores, { concurrency: of.concurrency, saved: ended.saved });
      expect(again.error).toBeUndefined();
      const { reported, candidates } = expected(of.source, of.target);
      expect(again.report).toMatchObject({
        ...{ ...reported, sourceDocuments: of.source.length, targetDocuments: of.target.length },
        ...{ moving: 0, settled: 0, expired: 0, accepted: 0 },
        verdict:
          reported.missing + reported.extra + reported.changed > 0
            ? "different"
            : reported.unreadable > 0
              ? "not compared"
              : "identical",
      });
      expect(again.differences.length).toBe(candidates.length);
      expect(new Set(again.differences.map(({ key }) => key)).size).toBe(candidates.length);
    }),
    { numRuns: 300, seed: 32, ...BOUNDED },
  );
});

it("does not resume the progress of another collection with the same name", async () => {
  const source = new MemoryStore([1, 2, 3].map((_id) => doc({ _id })));
  const target = new MemoryStore([]);
  const { saved } = await memoryDiff({ source, target: new MemoryStore(source.documents) });
  expect(saved).toMatchObject([{ remaining: [], scanned: { equal: 3 } }]);
  for (const side of ["source", "target"] as const) {
    const others = saved.map((one) => ({ ...one, uids: { ...one.uids, [side]: "another" } }));
    const { report } = await memoryDiff({ source, target }, { saved: others });
    expect(report).toMatchObject({ missing: 3, equal: 0, verdict: "different" });
  }
});

it("reports duplicate ids on either side, wherever their batches begin, and again in the next run", async () => {
  const one = { _id: 2, v: 1 };
  const rest = [1, 3].map((_id) => doc({ _id }));
  for (const second of [one, { ...one, v: 2 }])
    for (const side of ["source", "target"] as const)
      for (const length of [1, 2, 9]) {
        const held = [...rest, doc(one)];
        const [more, fewer] = [[...held, doc(second)], held].map(
          (documents) => new MemoryStore(documents, { lengths: [length] }),
        ) as [MemoryStore, MemoryStore];
        const stores = side === "source" ? { source: more, target: fewer } : { source: fewer, target: more };
        const { report, differences, saved } = await memoryDiff(stores);
        expect(report).toMatchObject({ unreadable: 1, equal: 3, verdict: "not compared" });
        expect(differences).toMatchObject([{ kind: "unreadable", id: "2" }]);
        const again = await memoryDiff(stores, { saved });
        expect(again.report).toMatchObject({ unreadable: 1, equal: 3, verdict: "not compared" });
      }
});

it("counts a document that expired on one side as expired, and so does the next run", async () => {
  const index = toOrdered(serialize({ v: 2, key: { at: 1 }, name: "ttl", expireAfterSeconds: new Int32(0) }));
  const [due, later] = [new Date(0), new Date(Date.now() + 1e9)].map((at, _id) => doc({ _id, at })) as [
    Doc,
    Doc,
  ];
  for (const [source, target, expired] of [
    [[], [due], 1],
    [[due], [], 1],
    [[], [later], 0],
    [[due], [doc({ _id: 0, at: new Date(1) })], 0],
  ] as const) {
    const isDue: IsDue = ({ bytes }, now) => expiredUnder(bytes, [index], now);
    const stores = { source: new MemoryStore(source, { isDue }), target: new MemoryStore(target, { isDue }) };
    const { report, saved } = await memoryDiff(stores);
    const verdict = expired === 1 ? "identical" : "different";
    expect(report).toMatchObject({ expired, verdict });
    expect((await memoryDiff(stores, { saved })).report).toMatchObject({ expired, verdict });
  }
});

it("saves no progress of collections without a uid", async () => {
  const stores = { source: new MemoryStore([doc({ _id: 1 })]), target: new MemoryStore([]) };
  const { report, saved } = await memoryDiff(stores, { uids: false });
  expect([report?.missing, saved]).toEqual([1, []]);
});

it("keeps the saved progress of other collections", async () => {
  const stores = { source: new MemoryStore([doc({ _id: 1 })]), target: new MemoryStore([]) };
  const { saved } = await memoryDiff(stores);
  const others = saved.map((one) => ({ ...one, name: "others" }));
  const again = await memoryDiff(stores, { saved: others });
  expect(again.saved.map(({ name }) => name)).toEqual(["others", "orders"]);
  expect(again.saved[0]).toEqual(others[0]);
});

it.each([
  ["in order", true],
  ["in no order", false],
])(
  "reports more differences than it can save once each, and saves no progress (documents %s)",
  async (_, ordered) => {
    const COUNT = 51_000;
    const stores = {
      source: new MemoryStore(
        Array.from({ length: COUNT }, (_, _id) => doc({ _id })),
        { lengths: [5_000] },
      ),
      target: new MemoryStore([]),
    };
    const { report, differences, saved } = await memoryDiff(stores, { ordered });
    expect(report).toMatchObject({ missing: COUNT, sourceDocuments: COUNT, verdict: "different" });
    expect(new Set(differences.map(({ key }) => key)).size).toBe(COUNT);
    expect([differences.length, saved]).toEqual([COUNT, []]);
  },
);
