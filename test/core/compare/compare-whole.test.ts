import { describe, expect, it } from "vitest";
import type { CollectionInfo, ReadOptions } from "../../../src/connectors/collection.ts";
import type { Batch, Doc } from "../../../src/model/document.ts";
import { DualsyncError } from "../../../src/model/errors.ts";
import { doc } from "../../support/data/documents.ts";
import { memoryDiff } from "../../support/memory/memory-diff.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";

/** A capped collection that holds something else each time that it is read, or breaks off in the middle. */
class Read extends MemoryStore {
  reads = 0;
  readonly #each: (readonly Doc[] | Error)[];

  constructor(...each: (readonly number[] | Error)[]) {
    const contents = each.map((one) => (one instanceof Error ? one : one.map((_id) => doc({ _id }))));
    super(contents.find((one): one is Doc[] => !(one instanceof Error)) ?? []);
    this.#each = contents;
  }

  override async *read(info: CollectionInfo, options: ReadOptions): AsyncGenerator<Batch> {
    const now = this.#each[this.reads++];
    if (now !== undefined && !(now instanceof Error)) this.documents = now;
    yield* super.read(info, options);
    if (now instanceof Error) throw now;
  }
}

async function compared(source: MemoryStore, target: MemoryStore, delays = [0, 0]) {
  return await memoryDiff({ source, target }, { kind: "sequence", delays });
}

const lost = new DualsyncError("source", "Lost for now.", { retryable: true });

describe("comparison of capped collections as a whole", () => {
  it("reports a capped collection as different once both sides were read twice unchanged", async () => {
    for (const [source, target, rounds] of [
      [new Read([1, 2]), new Read([1, 3]), 2],
      [new Read([1, 2]), new Read([2, 1]), 2],
      [new Read([1, 2], [1, 4]), new Read([1, 3]), 3],
      [new Read([1, 2]), new Read([1, 3], [1, 4]), 3],
    ] as const) {
      const { report, differences, error } = await compared(source, target);
      expect(error).toBeUndefined();
      expect(differences).toMatchObject([{ kind: "content", state: "stable", rounds }]);
      expect(report).toMatchObject({ changed: 1, moving: 0, equal: 0, verdict: "different" });
      expect([source.reads, target.reads]).toEqual([rounds, rounds]);
    }
  });

  it("reports a capped collection as moving while one side keeps changing", async () => {
    for (const stores of [
      [new Read([1, 2], [1, 4], [1, 5]), new Read([1, 3])],
      [new Read([1, 3]), new Read([1, 2], [1, 4], [1, 5])],
    ] as const) {
      const { report, differences } = await compared(...stores);
      expect(differences).toMatchObject([{ kind: "content", state: "moving", rounds: 3 }]);
      expect(report).toMatchObject({ changed: 0, moving: 1, equal: 0, verdict: "moving" });
    }
  });

  it("accepts a different capped collection by its key, and counts it as accepted only", async () => {
    const stores = { source: new Read([1, 2]), target: new Read([1, 3]) };
    const { report } = await memoryDiff(stores, { kind: "sequence", accept: ["collection orders"] });
    expect(report).toMatchObject({ accepted: 1, changed: 0, moving: 0, verdict: "accepted" });
  });

  it("calls a capped collection identical once both sides come to hold the same", async () => {
    const { report, differences } = await compared(new Read([1, 2]), new Read([1], [1, 2]));
    expect([differences, report]).toMatchObject([[], { settled: 1, equal: 2, verdict: "identical" }]);
    const still = await compared(new Read([1, 2]), new Read([1, 2]));
    expect(still.report).toMatchObject({ settled: 0, equal: 2, verdict: "identical" });
  });

  it("reads a capped collection from its beginning after a retryable error, at most three times", async () => {
    const source = new Read([1, 2]);
    const passing = await compared(new Read(lost, lost, [1, 2]), source);
    expect(passing.report).toMatchObject({ sourceDocuments: 2, equal: 2, verdict: "identical" });
    const failing = await compared(new Read([1, 2]), new Read(lost, lost, lost, [1, 2]));
    expect([failing.error, failing.report?.verdict]).toEqual([lost, "not compared"]);
    const bug = new DualsyncError("bug", "Never.");
    expect((await compared(new Read(bug, [1, 2]), source)).error).toBe(bug);
  });

  it("does not call a capped collection compared when it was replaced or returns fewer documents than it counts", async () => {
    for (const options of [{ replaced: true }, {}])
      for (const swapped of [false, true]) {
        const [one, other] = [new MemoryStore([], options), new MemoryStore([])];
        const { error, report } = await (swapped ? compared(other, one) : compared(one, other));
        expect(report?.verdict).toBe(options.replaced ? "not compared" : "identical");
        expect(error === undefined).toBe(options.replaced === undefined);
      }
    for (const side of ["source", "target"] as const) {
      const stores = { source: new Read([1]), target: new Read([1]) };
      stores[side].count = async () => 2;
      const held = { source: 1, target: 1, [side]: 2 };
      const { report } = await memoryDiff(stores, { kind: "sequence", held });
      expect(report).toMatchObject({ unreadable: 1, verdict: "not compared" });
    }
  });
});
