import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeenIds } from "../../../src/model/seen-ids.ts";
import { id } from "../../support/data/documents.ts";
import { Pair } from "./sides.ts";

/** Runs that end before they have settled everything, and those that go on. */
class Stopped extends Error {}

/** Fails at the n-th look at either side from now on. */
function stopAt(pair: Pair, looks: number): void {
  let left = looks;
  const between = (): void => {
    if (left-- === 0) throw new Stopped();
  };
  pair.primary.between = between;
  pair.copy.between = between;
}

function goOn(pair: Pair): void {
  pair.primary.between = () => undefined;
  pair.copy.between = () => undefined;
}

/** As a run that takes a note of what it has settled by the time that it is stopped. */
async function syncUntil(
  pair: Pair,
  looks: number,
  ...[rules, options]: Parameters<Pair["sync"]>
): Promise<SeenIds> {
  const settled = new SeenIds();
  stopAt(pair, looks);
  await pair.sync(rules, { ...options, settled }).catch((error: unknown) => {
    if (!(error instanceof Stopped)) throw error;
  });
  goOn(pair);
  return settled;
}

function filled(documents: number): Pair {
  const pair = new Pair();
  for (let n = 1; n <= documents; n++) pair.primary.put(n, { v: `a${n}` });
  return pair;
}

function has(settled: SeenIds, n: number): boolean {
  return settled.has(id(n).key);
}

describe("a run that is stopped", () => {
  it("has settled what it wrote and read back, and nothing else", async () => {
    const pair = filled(9);
    const settled = await syncUntil(pair, 8);
    expect(settled.size).toBeGreaterThan(0);
    expect(settled.size).toBeLessThan(9);
    for (let n = 1; n <= 9; n++) if (has(settled, n)) expect(pair.copy.valueOf(n)).toBe(`a${n}`);
  });

  it("has not settled what it would remove once it is known how much is gone", async () => {
    for (let looks = 0; ; looks++) {
      const pair = filled(5);
      await pair.sync();
      pair.copy.put(2, undefined);
      const rules = { direction: "to primary", deletes: true } as const;
      const settled = await syncUntil(pair, looks, rules);
      if (pair.primary.valueOf(2) === undefined) break;
      expect(has(settled, 2)).toBe(false);
    }
  });

  it("counts nothing of what it had begun and not settled", async () => {
    const pair = filled(9);
    const settled = new SeenIds();
    stopAt(pair, 8);
    const { counts } = await pair.sync({}, { settled, failing: true });
    expect(counts.copyWritten).toBe(settled.size);
  });
});

describe("a limited run after it", () => {
  it("settles the rest, and does not look at the others again", async () => {
    const pair = filled(9);
    const earlier = await syncUntil(pair, 8);
    for (let n = 1; n <= 9; n++) pair.primary.put(n, { v: `b${n}` });
    const { counts } = await pair.sync({}, { earlier, isLimited: true });
    expect(counts.copyWritten).toBe(9 - earlier.size);
    for (let n = 1; n <= 9; n++) expect(pair.copy.valueOf(n)).toBe(has(earlier, n) ? `a${n}` : `b${n}`);
    // The next one begins at the beginning.
    expect((await pair.sync({}, { isLimited: true })).counts.copyWritten).toBe(earlier.size);
  });

  it("takes nothing for gone that it passes over", async () => {
    const pair = filled(5);
    await pair.sync();
    const earlier = new SeenIds();
    for (const n of [1, 2, 3, 4]) earlier.add(id(n).key);
    const rules = { direction: "to copy", deletes: true } as const;
    const { counts } = await pair.sync(rules, { earlier, isLimited: true });
    expect(counts).toMatchObject({ copyRemoved: 0, marked: 0, equal: 1 });
    expect(Object.keys(pair.copy.values)).toHaveLength(5);
  });

  it("acts on what is gone and was not settled, by a list of all that is there", async () => {
    const pair = filled(5);
    await pair.sync();
    const earlier = new SeenIds();
    for (const n of [1, 2, 3]) earlier.add(id(n).key);
    pair.primary.put(4, undefined);
    expect((await pair.sync({}, { earlier, isLimited: true })).counts).toMatchObject({ marked: 1, equal: 1 });
  });

  it("does not look again at what only the copy has, or what is gone, where that was settled", async () => {
    const pair = filled(5);
    await pair.sync();
    pair.copy.put(7, { v: "mine" });
    pair.primary.put(5, undefined);
    const earlier = new SeenIds();
    for (const n of [5, 7]) earlier.add(id(n).key);
    const first = await pair.sync({}, { earlier, isLimited: true });
    expect([first.items, first.counts.marked]).toEqual([[], 0]);
    const whole = await pair.sync({}, { earlier });
    expect([whole.items, whole.counts.marked]).toEqual([["key 7: only in MongoDB"], 1]);
  });

  it("sees that more than half is gone from the copy, although it passes over most of it", async () => {
    const pair = filled(6);
    await pair.sync();
    for (const n of [1, 2, 3, 4]) pair.copy.put(n, undefined);
    const earlier = new SeenIds();
    for (const n of [1, 2, 3, 4]) earlier.add(id(n).key);
    const rules = { direction: "to primary", deletes: true } as const;
    await expect(pair.sync(rules, { earlier, isLimited: true })).rejects.toMatchObject({ exit: "refused" });
    expect(Object.keys(pair.primary.values)).toHaveLength(6);
  });
});

describe("a run without a limit after it", () => {
  it("settles the rest first and then everything else, so that its result is of now", async () => {
    const pair = filled(9);
    const earlier = await syncUntil(pair, 8);
    const settledBefore = new SeenIds();
    settledBefore.addDigests(earlier.digests());
    for (let n = 1; n <= 9; n++) pair.primary.put(n, { v: `b${n}` });
    const stopped = await syncUntil(pair, 6, {}, { earlier });
    expect(stopped.size).toBeGreaterThan(0);
    for (let n = 1; n <= 9; n++) if (has(stopped, n)) expect(has(settledBefore, n)).toBe(false);
    await pair.sync({}, { earlier });
    expect(pair.copy.values).toEqual(pair.primary.values);
    expect(earlier.size).toBe(0);
  });
});

it("begun again with what it had settled, a run ends as one that was never stopped, wherever that was", async () => {
  const stops = fc.array(fc.integer({ min: 0, max: 14 }), { maxLength: 6 });
  const direction = fc.constantFrom("to copy" as const, "to primary" as const, "both" as const);
  const most = fc.constantFrom(1, 2, Number.POSITIVE_INFINITY);
  await fc.assert(
    fc.asyncProperty(stops, direction, most, fc.boolean(), async (all, way, atOnce, isLimited) => {
      const [pair, whole] = [filled(4), filled(4)];
      for (const one of [pair, whole]) {
        await one.sync();
        one.primary.put(1, { v: "kv" });
        one.copy.put(2, { v: "db" });
        one.primary.put(3, undefined);
        one.copy.put(7, { v: "mine" });
        one.primary.put(8, { v: "new" });
      }
      const settled = new SeenIds();
      const rules = { direction: way };
      const options = { settled, isLimited, atOnce: () => atOnce };
      for (const looks of all) {
        stopAt(pair, looks);
        await pair.sync(rules, options).catch((error: unknown) => {
          if (!(error instanceof Stopped)) throw error;
        });
        goOn(pair);
      }
      await pair.sync(rules, options);
      await whole.sync(rules);
      expect([pair.primary.values, pair.copy.values]).toEqual([whole.primary.values, whole.copy.values]);
      expect([pair.primary.lost, pair.copy.lost]).toEqual([[], []]);
      const agreed = ({ agreements }: Pair) =>
        [...agreements.kept.values()].map(({ primary, copy, missingSince }) => ({
          primary,
          copy,
          missingSince,
        }));
      expect(new Set(agreed(pair).map((one) => JSON.stringify(one)))).toEqual(
        new Set(agreed(whole).map((one) => JSON.stringify(one))),
      );
    }),
    { numRuns: 300 },
  );
});

it("ids that were seen are the same after their digests were kept", () => {
  const seen = new SeenIds();
  for (let n = 0; n < 5_000; n++) seen.add(`key ${n}`);
  const again = new SeenIds();
  again.addDigests(Buffer.concat([seen.digests(), Buffer.alloc(7)]));
  expect(again.size).toBe(5_000);
  for (let n = 0; n < 10_000; n++) expect(again.has(`key ${n}`)).toBe(n < 5_000);
  again.addDigests(seen.digests());
  expect(again.size).toBe(5_000);
});
