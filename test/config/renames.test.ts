import { describe, expect, test } from "vitest";
import { parseRenames } from "../../src/config/renames.ts";
import { failureOf } from "./failure.ts";

describe("--rename", () => {
  test("gives old names new ones, also in a circle", () => {
    expect(parseRenames(["a=b", "b=a", "c=d.e"])).toEqual(
      new Map([
        ["a", "b"],
        ["b", "a"],
        ["c", "d.e"],
      ]),
    );
    expect(parseRenames([])).toEqual(new Map());
    expect(parseRenames(["__proto__=x"]).get("__proto__")).toBe("x");
    expect(parseRenames(["system.profile=a", ".odd$=b"]).get(".odd$")).toBe("b");
    expect(parseRenames([`a=${"x".repeat(255)}`]).size).toBe(1);
  });

  test.each([
    ["no =", ["ab"], "exactly one ="],
    ["two =", ["a=b=c"], "exactly one ="],
    ["no old name", ["=b"], "empty name"],
    ["no new name", ["a="], "empty name"],
    ["a blank name", ["a= "], "empty name"],
    ["the same name", ["a=a"], "itself"],
    ["one name twice", ["a=b", "a=c"], '"a" is renamed twice'],
    ["one target twice", ["a=c", "b=c"], '"c" is the new name of two'],
    ["the server's own names", ["a=system.views"], "reserved"],
    ["dualsync's own names", ["a=_dualsync"], '"_dualsync" is one of dualsync\'s own'],
    ["names like dualsync's own", ["a=_dualsync.lease"], '"_dualsync.lease" is one of dualsync\'s own'],
    [
      "names like dualsync's own as the old ones",
      ["_dualsync_later=a"],
      '"_dualsync_later" is one of dualsync\'s own',
    ],
    ["a dollar", ["a=b$c"], "no collection may have"],
    ["NUL", ["a=b\0c"], '"b\\x00c"'],
    ["a dot at the start", ["a=.b"], "dot"],
    ["a dot at the end", ["a=b."], "dot"],
    ["256 bytes", [`a=${"\u00e4".repeat(128)}`], "longer than 255 bytes"],
    ["controls, shown", ["a=b$\u001b[2J"], "\\x1b[2J"],
  ])("refuses %s", (_what, values, expected) => {
    const failure = failureOf(() => parseRenames(values));
    expect(failure.exit).toBe("usage");
    expect(failure.message).toContain(expected);
    expect(failure.message).toContain("--rename");
  });
});
