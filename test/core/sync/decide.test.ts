import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Agreement } from "../../../src/connectors/powers/agreements.ts";
import { type BothSides, type Decision, decide, type SyncRules } from "../../../src/core/sync/decide.ts";
import { id } from "../../support/data/documents.ts";
import { runs } from "../../support/runs.ts";

const NOW = Date.UTC(2026, 10, 29);
const DAY = 24 * 60 * 60 * 1_000;

const rules: SyncRules = { direction: "to copy", onConflict: "park", deletes: false, restoresMarked: false };
const toCopy = rules;
const toPrimary: SyncRules = { ...rules, direction: "to primary" };
const both: SyncRules = { ...rules, direction: "both" };

type Side = { readonly hash: string; readonly expiresAt?: number | undefined };

function sides(primary: Side | undefined, copy: Side | undefined, agreed?: Partial<Agreement>): BothSides {
  const side = (one: Side | undefined) => one && { hash: one.hash, expiresAt: one.expiresAt };
  return {
    primary: side(primary),
    copy: side(copy),
    same: primary !== undefined && primary.hash === copy?.hash,
    agreed: agreed && { id: id(1), primary: "a", copy: "a", expiresAt: undefined, ...agreed },
  };
}

function actionOf(state: BothSides, by: SyncRules): Decision["action"] {
  return decide(state, by, NOW).action;
}

const a: Side = { hash: "a" };
const b: Side = { hash: "b" };
const c: Side = { hash: "c" };

describe("the table of sync-kv", () => {
  const rows: readonly [
    title: string,
    state: BothSides,
    toCopy: Decision["action"],
    toPrimary: Decision["action"],
    both: Decision["action"],
  ][] = [
    ["equal documents are agreed on", sides(a, a), "agree", "agree", "agree"],
    ["what is agreed on already is left", sides(a, a, {}), "leave", "leave", "leave"],
    ["both changed to the same is agreed on", sides(b, b, {}), "agree", "agree", "agree"],
    ["only the primary changed", sides(b, a, {}), "write copy", "leave", "write copy"],
    ["only the copy changed", sides(a, b, {}), "leave", "write primary", "write primary"],
    ["only in the primary, never agreed", sides(a, undefined), "write copy", "leave", "write copy"],
    ["only in the copy, never agreed", sides(undefined, a), "leave", "write primary", "write primary"],
    ["both changed", sides(b, c, {}), "leave", "leave", "leave"],
    ["different and never agreed", sides(a, b), "leave", "leave", "leave"],
    [
      "gone from the primary, unchanged in the copy",
      sides(undefined, a, {}),
      "mark",
      "write primary",
      "mark",
    ],
    [
      "gone from the primary, unchanged in the copy and marked",
      sides(undefined, a, { missingSince: new Date(NOW - DAY) }),
      "leave",
      "leave",
      "leave",
    ],
    [
      "gone from the primary, changed in the copy",
      sides(undefined, b, {}),
      "leave",
      "write primary",
      "write primary",
    ],
    ["gone from the copy", sides(a, undefined, {}), "write copy", "leave", "write copy"],
    [
      "gone from the copy, changed in the primary",
      sides(b, undefined, {}),
      "write copy",
      "leave",
      "write copy",
    ],
    ["gone from both", sides(undefined, undefined, {}), "forget", "forget", "forget"],
    ["marked, and back as it was", sides(a, a, { missingSince: new Date(NOW) }), "agree", "agree", "agree"],
    [
      "the primary holds again what a run had replaced there",
      sides(b, a, { replaced: { primary: "b" } }),
      "leave",
      "leave",
      "leave",
    ],
    [
      "the copy holds again what a run had replaced there",
      sides(a, b, { replaced: { copy: "b" } }),
      "leave",
      "leave",
      "leave",
    ],
  ];
  it.each(rows)("%s", (_, state, copyRow, primaryRow, bothRow) => {
    expect([toCopy, toPrimary, both].map((by) => actionOf(state, by))).toEqual([
      copyRow,
      primaryRow,
      bothRow,
    ]);
  });

  it("a conflict goes the way that the person said, where that side may be written", () => {
    for (const state of [sides(b, c, {}), sides(a, b)]) {
      const act = (by: SyncRules, onConflict: SyncRules["onConflict"]) =>
        actionOf(state, { ...by, onConflict });
      expect([toCopy, toPrimary, both].map((by) => act(by, "primary"))).toEqual([
        "write copy",
        "leave",
        "write copy",
      ]);
      expect([toCopy, toPrimary, both].map((by) => act(by, "copy"))).toEqual([
        "leave",
        "write primary",
        "write primary",
      ]);
    }
  });

  it("with deletes, what is gone from one side is removed from the other one, where that may be written", () => {
    const deletes = (by: SyncRules): SyncRules => ({ ...by, deletes: true });
    const acts = (state: BothSides) => [toCopy, toPrimary, both].map((by) => actionOf(state, deletes(by)));
    expect(acts(sides(undefined, a, {}))).toEqual(["remove from copy", "write primary", "remove from copy"]);
    expect(acts(sides(a, undefined, {}))).toEqual(["write copy", "remove from primary", "write copy"]);
    expect(acts(sides(b, undefined, {}))).toEqual(["write copy", "leave", "write copy"]);
    expect(acts(sides(a, undefined))).toEqual(["write copy", "leave", "write copy"]);
  });

  it("marked documents return to the primary only when all are asked for", () => {
    const state = sides(undefined, a, { missingSince: new Date(NOW - DAY) });
    expect(actionOf(state, { ...toPrimary, restoresMarked: true })).toBe("write primary");
    expect(actionOf(state, { ...both, restoresMarked: true })).toBe("leave");
  });
});

describe("times of expiry", () => {
  const at = (hash: string, seconds: number): Side => ({ hash, expiresAt: NOW + seconds * 1_000 });

  it("up to two seconds are no difference", () => {
    const state = sides(at("a", 100), at("a", 102), { expiresAt: NOW + 100_000 });
    expect(decide(state, both, NOW)).toEqual({ finding: "equal", action: "leave" });
  });

  it("the later one wins where nobody knows which was changed, and one that never comes is the latest", () => {
    expect(decide(sides(at("a", 100), at("a", 200)), both, NOW)).toMatchObject({
      action: "write primary",
      expiresAt: NOW + 200_000,
    });
    expect(decide(sides(a, at("a", 200)), both, NOW)).toMatchObject({
      action: "write copy",
      expiresAt: undefined,
    });
  });

  it("the one that was changed since both agreed wins, be it the earlier one", () => {
    const state = sides(at("a", 100), a, { expiresAt: undefined });
    expect(decide(state, both, NOW)).toMatchObject({ action: "write copy", expiresAt: NOW + 100_000 });
  });

  it("is never a conflict", () => {
    for (const by of [toCopy, toPrimary, both])
      expect(decide(sides(at("a", 9), at("a", 99), {}), by, NOW).finding).toBe("expiry differs");
  });

  it("what has expired in the copy is not brought back, and removed only a month later and when asked to", () => {
    for (const by of [toCopy, toPrimary, both])
      for (const agreed of [undefined, {}, { copy: "x" }])
        for (const deletes of [false, true])
          expect(actionOf(sides(undefined, at("a", -1), agreed), { ...by, deletes })).toBe("leave");
    const old = sides(undefined, at("a", -31 * 24 * 60 * 60), {});
    expect(actionOf(old, { ...toCopy, deletes: true })).toBe("remove from copy");
    expect(actionOf(old, { ...toPrimary, deletes: true })).toBe("leave");
    expect(actionOf(old, toCopy)).toBe("leave");
  });

  it("what has expired in the copy gives way to what the primary has", () => {
    expect(actionOf(sides(b, at("c", -1), {}), toCopy)).toBe("write copy");
    expect(actionOf(sides(b, at("c", -1)), { ...both, onConflict: "copy" })).toBe("write copy");
  });
});

describe("whatever both sides hold", () => {
  const time = fc.option(
    fc.integer({ min: -40, max: 40 }).map((days) => NOW + days * DAY),
    { nil: undefined },
  );
  const side = fc.option(fc.record({ hash: fc.constantFrom("a", "b", "c"), expiresAt: time }), {
    nil: undefined,
  });
  const agreement = fc.option(
    fc.record({
      primary: fc.constantFrom("a", "b"),
      copy: fc.constantFrom("a", "b"),
      expiresAt: time,
      missingSince: fc.option(fc.constant(new Date(NOW - DAY)), { nil: undefined }),
      replaced: fc.option(fc.record({ primary: fc.constantFrom("a", "b") }), { nil: undefined }),
    }),
    { nil: undefined },
  );
  const state = fc
    .tuple(side, side, agreement)
    .map(([primary, copy, agreed]) => sides(primary, copy, agreed));
  const anyRules = fc.record<SyncRules>({
    direction: fc.constantFrom("to copy", "to primary", "both"),
    onConflict: fc.constantFrom("primary", "copy", "park"),
    deletes: fc.boolean(),
    restoresMarked: fc.boolean(),
  });

  it("only the side that the direction names is written, and nothing is removed without being asked for", () => {
    fc.assert(
      fc.property(state, anyRules, (sides, by) => {
        const { action } = decide(sides, by, NOW);
        if (by.direction === "to copy") expect(action).not.toMatch(/primary/);
        if (by.direction === "to primary") expect(action).not.toMatch(/copy/);
        if (!by.deletes) expect(action).not.toMatch(/remove/);
        if (action === "mark")
          expect([sides.primary === undefined || isOver(sides.primary), sides.copy]).toEqual([
            true,
            sides.copy,
          ]);
      }),
      { numRuns: runs(5_000) },
    );
  });

  it("what was written is agreed on, and the next run leaves it", () => {
    fc.assert(
      fc.property(state, anyRules, (before, by) => {
        const after = carriedOut(before, decide(before, by, NOW));
        const next = decide(after, by, NOW);
        if (decide(before, by, NOW).action === "leave") return;
        expect(["leave", "forget"]).toContain(next.action);
      }),
      { numRuns: runs(5_000) },
    );
  });

  it("what was changed on one side only is never overwritten by the other side's old version", () => {
    fc.assert(
      fc.property(state, anyRules, (sides, by) => {
        const { primary, copy, agreed } = sides;
        if (primary === undefined || copy === undefined || agreed === undefined || sides.same) return;
        if (isOver(primary) || isOver(copy)) return;
        const { action } = decide(sides, { ...by, onConflict: "park" }, NOW);
        if (action === "write copy") expect(copy.hash).toBe(agreed.copy);
        if (action === "write primary") expect(primary.hash).toBe(agreed.primary);
      }),
      { numRuns: runs(5_000) },
    );
  });
});

function isOver(side: { readonly expiresAt?: number | undefined } | undefined): boolean {
  return side?.expiresAt !== undefined && side.expiresAt <= NOW;
}

/** What both sides hold, and agree on, after a decision was carried out. */
function carriedOut({ primary, copy, agreed }: BothSides, { action, expiresAt }: Decision): BothSides {
  const agreedOn = (side: Side | undefined): Partial<Agreement> | undefined =>
    side && { primary: side.hash, copy: side.hash, expiresAt: side.expiresAt };
  switch (action) {
    case "leave":
      return { primary, copy, agreed, same: primary?.hash === copy?.hash };
    case "agree":
      return sides(primary, copy, agreedOn(primary));
    case "write copy": {
      const written = primary && { ...primary, expiresAt };
      return sides(primary, written, agreedOn(written));
    }
    case "write primary": {
      const written = copy && { ...copy, expiresAt };
      return sides(written, copy, agreedOn(written));
    }
    case "mark":
      return sides(undefined, copy, { ...agreed, missingSince: new Date(NOW) });
    case "forget":
      return sides(undefined, undefined);
    case "remove from copy":
      return sides(primary, undefined);
    case "remove from primary":
      return sides(undefined, copy);
  }
}
