import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkGlobs, matches, select, unmatched } from "../../src/config/selection/globs.ts";
import { failureOf } from "../support/configuration-failure.ts";
import { runs } from "../support/runs.ts";

describe("globs", () => {
  test.each([
    ["orders", "orders", true],
    ["orders", "Orders", false],
    ["orders", "orders2", false],
    ["orders*", "orders", true],
    ["*orders", "my_orders", true],
    ["*", "", true],
    ["?", "", false],
    ["o?ders", "orders", true],
    ["?", "\u{1F600}", true],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "a-c-b", false],
    ["a**b", "ab", true],
    ["*?", "x", true],
    ["", "", true],
    ["", "x", false],
    ["a.b", "axb", false],
    ["[ab]", "a", false],
    ["[ab]", "[ab]", true],
    ["(a+)+$", "aaa", false],
    ["{a,b}", "a", false],
    ["\\*", "*", false],
  ])("matches(%j, %j) returns %s", (glob, name, expected) => {
    expect(matches(glob, name)).toBe(expected);
  });

  test("agrees with the plainest definition of a glob on random globs and names", () => {
    const plain = (glob: string, name: string): boolean => {
      if (glob === "") return name === "";
      if (glob[0] === "*") return plain(glob.slice(1), name) || (name !== "" && plain(glob, name.slice(1)));
      return name !== "" && (glob[0] === "?" || glob[0] === name[0]) && plain(glob.slice(1), name.slice(1));
    };
    const glob = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
    fc.assert(
      fc.property(glob, name, (left, right) => matches(left, right) === plain(left, right)),
      { numRuns: runs(3000) },
    );
  });

  test("matches a hostile glob in time proportional to the name's length", () => {
    const start = performance.now();
    for (const glob of [
      "*a".repeat(127),
      `${"*a".repeat(100)}*b`,
      "*?".repeat(127),
      `${"a*".repeat(120)}b`,
    ]) {
      expect(matches(glob, "a".repeat(100_000))).toBe(!glob.endsWith("b"));
    }
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test("rejects empty globs, globs with NUL and globs over 255 characters", () => {
    for (const glob of ["", " ", "a\0b", "x".repeat(256)]) {
      const failure = failureOf(() => checkGlobs(["ok", glob], "--include"));
      expect(failure.exit).toBe("usage");
      expect(failure.message).toContain("--include");
    }
    checkGlobs(["x".repeat(255), "\u{1F600}".repeat(255)], "--include");
  });
});

describe("selection of collections", () => {
  const names = ["orders", "orders_old", "users", "tmp_1"];

  test("selects every name when there is no include and no exclude", () => {
    expect(select(names, { include: [], exclude: [] })).toEqual(names);
  });

  test("selects the names that include matches, except those that exclude matches", () => {
    expect(select(names, { include: ["orders*", "users"], exclude: ["*_old"] })).toEqual(["orders", "users"]);
    expect(select(names, { include: [], exclude: ["tmp_*"] })).toEqual(["orders", "orders_old", "users"]);
    expect(select(names, { include: ["orders"], exclude: ["*"] })).toEqual([]);
  });

  test("lists each glob that matches no name once", () => {
    expect(unmatched(names, { include: ["order", "users"], exclude: ["temp_*", "order", "tmp_?"] })).toEqual([
      "order",
      "temp_*",
    ]);
  });
});
