import { MaxKey, MinKey } from "bson";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { compareIds } from "../../../src/bson/compare-ids.ts";
import { TYPE } from "../../../src/bson/elements.ts";
import type { Doc } from "../../../src/model/document.ts";
import { doc } from "../../support/data/documents.ts";
import { memoryRun } from "../../support/memory/memory-run.ts";
import { isBound, isWithin, MemoryStore } from "../../support/memory/memory-store.ts";
import { runs } from "../../support/runs.ts";

/** Runs that break off at any step, and what the next run makes of what the first one wrote down. */

// Parts are closed by their age: the tests turn the clock themselves.
beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

const ids = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 4, arbitrary: fc.string({ maxLength: 1 }) },
  { weight: 1, arbitrary: fc.constantFrom(new MinKey(), new MaxKey()) },
  { weight: 1, arbitrary: fc.constantFrom(new Date(1), new Date(2)) },
);
const contents = fc.record({ _id: ids, v: fc.integer({ min: 0, max: 2 }) });
const lengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });

const anyStory = fc.record({
  /** Several under one id are duplicate ids. */
  source: fc.array(contents, { minLength: 1, maxLength: 40 }).map((all) => all.map(doc)),
  target: fc.oneof(
    fc.constant([]),
    fc.array(contents, { maxLength: 30 }).map((all) => distinct(all.filter(isFindable).map(doc))),
  ),
  lengths: fc.tuple(lengths, lengths),
  cuts: fc.array(fc.nat(100), { maxLength: 3 }),
  /** The clock moves on by so many seconds at each step. */
  seconds: fc.array(fc.constantFrom(0, 0, 4, 11), { minLength: 1, maxLength: 6 }),
  breaksAt: fc.integer({ min: 1, max: 60 }),
  forgets: fc.option(fc.nat(100)),
  concurrency: fc.integer({ min: 1, max: 3 }),
  verify: fc.constantFrom("content", "content", "none"),
});
/** Without reading back, neither a duplicate id nor a lost document is noticed. */
const story = anyStory.map((of) =>
  of.verify === "content" ? of : { ...of, source: distinct(of.source), forgets: null },
);
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

function isFindable({ _id }: { _id: unknown }): boolean {
  return !(_id instanceof Date);
}

function distinct(documents: readonly Doc[]): Doc[] {
  return [...new Map(documents.map((one) => [one.id.key, one])).values()];
}

/** A copy that breaks off at the story's step, and the state that it leaves. */
async function begin(of: Story) {
  let step = 0;
  const broken = new Error("broken");
  let breaking = true;
  const onStep = (): void => {
    step++;
    vi.advanceTimersByTime(1e3 * (of.seconds[step % of.seconds.length] ?? 0));
    if (breaking && step >= of.breaksAt) throw broken;
  };
  const bounds = distinct(of.source).filter(({ id }) => isBound(id));
  const cuts = [...new Set(of.cuts.map((n) => bounds[n % Math.max(1, bounds.length)]))]
    .filter((one) => one !== undefined)
    .map(({ id }) => id)
    .sort((a, b) => compareIds(a.element, b.element));
  const source = new MemoryStore(of.source, { onStep, cuts, lengths: of.lengths[0] });
  const target = new MemoryStore(of.target, { onStep, lengths: of.lengths[1] });
  if (of.forgets !== null) target.forgets.add((of.source[of.forgets % of.source.length] as Doc).id.key);
  const ended = await memoryRun({ source, target }, of);
  if (ended.error !== undefined) expect(ended.error).toBe(broken);
  breaking = false;
  return { source, target, ended };
}

/** What should be said of a whole copy, or of a part of it that is done. */
function expected(source: readonly Doc[], target: readonly Doc[], isDone: (document: Doc) => boolean) {
  const wanted = new Set(source.map(({ id }) => id.key));
  const read = source.filter(isDone);
  const storable = distinct([...read].reverse()).filter(({ id }) => id.element[0] !== TYPE.date);
  return {
    storable,
    read: read.length,
    rejected: read.length - storable.length,
    extra: target.filter((one) => isDone(one) && !wanted.has(one.id.key)).length,
  };
}

function holds(store: MemoryStore, documents: readonly Doc[]): void {
  const held = new Map(store.documents.map(({ id, bytes }) => [id.key, Buffer.from(bytes).toString("hex")]));
  for (const { id, bytes } of documents) expect(held.get(id.key)).toBe(Buffer.from(bytes).toString("hex"));
}

it("saves only what the target holds as copied, and counts exactly that, wherever a copy breaks off", async () => {
  await fc.assert(
    fc.asyncProperty(story, async (of) => {
      const { source, target, ended } = await begin(of);
      const [saved] = ended.saved?.collections ?? [];
      if (saved === undefined) return;
      const isDone = ({ id }: Doc): boolean => !saved.remaining.some((range) => isWithin(id, range));
      const { storable, read, rejected, extra } = expected(source.documents, of.target, isDone);
      holds(target, storable);
      expect(saved.counts).toMatchObject({ read, rejected, extra });
      expect(saved.extras.reduce((sum, { documents }) => sum + documents, 0)).toBe(extra);
    }),
    { numRuns: runs(400), seed: 22 },
  );
});

it("resumes an interrupted copy with the same result as an undisturbed run", async () => {
  await fc.assert(
    fc.asyncProperty(story, fc.boolean(), async (of, remove) => {
      const { source, target, ended } = await begin(of);
      const { concurrency, verify } = of;
      const again = await memoryRun(
        { source, target },
        { concurrency, verify, remove, ...(ended.saved === undefined ? {} : { saved: ended.saved }) },
      );
      expect(again.error).toBeUndefined();
      const { storable, read, rejected, extra } = expected(source.documents, of.target, () => true);
      holds(target, storable);
      const deleted = remove && of.target.length > 0 ? extra : 0;
      expect(again.report).toMatchObject({ read, rejected, deleted, extra: extra - deleted });
      expect(target.documents.length).toBe(storable.length + extra - deleted);
      const names = distinct(source.documents.filter((one) => !storable.includes(one))).length;
      expect(again.losses.total).toBe(names);
    }),
    { numRuns: runs(400), seed: 23 },
  );
});
