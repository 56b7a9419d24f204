import fc from "fast-check";
import { expect, it } from "vitest";
import type { Journal } from "../../../src/core/change/journal.ts";
import { NewerBy } from "../../../src/core/copy/newer.ts";
import type { Doc } from "../../../src/model/document.ts";
import { doc, hexOf, id } from "../../support/data/documents.ts";
import { ChecksumMemoryStore } from "../../support/memory/checksum-store.ts";
import { memoryRun } from "../../support/memory/memory-run.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";

const KEYS = 60;
/** Long enough for a few of them to make up a segment of the checksums that are left with a copy. */
const TEXT = "x".repeat(60_000);

interface Version {
  readonly n: number;
  readonly updated_at?: Date;
}

const made = (key: number, version: Version): Doc => doc({ _id: key, ...version, text: TEXT });
const hex = ({ bytes }: Doc): string => Buffer.from(bytes).toString("hex").slice(0, 80);

/** Takes down what is saved. */
function journal(): Journal & { readonly saved: Set<string> } {
  const saved = new Set<string>();
  return {
    saved,
    async save(_, entries) {
      for (const { before } of entries)
        if (before !== undefined) saved.add(Buffer.from(before).toString("hex").slice(0, 80));
    },
  };
}

const keys = fc.uniqueArray(fc.nat(KEYS - 1), { maxLength: 8 });

it("saves what others changed in a verified copy before replacing it, and does not save what they left alone", async () => {
  let untouched = 0;
  await fc.assert(
    fc.asyncProperty(
      keys,
      keys,
      keys,
      keys,
      fc.boolean(),
      async (inSource, inCopy, removed, bounds, deletes) => {
        const all = Array.from({ length: KEYS }, (_, key) => key);
        const target = new ChecksumMemoryStore([], { lengths: [3, 7] });
        await memoryRun({ source: new MemoryStore(all.map((key) => made(key, { n: 0 }))), target });
        const verified = new Set(target.documents.map(hex));
        const source = new MemoryStore(
          all
            .filter((key) => !removed.includes(key))
            .map((key) => made(key, { n: inSource.includes(key) ? 1 : 0 })),
          { lengths: [5, 2], cuts: bounds.toSorted((a, b) => a - b).map(id) },
        );
        target.documents = target.documents.map((one, key) =>
          inCopy.includes(key) ? made(key, { n: 2 }) : one,
        );
        const before = target.documents;
        const { saved, ...rest } = journal();
        const options = { journal: rest, remove: deletes, concurrency: 1 + (bounds.length % 3) };
        const { error } = await memoryRun({ source, target }, options);
        expect(error).toBe(undefined);
        const after = new Set(target.documents.map(hex));
        const lost = before.map(hex).filter((one) => !after.has(one));
        for (const one of lost) if (!verified.has(one)) expect(saved.has(one)).toBe(true);
        if (inCopy.length === 0 && removed.length === 0) {
          expect(saved.size).toBe(0);
          untouched += inSource.length;
        }
      },
    ),
    { numRuns: 60, examples: [[[1, 2, 59], [], [], [7, 30], false]] },
  );
  expect(untouched).toBeGreaterThan(0);
});

it("saves everything that it replaces when no checksums show what the copy held", async () => {
  const source = new MemoryStore([1, 2, 3].map((key) => made(key, { n: 1 })));
  const target = new MemoryStore([1, 2].map((key) => made(key, { n: 0 })));
  const before = target.documents.map(hex);
  const { saved, ...rest } = journal();
  const { error, report } = await memoryRun({ source, target }, { journal: rest });
  expect([error, report?.written, report?.verdict]).toEqual([undefined, 3, "verified"]);
  expect([...saved]).toEqual(before);
});

it("saves a document that appears in the copy while it is filled before replacing it", async () => {
  const other = made(2, { n: 7 });
  /** An application is just before the first write. */
  class Preceded extends MemoryStore {
    override async write(...args: Parameters<MemoryStore["write"]>) {
      if (this.documents.length === 0) this.documents = [other];
      return await super.write(...args);
    }
  }
  const target = new Preceded([]);
  const source = new MemoryStore([1, 2, 3].map((key) => made(key, { n: 1 })));
  const { saved, ...rest } = journal();
  const { error } = await memoryRun({ source, target }, { journal: rest });
  expect(error).toBe(undefined);
  expect(hexOf(target.documents)).toEqual(hexOf(source.documents));
  expect([...saved]).toEqual([hex(other)]);
});

it.each(["content", "none"] as const)(
  "writes a document whose _id was taken for a moment and is free again (--verify %s)",
  async (verify) => {
    /** An application is just before the first write, and takes its document back at once. */
    class Preceded extends MemoryStore {
      override async write(...args: Parameters<MemoryStore["write"]>) {
        const isFirst = this.documents.length === 0;
        if (isFirst) this.documents = [made(2, { n: 7 })];
        const outcome = await super.write(...args);
        if (isFirst) this.documents = this.documents.filter((one) => one.id.key !== id(2).key);
        return outcome;
      }
    }
    const target = new Preceded([]);
    const source = new MemoryStore([1, 2, 3].map((key) => made(key, { n: 1 })));
    const { error, report } = await memoryRun({ source, target }, { verify });
    expect([error, report?.written, report?.rejected]).toEqual([undefined, 3, 0]);
    expect(hexOf(target.documents)).toEqual(hexOf(source.documents));
  },
);

it("saves a document that others change right after it was written before writing it again", async () => {
  const other = made(2, { n: 7 });
  /** An application writes as soon as this program has. */
  class Followed extends ChecksumMemoryStore {
    follows = false;

    override async write(...args: Parameters<ChecksumMemoryStore["write"]>) {
      const outcome = await super.write(...args);
      const changed = this.documents.map((one) => (one.id.key === other.id.key ? other : one));
      if (this.follows) this.documents = changed;
      this.follows = false;
      return outcome;
    }
  }
  const target = new Followed([]);
  await memoryRun({ source: new MemoryStore([1, 2, 3].map((key) => made(key, { n: 0 }))), target });
  target.follows = true;
  const source = new MemoryStore([1, 2, 3].map((key) => made(key, { n: 1 })));
  const { saved, ...rest } = journal();
  const { error, report } = await memoryRun({ source, target }, { journal: rest });
  expect([error, report?.verdict]).toEqual([undefined, "verified"]);
  expect(hexOf(target.documents)).toEqual(hexOf(source.documents));
  expect([...saved]).toEqual([hex(other)]);
});

it.each([false, true])(
  "keeps and names a document whose copy is newer (copy has checksums: %s)",
  async (checksummed) => {
    const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 3, minute));
    const version = (n: number, minute: number): Version => ({ n, updated_at: at(minute) });
    const target = checksummed ? new ChecksumMemoryStore([]) : new MemoryStore([]);
    const first = [1, 2, 3].map((key) => made(key, version(0, 0)));
    await memoryRun({ source: new MemoryStore(first), target });
    const ours = made(2, version(1, 5));
    target.documents = target.documents.map((one, at) => (at === 1 ? ours : one));
    const source = new MemoryStore([made(1, version(2, 9)), made(2, version(2, 4)), made(3, version(0, 0))]);
    const { saved, ...rest } = journal();
    const { report, losses } = await memoryRun({ source, target }, { journal: rest });
    expect(report).toMatchObject({ read: 3, written: 1, unchanged: 1, rejected: 1, verdict: "incomplete" });
    expect(losses.items.map(({ key, reason }) => [key, reason])).toEqual([
      ["document orders/2", expect.stringMatching(/newer by updated_at and was kept/)],
    ]);
    expect(hexOf(target.documents)).toEqual(hexOf([made(1, version(2, 9)), ours, made(3, version(0, 0))]));
    expect(saved.has(hex(ours))).toBe(false);
  },
);

/** An application writes one document as soon as everything was read, until it is stopped. */
class Written extends ChecksumMemoryStore {
  ours: Doc | undefined;

  override async *read(...args: Parameters<ChecksumMemoryStore["read"]>) {
    yield* super.read(...args);
    const { ours } = this;
    if (ours !== undefined)
      this.documents = this.documents.map((one) => (one.id.key === ours.id.key ? ours : one));
  }
}

it.each([false, true])(
  "keeps a newer version that appears in the copy during the comparison (copy has checksums: %s)",
  async (checksummed) => {
    const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 3, minute));
    const version = (n: number, minute: number): Version => ({ n, updated_at: at(minute) });
    const ours = made(2, version(9, 9));
    const target = new Written([]);
    const first = [1, 2, 3].map((key) => made(key, version(0, 0)));
    await memoryRun({ source: new MemoryStore(first), target });
    if (!checksummed)
      target.documents = target.documents.map((one, at) => (at === 2 ? made(3, version(5, 0)) : one));
    target.ours = ours;
    const source = new MemoryStore([made(1, version(0, 0)), made(2, version(2, 4)), made(3, version(0, 0))]);
    const { losses, report } = await memoryRun({ source, target }, { journal: journal() });
    expect(losses.items.map(({ key }) => key)).toEqual(["document orders/2"]);
    expect(report?.verdict).toBe("incomplete");
    expect(hexOf(target.documents)).toEqual(hexOf([made(1, version(0, 0)), ours, made(3, version(0, 0))]));
  },
);

it("saves a version that appears in the copy during the comparison before replacing it", async () => {
  const ours = made(2, { n: 9 });
  const target = new Written([]);
  await memoryRun({ source: new MemoryStore([1, 2, 3].map((key) => made(key, { n: 0 }))), target });
  target.ours = ours;
  const source = new MemoryStore([1, 2, 3].map((key) => made(key, { n: key === 2 ? 1 : 0 })));
  const { saved, ...rest } = journal();
  const { error } = await memoryRun({ source, target }, { journal: rest });
  expect(error).toBe(undefined);
  expect(hexOf(target.documents)).toEqual(hexOf(source.documents));
  expect([...saved]).toEqual([hex(ours)]);
});

it("decides which version is newer by the first field that is a date on both sides", () => {
  const early = new Date(0);
  const late = new Date(1);
  const newer = (expected: object, found: object): string | undefined =>
    new NewerBy().newer({
      expected: doc({ _id: 1, ...expected }),
      found: doc({ _id: 1, ...found }),
    });
  expect(newer({ updated_at: early }, { updated_at: late })).toBe("updated_at");
  expect(newer({ updated_at: late }, { updated_at: late })).toBe(undefined);
  expect(newer({ updated_at: late }, { updated_at: early })).toBe(undefined);
  expect(newer({ updated_at: "1970" }, { updated_at: late })).toBe(undefined);
  expect(newer({}, { updated_at: late })).toBe(undefined);
  expect(newer({ updated_at: "1970", updatedAt: early }, { updated_at: late, updatedAt: late })).toBe(
    "updatedAt",
  );
  expect(newer({ updated_at: late, updatedAt: early }, { updated_at: early, updatedAt: late })).toBe(
    undefined,
  );
  // Before 1970 time is counted backwards.
  expect(newer({ updated_at: new Date(-2) }, { updated_at: new Date(-1) })).toBe("updated_at");
});
