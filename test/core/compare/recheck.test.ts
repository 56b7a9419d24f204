import { Long } from "bson";
import { describe, expect, it } from "vitest";
import type { Doc } from "../../../src/model/document.ts";
import { DualsyncError } from "../../../src/model/errors.ts";
import { doc } from "../../support/data/documents.ts";
import { type MemoryDiffOptions, memoryDiff } from "../../support/memory/memory-diff.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";

type Content = Record<string, unknown> & { readonly _id: unknown };

/** A store that becomes another one each time that documents are looked up in it, and fails on request. */
class Changing extends MemoryStore {
  looks = 0;
  /** What it holds at the first look, at the second, and so on: then it stays so. */
  readonly #later: (readonly Doc[] | Error)[];

  constructor(contents: readonly Content[], ...later: (readonly Content[] | Error)[]) {
    super(contents.map(doc));
    this.#later = later.map((one) => (one instanceof Error ? one : one.map(doc)));
  }

  override async find(...args: Parameters<MemoryStore["find"]>): ReturnType<MemoryStore["find"]> {
    const next = this.#later[this.looks++];
    if (next instanceof Error) throw next;
    if (next !== undefined) this.documents = next;
    return await super.find(...args);
  }
}

async function compared(source: Changing, target: Changing, options: MemoryDiffOptions = {}) {
  const { report, differences, error } = await memoryDiff({ source, target }, options);
  expect(error).toBeUndefined();
  const reported = differences.map(({ kind, id, state, rounds }) => `${kind} ${id} ${state} ${rounds}`);
  return { report, reported: reported.sort(), differences };
}

const one = (n: number): Content => ({ _id: 1, n });
const rest = Array.from({ length: 5 }, (_, n) => ({ _id: 10 + n }));

describe("repeated observation of differences", () => {
  it("reports a difference once it was observed unchanged twice, whichever side changed in between", async () => {
    for (const [source, target, looks] of [
      [new Changing([one(1)]), new Changing([one(2)]), 1],
      [new Changing([one(1)], [one(3)]), new Changing([one(2)]), 2],
      [new Changing([one(1)]), new Changing([one(2)], [one(3)]), 2],
      [new Changing([one(1)], [one(3)]), new Changing([one(2)], [one(2)], [one(4)]), 3],
    ] as const) {
      const { reported, report } = await compared(source, target, { delays: [0, 0, 0] });
      expect(reported).toEqual([`changed 1 stable ${looks + 1}`]);
      expect([source.looks, target.looks]).toEqual([looks, looks]);
      expect(report).toMatchObject({ changed: 1, moving: 0, settled: 0, equal: 0, verdict: "different" });
    }
  });

  it("reports a difference that keeps changing as moving, which proves nothing", async () => {
    const { reported, report } = await compared(
      new Changing([one(1), ...rest], [one(3), ...rest], [one(4), ...rest]),
      new Changing([one(2), ...rest]),
    );
    expect(reported).toEqual(["changed 1 moving 3"]);
    expect(report).toMatchObject({ changed: 0, moving: 1, equal: 5, verdict: "moving" });
  });

  it("counts a difference as settled once both sides hold the same or nothing, and does not report it", async () => {
    for (const [source, target] of [
      [new Changing([one(1), ...rest]), new Changing([one(2), ...rest], [one(1), ...rest])],
      [new Changing([one(1), ...rest], rest), new Changing(rest)],
      [new Changing([one(1), ...rest], [one(3), ...rest]), new Changing(rest, rest, [one(3), ...rest])],
    ] as const) {
      const { reported, report } = await compared(source, target);
      expect([reported, report]).toMatchObject([
        [],
        { settled: 1, equal: 5, changed: 0, verdict: "identical" },
      ]);
    }
  });

  it("reports the kind of difference that was observed last", async () => {
    const { reported } = await compared(new Changing([one(1)], []), new Changing([one(2)]));
    expect(reported).toEqual(["extra 1 stable 3"]);
    const typed = [{ _id: Long.fromNumber(1), n: 1 }];
    expect((await compared(new Changing([one(1)]), new Changing([one(2)], typed))).reported).toEqual([
      "idtype 1 stable 3",
    ]);
    expect((await compared(new Changing(rest), new Changing(rest, []))).reported).toEqual([]);
  });

  it("reports a difference as moving when there is no time for a second observation", async () => {
    const { reported, report } = await compared(new Changing([one(1)]), new Changing([]), { delays: [] });
    expect(reported).toEqual(["missing 1 moving 1"]);
    expect(report).toMatchObject({ missing: 0, moving: 1, verdict: "moving" });
  });

  it("reports neither a difference nor identity when the second observation fails", async () => {
    const lost = new DualsyncError("target", "Gone for now.");
    const [source, target] = [new Changing([one(1)]), new Changing([one(2)], lost)];
    const { error, report, differences } = await memoryDiff({ source, target });
    expect([error, differences, report?.verdict]).toEqual([lost, [], "not compared"]);
  });

  it("reports a difference as unreadable when one side cannot look up its id", async () => {
    for (const side of ["source", "target"] as const) {
      const stores = { source: new Changing([one(1)]), target: new Changing([one(2)]) };
      stores[side].canQuery = () => false;
      const { reported, report } = await compared(stores.source, stores.target);
      expect([reported, report]).toMatchObject([["unreadable 1 stable 1"], { verdict: "not compared" }]);
    }
  });

  it("ignores the order of fields with ignoreFieldOrder, in the second observation as well", async () => {
    const [a, b] = [
      { _id: 1, x: 1, y: 2 },
      { _id: 1, y: 2, x: 1 },
    ];
    for (const target of [new Changing([b]), new Changing([{ ...b, z: 1 }], [b])]) {
      const options = { ignoreFieldOrder: true };
      const { reported, report } = await compared(new Changing([a]), target, options);
      expect([reported, report?.verdict]).toEqual([[], "identical"]);
    }
    expect((await compared(new Changing([a]), new Changing([b]))).reported).toEqual(["changed 1 stable 2"]);
  });

  it("reports each of thousands of differences once, and looks them up in several queries", async () => {
    const many = Array.from({ length: 2_500 }, (_, _id) => ({ _id }));
    const source = new Changing(many);
    const { reported, report } = await compared(source, new Changing([]));
    expect([new Set(reported).size, reported.length, report?.missing]).toEqual([2_500, 2_500, 2_500]);
    expect(source.looks).toBe(3);
  });

  it("counts an accepted difference as accepted only", async () => {
    const options = { accept: ["document orders/1"] };
    const { report, differences } = await compared(new Changing([one(1)]), new Changing([one(2)]), options);
    expect([differences.length, report]).toMatchObject([1, { accepted: 1, changed: 0, verdict: "accepted" }]);
  });
});

describe("sides that return fewer documents than they count", () => {
  /** Counts so many. */
  class Counting extends MemoryStore {
    readonly #counts: number;

    constructor(contents: readonly Content[], counts: number) {
      super(contents.map(doc));
      this.#counts = counts;
    }

    override async count(): Promise<number> {
      return this.#counts;
    }
  }

  it.each(["source", "target"] as const)(
    "does not call collections identical when the %s returns fewer documents than it counts",
    async (side) => {
      const stores = (counts: number) => ({
        source: new Counting(rest, side === "source" ? counts : 5),
        target: new Counting(rest, side === "target" ? counts : 5),
      });
      const held = (documents: number) => ({ held: { source: 5, target: 5, [side]: documents } });
      const cut = await memoryDiff(stores(6), held(6));
      expect(cut.report).toMatchObject({ verdict: "not compared", unreadable: 1, equal: 5 });
      expect(cut.differences).toMatchObject([
        {
          kind: "unreadable",
          detail: expect.stringContaining(`the ${side} returned 5 documents but counts 6`),
        },
      ]);
      // With a filter, the number in the list is of all documents.
      const filtered = await memoryDiff(stores(6), { filter: new Map(), ...held(5) });
      expect(filtered.report?.verdict).toBe("not compared");
      // They went since it was listed, or came since they were read.
      expect((await memoryDiff(stores(5), held(6))).report?.verdict).toBe("identical");
      expect((await memoryDiff(stores(6), held(5))).report?.verdict).toBe("identical");
    },
  );

  it("calls collections identical once a recount matches the documents that were returned", async () => {
    /** Counts so many, each time that it is asked; in the end, what it holds. */
    class Settling extends MemoryStore {
      readonly #counts: number[];

      constructor(contents: readonly Content[], counts: readonly number[]) {
        super(contents.map(doc));
        this.#counts = [...counts];
      }

      override async count(): Promise<number> {
        return this.#counts.shift() ?? this.documents.length;
      }
    }
    const moving = (...counts: number[]) => ({
      source: new Settling([...rest, one(1)], counts),
      target: new Changing([...rest, one(2)], [...rest, one(1)]),
    });
    const held = { held: { source: 8, target: 6 } };
    expect((await memoryDiff(moving(8), held)).report).toMatchObject({ settled: 1, verdict: "identical" });
    expect((await memoryDiff(moving(8, 7, 9, 6), held)).report).toMatchObject({ verdict: "identical" });
    const lacking = await memoryDiff(moving(8, 8, 8, 8), held);
    expect(lacking.report).toMatchObject({ settled: 1, verdict: "not compared" });
    const far = await memoryDiff(moving(107, 200, 300, 400, 500), { held: { source: 107, target: 6 } });
    expect(far.report).toMatchObject({ settled: 1, verdict: "not compared" });
  });
});
