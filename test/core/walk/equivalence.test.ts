import { type Document, Double, deserialize, Int32, serialize } from "bson";
import { describe, expect, it } from "vitest";
import type { Classification, Mapping } from "../../../src/connectors/powers/mapping.ts";
import { type Doc, DocumentId, idElement } from "../../../src/model/document.ts";
import { doc, hexOf } from "../../support/data/documents.ts";
import { memoryDiff } from "../../support/memory/memory-diff.ts";
import { memoryRun } from "../../support/memory/memory-run.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";

/** Rows of two columns: a whole number `n`, and a time `t` with a part that a copy may have cut off. */
const mapping: Mapping = {
  classify(_, own, other): Classification {
    const [ours, theirs] = [deserialize(own.bytes), deserialize(other.bytes)];
    if (ours.n !== theirs.n || Math.floor(ours.t) !== Math.floor(theirs.t)) return "different";
    return ours.t === theirs.t ? "equivalent" : "lossy-equal";
  },
  differing: () => undefined,
  merged(_, own, other): Doc {
    const extra = Object.entries(deserialize(other.bytes)).filter(
      ([name]) => !["_id", "n", "t"].includes(name),
    );
    const bytes = serialize({
      ...deserialize(own.bytes, { promoteValues: false }),
      ...Object.fromEntries(extra),
    });
    return { id: new DocumentId(idElement(bytes)), bytes };
  },
};

const row = (_id: number, n: number, t = 1): Doc => doc({ _id, n: new Int32(n), t: new Double(t) });
const rows = [row(1, 10), row(2, 20), row(3, 30, 3.5), row(4, 40), row(5, 50)];
/** Written by an application: doubles for integers, a field of its own. */
const adopted = [
  rows[0] as Doc,
  doc({ _id: 2, n: new Double(20), t: new Double(1), __v: 0 }),
  doc({ _id: 3, n: new Double(30), t: new Double(3), __v: 1 }),
  doc({ _id: 4, n: new Double(41), t: new Double(1), note: "kept" }),
];
const plain = (document: Doc | undefined): Document => deserialize(document?.bytes ?? new Uint8Array());

describe("stores with an equivalence", () => {
  it("leaves equivalent documents alone, and keeps extra fields of documents that it overwrites", async () => {
    const target = new MemoryStore(adopted, { foreign: true });
    const { error, report } = await memoryRun({ source: new MemoryStore(rows, { mapping }), target });
    expect(error).toBeUndefined();
    expect(report).toMatchObject({ read: 5, written: 3, unchanged: 2, equivalent: 1, verdict: "verified" });
    expect(hexOf(target.documents.slice(0, 2))).toEqual(hexOf(adopted.slice(0, 2)));
    expect(target.documents.slice(2).map(plain)).toEqual([
      { _id: 3, n: 30, t: 3.5, __v: 1 },
      { _id: 4, n: 40, t: 1, note: "kept" },
      { _id: 5, n: 50, t: 1 },
    ]);
  });

  it("writes nothing in a second run between equivalent stores", async () => {
    const target = new MemoryStore(adopted, { foreign: true });
    const stores = { source: new MemoryStore(rows, { mapping }), target };
    await memoryRun(stores);
    const { report } = await memoryRun(stores);
    expect(report).toMatchObject({ read: 5, written: 0, unchanged: 5, equivalent: 3 });
  });

  it("does not overwrite an equivalent document that an application wrote during the first copy", async () => {
    const target = new (class extends MemoryStore {
      override async write(...args: Parameters<MemoryStore["write"]>) {
        const outcome = await super.write(...args);
        this.documents = this.documents.map((one) =>
          one.id.key === rows[1]?.id.key ? (adopted[1] as Doc) : one,
        );
        return outcome;
      }
    })([]);
    const { report } = await memoryRun({ source: new MemoryStore(rows, { mapping }), target });
    expect(report).toMatchObject({ read: 5, written: 5, verdict: "verified" });
    expect(hexOf(target.documents)).toEqual(hexOf([rows[0] as Doc, adopted[1] as Doc, ...rows.slice(2)]));
  });

  it.each(["source", "target"] as const)(
    "compares documents by equivalence when the %s has the mapping",
    async (side) => {
      const made = new MemoryStore(rows, { mapping });
      const other = new MemoryStore(adopted);
      const stores = side === "source" ? { source: made, target: other } : { source: other, target: made };
      const { error, report, differences } = await memoryDiff(stores);
      expect(error).toBeUndefined();
      const only = side === "source" ? { missing: 1, extra: 0 } : { missing: 0, extra: 1 };
      expect(report).toMatchObject({ equal: 2, equivalent: 1, changed: 2, metadata: 0, ...only });
      expect(differences.map(({ id, classification }) => [id, classification]).sort()).toEqual([
        ["3", "lossy-equal"],
        ["4", undefined],
        ["5", undefined],
      ]);
    },
  );

  /** A target that keeps rows: what is read back is its own form of a document; `trigger` changes rows that are written. */
  class Rows extends MemoryStore {
    readonly #trigger: (n: number) => number;
    constructor(documents: readonly Doc[], trigger = (n: number) => n, foreign = false, alters?: true) {
      super(documents, { mapping, foreign, ...(alters && { alters }) });
      this.#trigger = trigger;
    }
    override async write(...args: Parameters<MemoryStore["write"]>) {
      const outcome = await super.write(...args);
      const keys = new Set(args[1].docs().map(({ id }) => id.key));
      this.documents = this.documents.map((one) => {
        const { _id, n, t } = plain(one);
        return keys.has(one.id.key) ? row(_id, this.#trigger(n), t) : one;
      });
      return { ...outcome, notReproduced: [{ key: "field orders.__v", reason: "no column" }] };
    }
  }

  it.each([
    ["is empty", []],
    ["holds other documents", [row(2, 99), row(7, 70)]],
  ])("verifies written documents by equivalence in a target with a mapping that %s", async (_, held) => {
    const target = new Rows(held, undefined, true);
    const saved: unknown[] = [];
    const journal = { save: async (...entries: unknown[]) => void saved.push(entries) };
    const { error, report, losses } = await memoryRun(
      { source: new MemoryStore(adopted), target },
      held.length === 0 ? {} : { journal },
    );
    expect(error).toBeUndefined();
    expect(report).toMatchObject({ read: 4, written: 4, rejected: 0, verdict: "verified" });
    expect(losses.items.map(({ key }) => key)).toEqual(["field orders.__v"]);
    expect(saved.length > 0).toBe(held.length > 0);
    expect(target.documents.map(plain).slice(0, 2)).toEqual([
      { _id: 1, n: 10, t: 1 },
      { _id: 2, n: 20, t: 1 },
    ]);
  });

  it.each([
    ["the same value each time", (n: number) => (n === 20 ? 21 : n)],
    ["another value each time", (n: number) => (n === 20 ? Math.random() : n)],
  ])("rejects a document that a trigger changes to %s, and leaves it in the target", async (_, trigger) => {
    const target = new Rows([], trigger, false, true);
    const { error, report, losses } = await memoryRun({ source: new MemoryStore(adopted), target });
    expect(error).toBeUndefined();
    expect(report).toMatchObject({ read: 4, written: 3, rejected: 1, verdict: "incomplete" });
    expect(losses.items).toContainEqual(
      expect.objectContaining({ key: "document orders/2", reason: expect.stringMatching(/trigger/) }),
    );
    expect(target.documents).toHaveLength(4);
  });

  it("removes a document again that a store without such rules keeps as another", async () => {
    const target = new Rows([], (n) => (n === 20 ? 21 : n));
    const { error, losses } = await memoryRun({ source: new MemoryStore(adopted), target });
    expect(error).toBeUndefined();
    expect(losses.items.map(({ key }) => key)).toContain("document orders/2");
    expect(target.documents).toHaveLength(3);
  });

  it("fails when an acknowledged document is gone from a target with a mapping", async () => {
    const target = new Rows([], (n) => (n === 20 ? 21 : n));
    const gone = Object.assign(target, { find: async () => new Map<string, Doc>() });
    const { error } = await memoryRun({ source: new MemoryStore(adopted), target: gone });
    expect(error).toMatchObject({ exit: "unverified" });
  });
});
