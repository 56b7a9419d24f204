import fc from "fast-check";
import { expect, it } from "vitest";
import { elements, isNamed } from "../../../src/bson/elements.ts";
import type { Doc } from "../../../src/model/document.ts";
import { doc, hexOf } from "../../support/data/documents.ts";
import { memoryRun } from "../../support/memory/memory-run.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";
import { runs } from "../../support/runs.ts";

/** Copies into a store where a value must be unique, whatever the two sides hold, and wherever a run breaks off. */

/** Which document has which value; each value once. */
type Arrangement = ReadonlyMap<number, number>;

const arrangement = fc
  .uniqueArray(fc.tuple(fc.nat(11), fc.nat(11)), { selector: ([id]) => id, maxLength: 10 })
  .map((pairs) => new Map([...new Map(pairs.map(([id, n]) => [n, id] as const))].map(([n, id]) => [id, n])));

function docsOf(arranged: Arrangement): Doc[] {
  return [...arranged].map(([_id, n]) => doc({ _id, n }));
}

function uniqueValueOf({ bytes }: Doc): string {
  for (const element of elements(bytes))
    if (isNamed(bytes, element, "n")) return Buffer.from(bytes.subarray(element.start)).toString("hex");
  return "";
}

/** Refuses a document whose value another one holds, as servers do. */
function uniqueStore(arranged: Arrangement, knowsRules: boolean, onStep: () => void = () => {}): MemoryStore {
  const holder = (value: string) => store.documents.find((one) => uniqueValueOf(one) === value);
  const rules = {
    valuesOf: (one: Doc) => [{ key: uniqueValueOf(one) }],
    holderOf: async ({ key }: { readonly key: string }) => holder(key)?.id,
  };
  const store: MemoryStore = new MemoryStore(docsOf(arranged), {
    onStep,
    ...(knowsRules ? { uniqueRules: rules } : {}),
    refuses: (one) => {
      const there = holder(uniqueValueOf(one));
      return there === undefined || there.id.key === one.id.key ? undefined : "its value is taken";
    },
  });
  return store;
}

const DELETES = { remove: true, allowShrink: true };

it("a copy with unique values becomes equal to its source in one run, and in two where the first one breaks off", async () => {
  const property = fc.asyncProperty(
    arrangement.filter(({ size }) => size > 0),
    arrangement,
    fc.option(fc.integer({ min: 1, max: 60 })),
    async (live, copied, breaksAt) => {
      const broken = new Error("broken");
      let step = 0;
      const source = new MemoryStore(docsOf(live));
      const target = uniqueStore(copied, true, () => {
        if (breaksAt !== null && ++step === breaksAt) throw broken;
      });
      const first = await memoryRun({ source, target }, DELETES);
      if (first.error !== undefined) expect(first.error).toBe(broken);
      const saved = first.saved === undefined ? {} : { saved: first.saved };
      const { error, report, losses } =
        first.error === undefined ? first : await memoryRun({ source, target }, { ...DELETES, ...saved });
      expect(error).toBeUndefined();
      expect(hexOf(target.documents)).toEqual(hexOf(source.documents));
      expect(report).toMatchObject({ read: live.size, rejected: 0, verdict: "verified" });
      expect(losses.total).toBe(0);
    },
  );
  await fc.assert(property, { numRuns: runs(500), seed: 51 });
});

it("a store that does not know who holds a value is left with what it refused named, and everything else equal", async () => {
  const property = fc.asyncProperty(
    arrangement.filter(({ size }) => size > 0),
    arrangement,
    async (live, copied) => {
      const source = new MemoryStore(docsOf(live));
      const target = uniqueStore(copied, false);
      const { error, report, losses } = await memoryRun({ source, target }, DELETES);
      expect(error).toBeUndefined();
      const held = new Set(hexOf(target.documents));
      const lacking = source.documents.filter((one) => !hexOf([one]).every((hex) => held.has(hex)));
      expect(losses.items.map(({ key }) => key)).toEqual(
        lacking.map(({ id }) => `document orders/${id.key.slice(1)}`),
      );
      expect(report).toMatchObject({ read: live.size, rejected: lacking.length });
    },
  );
  await fc.assert(property, { numRuns: 300, seed: 52 });
});

it("names a blocked document that the source cannot be asked for, and does not take it for gone", async () => {
  class Unaskable extends MemoryStore {
    override canQuery(): boolean {
      return false;
    }
  }
  const source = new Unaskable(docsOf(new Map([[1, 7]])));
  const target = uniqueStore(new Map([[2, 7]]), true);
  const { report, losses } = await memoryRun({ source, target });
  expect(report).toMatchObject({ read: 1, rejected: 1, verdict: "incomplete" });
  expect(losses.items).toMatchObject([{ key: "document orders/1", reason: "its value is taken" }]);
});
