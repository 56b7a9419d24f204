import { describe, expect, it } from "vitest";
import { Findings, type FindingsOptions } from "../../../src/commands/diff/findings.ts";
import type { RawDifference } from "../../../src/core/compare/diff-job.ts";
import type { Difference, Reporter } from "../../../src/model/reporter.ts";
import { difference } from "../../reporting/comparison-samples.ts";
import { id } from "../../support/data/documents.ts";

const FIRST = new Date(0);

function findings(options: Partial<FindingsOptions> = {}) {
  const reported: Difference[] = [];
  const planned: string[] = [];
  const reporter = {
    ready: async () => undefined,
    difference: (one: Difference) => void reported.push(one),
  } as Partial<Reporter> as Reporter;
  const plan = {
    async row({ key }: Difference): Promise<void> {
      await new Promise((resolve) => setImmediate(resolve));
      planned.push(key);
    },
  };
  let limits = 0;
  const onLimit = () => void limits++;
  const of = new Findings({
    reporter,
    accept: [],
    oneWay: false,
    seen: new Map(),
    plan,
    onLimit,
    ...options,
  });
  return { of, reported, planned, limits: () => limits };
}

function seen(more: Partial<RawDifference> = {}): RawDifference {
  const { firstSeen: _, lastSeen: __, counted: ___, ...reported } = difference();
  return { ...reported, ...more };
}

describe("findings of a comparison", () => {
  it("counts and plans a difference only if it is stable, readable and not accepted, but always reports it", async () => {
    for (const [reported, options, counts, plans] of [
      [seen(), {}, 1, 1],
      [seen({ state: "moving" }), {}, 0, 0],
      [seen({ kind: "unreadable", sigil: "!" }), {}, 0, 0],
      [seen(), { accept: ["document orders/17"] }, 0, 0],
      [seen(), { accept: ["document orders/1", "document orders/170"] }, 1, 1],
      [seen({ kind: "extra", sigil: "-" }), { oneWay: true }, 0, 0],
      [seen({ kind: "metadata", sigil: "-" }), { oneWay: true }, 0, 0],
      [seen({ kind: "metadata", sigil: "+" }), { oneWay: true }, 1, 1],
      [seen({ kind: "missing", sigil: "+" }), { oneWay: true }, 1, 1],
      [seen({ kind: "extra", sigil: "-" }), {}, 1, 1],
    ] as const) {
      const { of, reported: shown, planned } = findings(options);
      await of.take(reported, id(17));
      expect([of.counted, planned.length, shown.length, of.samples.length], JSON.stringify(reported)).toEqual(
        [counts, plans, 1, 1],
      );
    }
  });

  it("never plans a difference that is not in a document", async () => {
    const { of, planned } = findings();
    await of.take(seen());
    expect([of.counted, planned]).toEqual([1, []]);
  });

  it("keeps the time at which an earlier comparison first saw a difference", async () => {
    const { of } = findings({ seen: new Map([["document orders/17", FIRST]]) });
    const [known, fresh] = [await of.take(seen()), await of.take(seen({ key: "document orders/18" }))];
    expect([known.firstSeen, fresh.firstSeen]).toEqual([FIRST, fresh.lastSeen]);
    expect([...of.seen]).toEqual([
      [known.key, FIRST],
      [fresh.key, fresh.lastSeen],
    ]);
  });

  it("accepts a difference by the key that it shows", async () => {
    const { of } = findings({ accept: ["document a\\u001b[2J/1"] });
    const shown = await of.take(seen({ key: "document a\u001b[2J/1" }));
    expect([shown.key.includes("\u001b"), shown.counted]).toEqual([false, of.unused.length === 1]);
    const again = findings({ accept: [shown.key] });
    await again.of.take(seen({ key: "document a\u001b[2J/1" }));
    expect([again.of.counted, again.of.unused]).toEqual([0, []]);
  });
});

it("ends at the limit once, counting only what counts", async () => {
  const { of, limits } = findings({ maxDiffs: 2, accept: ["document orders/0"] });
  const at: number[] = [];
  for (let n = 0; n < 5; n++) {
    await of.take(seen({ key: `document orders/${n}` }));
    at.push(limits());
  }
  expect(at).toEqual([0, 0, 1, 1, 1]);
});

it("diff names accepted keys that matched nothing", async () => {
  const { of } = findings({ accept: ["document orders/17", "document orders/3"] });
  await of.take(seen());
  expect(of.unused).toEqual(["document orders/3"]);
});
