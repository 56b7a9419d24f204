import { expect, it } from "vitest";
import type { WriteSession } from "../../../src/connectors/contract.ts";
import type { DocumentId } from "../../../src/model/document.ts";
import { DualsyncError } from "../../../src/model/errors.ts";
import { doc, hexOf, id } from "../../support/data/documents.ts";
import { ChecksumMemoryStore } from "../../support/memory/checksum-store.ts";
import { memoryRun } from "../../support/memory/memory-run.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";

/** What can happen to a collection between its first and its last batch. */
const documents = Array.from({ length: 9 }, (_, _id) => doc({ _id }));

it.each(["collection", "sequence"] as const)(
  "fails when a %s is dropped or replaced while it is copied",
  async (kind) => {
    const source = new MemoryStore(documents, { replaced: true });
    const { error } = await memoryRun({ source, target: new MemoryStore([]) }, { kind });
    expect(error).toMatchObject({ exit: "source", message: expect.stringMatching(/dropped or replaced/) });
  },
);

/** Breaks once, when three of its documents are handed out. */
function breaking(): MemoryStore {
  let steps = 0;
  return new MemoryStore(documents, {
    onStep() {
      if (++steps === 2) throw new DualsyncError("source", "Broken.", { retryable: true });
    },
  });
}

it.each(["content", "none"] as const)(
  "copies a capped collection without duplicates when it has to start over (--verify %s)",
  async (verify) => {
    const target = new MemoryStore([]);
    const { error, report } = await memoryRun({ source: breaking(), target }, { kind: "sequence", verify });
    expect(error).toBeUndefined();
    expect(report).toMatchObject({ read: documents.length, written: documents.length });
    expect(hexOf(target.documents)).toEqual(hexOf(documents));
  },
);

it("--delete does not count documents that disappeared from the target by themselves", async () => {
  const target = new MemoryStore([...documents, doc({ _id: 20 }), doc({ _id: 21 })]);
  const source = new (class extends MemoryStore {
    // Asked once both sides were read; extras are looked for after that.
    override async stillExists() {
      target.documents = target.documents.filter((one) => one.id.key !== id(21).key);
      return await super.stillExists();
    }
  })(documents);
  const { report } = await memoryRun({ source, target }, { remove: true, verify: "counts" });
  expect(report).toMatchObject({ deleted: 1, extra: 0, targetCount: 9, verdict: "counts match" });
});

it("--delete keeps a document that comes back to the source just before its removal", async () => {
  const late = new (class extends MemoryStore {
    override async find(collection: string, ids: readonly DocumentId[], signal: AbortSignal) {
      this.documents = documents;
      return await super.find(collection, ids, signal);
    }
  })(documents.slice(0, 6));
  const target = new MemoryStore(documents);
  const { report } = await memoryRun({ source: late, target }, { remove: true });
  expect(report).toMatchObject({ deleted: 0 });
  expect(hexOf(target.documents)).toEqual(hexOf(documents));
});

it("fails when a document of a capped collection is not read back as it was written", async () => {
  const target = new MemoryStore([]);
  target.forgets.add((documents[4] as (typeof documents)[0]).id.key);
  const { error } = await memoryRun({ source: new MemoryStore(documents), target }, { kind: "sequence" });
  expect(error).toMatchObject({ exit: "unverified" });
});

it("--delete keeps a document whose _id cannot be used in a query of the source", async () => {
  const target = new MemoryStore([...documents, doc({ _id: new Date(5) })]);
  const { report } = await memoryRun({ source: new MemoryStore(documents), target }, { remove: true });
  expect(report).toMatchObject({ deleted: 0, extra: 1 });
  expect(target.documents).toHaveLength(10);
});

it("--delete keeps the second of two documents under one _id, and still counts it", async () => {
  const target = new MemoryStore([...documents, doc({ _id: 4, n: "duplicate" }), doc({ _id: 20 })]);
  const source = new MemoryStore(documents);
  const { report, error } = await memoryRun({ source, target }, { remove: true, verify: "counts" });
  expect(error).toBeUndefined();
  expect(report).toMatchObject({ deleted: 1, extra: 1, targetCount: 10, verdict: "counts match" });
});

it("--delete looks up large documents in small groups to limit memory", async () => {
  const large = Array.from({ length: 12 }, (_, n) => doc({ _id: 100 + n, text: "x".repeat(1_000_000) }));
  const asked: number[] = [];
  const target = new (class extends MemoryStore {
    override async find(collection: string, ids: readonly DocumentId[], signal: AbortSignal) {
      asked.push(ids.length);
      return await super.find(collection, ids, signal);
    }
  })([...documents, ...large], { lengths: [50] });
  const { report } = await memoryRun({ source: new MemoryStore(documents), target }, { remove: true });
  expect(report).toMatchObject({ deleted: 12 });
  expect(Math.max(...asked)).toBeLessThan(8);
});

it.each([
  ["is kept when the source has fewer documents, without --delete", 6, { remove: false }, 9],
  ["is kept when the source has less than half, with --delete", 4, { remove: true, allowShrink: false }, 9],
  ["is kept when the source is empty, with --delete --allow-shrink", 0, { remove: true }, 9],
  [
    "is replaced when the source has fewer documents, with --delete",
    6,
    { remove: true, allowShrink: false },
    6,
  ],
  ["is replaced when the source has less than half, with --delete --allow-shrink", 4, { remove: true }, 4],
])("the copy of a capped collection %s", async (_, left, options, held) => {
  const source = new MemoryStore(documents.slice(0, left));
  const target = new ChecksumMemoryStore([]);
  await memoryRun({ source: new MemoryStore(documents), target }, { kind: "sequence" });
  const { report, losses } = await memoryRun({ source, target }, { kind: "sequence", ...options });
  expect(target.documents).toHaveLength(held);
  expect(report?.verdict).toBe(held === left ? "verified" : "incomplete");
  expect(losses.total).toBe(held === left ? 0 : 1);
});

it("--verify counts fails when the target lost an acknowledged document", async () => {
  const target = new MemoryStore([]);
  target.forgets.add((documents[4] as (typeof documents)[0]).id.key);
  const { report } = await memoryRun({ source: new MemoryStore(documents), target }, { verify: "counts" });
  expect(report).toMatchObject({ sourceCount: 9, targetCount: 8, verdict: "failed" });
});

it("names a document that the target refuses when it is written again after the read-back", async () => {
  const { id } = documents[4] as (typeof documents)[0];
  let isFull = false;
  const target = new MemoryStore([], {
    refuses: (one, mode) => {
      if (one.id.key !== id.key) return undefined;
      isFull ||= mode === "replace";
      return isFull ? "no room for it" : undefined;
    },
  });
  target.forgets.add(id.key);
  const { error, report, losses } = await memoryRun({ source: new MemoryStore(documents), target });
  expect(error).toBeUndefined();
  expect(report).toMatchObject({ read: 9, written: 8, rejected: 1, verdict: "incomplete" });
  expect(losses.items).toMatchObject([{ key: "document orders/4", reason: "no room for it" }]);
});

it("indexes are built once, all of them, when the target holds every document", async () => {
  const indexes = ["a", "b"].map((name) => new Map<string, unknown>([["name", name]]));
  const built: unknown[] = [];
  const target = new (class extends MemoryStore {
    override async finish(...[info, given, signal]: Parameters<WriteSession["finish"]>) {
      built.push([this.documents.length, given]);
      return await super.finish(info, given, signal);
    }
  })([]);
  const source = new MemoryStore(documents, { indexes });
  const { report } = await memoryRun({ source, target }, { indexes: true });
  expect(report?.verdict).toBe("verified");
  expect(built).toEqual([[documents.length, indexes]]);
});

it.each([
  ["the source", { source: false, target: true }],
  ["the target", { source: true, target: false }],
])(
  "a copy is completed where the documents of %s do not come in the order of their ids",
  async (_, ordered) => {
    const source = new MemoryStore(documents, { reversed: !ordered.source });
    const target = new MemoryStore([doc({ _id: 3, n: "other" }), ...documents.slice(6), doc({ _id: 20 })], {
      reversed: !ordered.target,
    });
    const { error, report } = await memoryRun({ source, target }, { ordered });
    expect(error).toBeUndefined();
    expect(report).toMatchObject({ read: 9, written: 6, unchanged: 3, extra: 1, verdict: "verified" });
    expect(hexOf(target.documents)).toEqual(hexOf([...documents, doc({ _id: 20 })]));
  },
);
