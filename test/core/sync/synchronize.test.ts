import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Direction } from "../../../src/core/sync/decide.ts";
import { runs } from "../../support/runs.ts";
import { contents, NOW, Pair } from "./sides.ts";

/** Both sides hold and agree on `a1`, `a2` and so on. */
async function agreedPair(documents: number): Promise<Pair> {
  const pair = new Pair();
  for (let n = 1; n <= documents; n++) pair.primary.put(n, { v: `a${n}` });
  await pair.sync();
  return pair;
}

describe("a run", () => {
  it("to the copy writes what is new and what changed there, and reads it back", async () => {
    const pair = await agreedPair(5);
    expect(pair.copy.values).toEqual(pair.primary.values);
    pair.primary.put(2, { v: "b" });
    pair.primary.put(9, { v: "new" });
    const { counts, items } = await pair.sync();
    expect(counts).toMatchObject({ equal: 4, copyWritten: 2 });
    expect(items).toEqual([]);
    expect(pair.copy.values).toEqual(pair.primary.values);
    expect(pair.copy.entries).toEqual([]);
  });

  it("to the copy names what the copy alone changed or has, and leaves it", async () => {
    const pair = await agreedPair(3);
    pair.copy.put(1, { v: "b" });
    pair.copy.put(8, { v: "mine" });
    const { items } = await pair.sync();
    expect(items).toEqual(["key 1: changed in MongoDB since both agreed", "key 8: only in MongoDB"]);
    expect(pair.copy.values).toMatchObject({ 1: "b", 8: "mine" });
    const back = await pair.sync({ direction: "to primary" });
    expect(back.counts).toMatchObject({ primaryWritten: 2, equal: 2 });
    expect(back.items).toEqual([]);
    expect(pair.primary.values).toEqual(pair.copy.values);
    expect([...pair.primary.saved]).toEqual([expect.stringContaining(" a1")]);
  });

  it("parks what both changed, each time, and saves what it overwrites once somebody decides", async () => {
    const pair = await agreedPair(3);
    pair.primary.put(1, { v: "kv" });
    pair.copy.put(1, { v: "db" });
    for (const direction of ["to copy", "to primary", "both"] as const) {
      const { items, counts } = await pair.sync({ direction });
      expect(items).toEqual(["key 1: differs, and it is not known whether KV or MongoDB is right"]);
      expect(counts.conflicts).toBe(1);
    }
    await pair.sync({ onConflict: "primary" });
    expect(pair.copy.values).toMatchObject({ 1: "kv" });
    expect([...pair.copy.saved]).toEqual([expect.stringContaining(" db")]);
  });

  it("marks what is gone from the primary, and writes back only what is not marked", async () => {
    const pair = await agreedPair(5);
    pair.primary.put(1, undefined);
    expect((await pair.sync()).counts).toMatchObject({ marked: 1, equal: 4 });
    expect((await pair.sync()).counts).toMatchObject({ marked: 0, missing: 1 });
    pair.primary.put(2, undefined);
    const { counts } = await pair.sync({ direction: "to primary" });
    expect(counts).toMatchObject({ primaryWritten: 1, missing: 1 });
    expect(pair.primary.valueOf(1)).toBeUndefined();
    expect(pair.primary.valueOf(2)).toBe("a2");
    await pair.sync({ direction: "to primary", restoresMarked: true });
    expect(pair.primary.valueOf(1)).toBe("a1");
    expect((await pair.sync()).counts).toMatchObject({ equal: 5, missing: 0 });
  });

  it("removes what is gone only with deletes, and saves it", async () => {
    const pair = await agreedPair(5);
    pair.primary.put(1, undefined);
    const { counts } = await pair.sync({ deletes: true });
    expect(counts.copyRemoved).toBe(1);
    expect([...pair.copy.saved]).toEqual([expect.stringContaining(" a1")]);
    pair.copy.put(2, undefined);
    expect((await pair.sync({ direction: "to primary" })).counts).toMatchObject({ left: 1 });
    expect((await pair.sync({ direction: "to primary", deletes: true })).counts.primaryRemoved).toBe(1);
    expect([...pair.primary.saved]).toEqual([expect.stringContaining(" a2")]);
    expect((await pair.sync()).counts).toMatchObject({ equal: 3 });
  });

  it.each(["primary", "copy"] as const)(
    "is refused when more than half is gone from the %s, and marks and removes nothing",
    async (side) => {
      const pair = await agreedPair(5);
      for (const n of [1, 2, 3]) pair[side].put(n, undefined);
      const before = [pair.primary.values, pair.copy.values, [...pair.agreements.kept.values()]];
      for (const direction of ["to primary", "to copy"] as const) {
        if ((side === "primary") === (direction === "to primary")) continue;
        await expect(pair.sync({ direction, deletes: true })).rejects.toMatchObject({ exit: "refused" });
      }
      expect([pair.primary.values, pair.copy.values, [...pair.agreements.kept.values()]]).toEqual(before);
      await pair.sync({ direction: side === "primary" ? "to copy" : "to primary" }, { allowShrink: true });
    },
  );

  it("does not take for lost what was marked before", async () => {
    const pair = await agreedPair(5);
    pair.primary.put(1, undefined);
    pair.primary.put(2, undefined);
    await pair.sync();
    pair.primary.put(3, undefined);
    expect((await pair.sync()).counts).toMatchObject({ marked: 1, missing: 2 });
  });

  it("takes for a conflict what an undo has put back", async () => {
    const pair = await agreedPair(3);
    pair.copy.put(1, { v: "outage" });
    await pair.sync({ direction: "to primary" });
    pair.primary.put(1, { v: "a1" });
    const { items } = await pair.sync();
    expect(items).toEqual(["key 1: differs, and it is not known whether KV or MongoDB is right"]);
    expect(pair.copy.valueOf(1)).toBe("outage");
  });

  it("knows what an undo has put back also after the expiry was changed, and saves what it would overwrite after two undos", async () => {
    const pair = await agreedPair(3);
    pair.copy.put(1, { v: "outage" });
    await pair.sync({ direction: "to primary" });
    pair.primary.put(1, { v: "outage", expiresAt: new Date(NOW + 90_000) });
    await pair.sync();
    pair.primary.put(1, { v: "a1" });
    expect((await pair.sync()).counts.conflicts).toBe(1);
    await pair.sync({ direction: "to primary", onConflict: "copy" });
    pair.copy.put(1, { v: "second outage" });
    await pair.sync({ direction: "to primary" });
    pair.primary.put(1, { v: "older than what was replaced last" });
    await pair.sync();
    expect([...pair.copy.saved]).toContainEqual(expect.stringContaining(" second outage"));
  });

  it("agrees on two forms of the same, and knows afterwards which side changed", async () => {
    const pair = new Pair();
    pair.primary.put(1, { v: "same " });
    pair.copy.put(1, { v: "same" });
    expect((await pair.sync()).counts).toMatchObject({ agreed: 1, copyWritten: 0 });
    expect((await pair.sync()).counts).toMatchObject({ equal: 1 });
    pair.primary.put(1, { v: "changed" });
    expect((await pair.sync()).counts).toMatchObject({ copyWritten: 1 });
    expect([...pair.copy.saved]).toEqual([]);
  });

  it("saves all that it overwrites in a copy on which another primary had agreed", async () => {
    const pair = await agreedPair(2);
    pair.primary.put(1, { v: "of another store" });
    await pair.sync({}, { isAdopting: true });
    expect(pair.copy.values).toMatchObject({ 1: "of another store" });
    expect([...pair.copy.saved]).toEqual([expect.stringContaining(" a1")]);
  });

  it("names what cannot be read, and touches neither side of it", async () => {
    const pair = await agreedPair(2);
    pair.copy.put(1, { v: 5 as unknown as string });
    pair.primary.put(1, { v: "b" });
    for (const direction of ["to copy", "to primary", "both"] as const) {
      const { items, counts } = await pair.sync({ direction, deletes: true, onConflict: "primary" });
      expect(items).toEqual(["key 1: in MongoDB it has no v"]);
      expect(counts.rejected).toBe(1);
    }
    expect(pair.primary.valueOf(1)).toBe("b");
  });

  it("writes a later time of expiry, and brings back nothing that has expired", async () => {
    const pair = new Pair();
    const soon = new Date(NOW + 60_000);
    pair.primary.put(1, { v: "a", expiresAt: soon });
    pair.primary.put(2, { v: "b" });
    await pair.sync();
    pair.primary.put(1, undefined);
    const later = { now: NOW + 61_000 };
    for (const direction of ["to copy", "to primary", "both"] as const)
      expect((await pair.sync({ direction, deletes: true }, later)).counts).toMatchObject({ expired: 1 });
    expect(pair.copy.values).toEqual({ 1: "a", 2: "b" });
    const { counts } = await pair.sync({ deletes: true }, { now: NOW + 31 * 24 * 60 * 60 * 1_000 });
    expect(counts.copyRemoved).toBe(1);
  });
});

describe("an application that writes to both sides at any moment", () => {
  const step = fc.record({
    side: fc.constantFrom("primary" as const, "copy" as const),
    _id: fc.integer({ min: 1, max: 5 }),
    gone: fc.boolean(),
  });
  const direction = fc.constantFrom<Direction>("to copy", "to primary", "both");
  const several = fc.array(
    fc.record({
      direction,
      onConflict: fc.constantFrom("primary" as const, "copy" as const, "park" as const),
      deletes: fc.boolean(),
      before: fc.array(step, { maxLength: 5 }),
      meanwhile: fc.array(fc.array(step, { maxLength: 2 }), { maxLength: 12 }),
    }),
    { minLength: 1, maxLength: 5 },
  );

  it("loses nothing that is not saved, whatever the direction, and both sides meet once it stops", async () => {
    let value = 0;
    await fc.assert(
      fc.asyncProperty(several, async (all) => {
        const pair = new Pair();
        const write = ({ side, _id, gone }: { side: "primary" | "copy"; _id: number; gone: boolean }): void =>
          pair[side].put(_id, gone ? undefined : { v: `v${value++}` });
        for (const { before, meanwhile, ...rules } of all) {
          for (const one of before) write(one);
          const left = [...meanwhile];
          const between = (): void => {
            for (const one of left.shift() ?? []) write(one);
          };
          pair.primary.between = between;
          pair.copy.between = between;
          await pair.sync(rules, { allowShrink: true });
          pair.primary.between = () => undefined;
          pair.copy.between = () => undefined;
        }
        expect([pair.primary.lost, pair.copy.lost]).toEqual([[], []]);
        const last = { direction: "both", onConflict: "primary", deletes: true } as const;
        for (let n = 0; n < 2; n++) await pair.sync(last, { allowShrink: true });
        expect(pair.copy.values).toEqual(pair.primary.values);
        for (const agreement of pair.agreements.kept.values())
          expect(agreement.primary).toBe(hashOf(pair, agreement.id.key));
      }),
      { numRuns: runs(1_500) },
    );
  });
});

function hashOf(pair: Pair, key: string): string | undefined {
  const found = pair.primary.documents.get(key);
  const content = found && contents.of(found);
  return content && "hash" in content ? content.hash : undefined;
}
