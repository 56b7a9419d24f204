import { describe, expect, test } from "vitest";
import { parseRenames as parse } from "../../src/config/selection/renames.ts";
import { mongodb } from "../../src/connectors/mongodb/connector.ts";
import { failureOf } from "../support/configuration-failure.ts";

/** Into a MongoDB database. */
const parseRenames = (values: readonly string[]) => parse(values, mongodb.nameProblem);

describe("--rename", () => {
  test("parses renames, including two that swap their names", () => {
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

  test("leaves it to the target which new names it takes", () => {
    expect(parse(["a=b$c", "b=system.views"]).size).toBe(2);
    expect(failureOf(() => parse(["a=_dualsync"])).message).toContain("reserved for dualsync");
  });

  test.each([
    ["no =", ["ab"], "exactly one ="],
    ["two =", ["a=b=c"], "exactly one ="],
    ["no old name", ["=b"], "empty name"],
    ["no new name", ["a="], "empty name"],
    ["a blank new name", ["a= "], "empty name"],
    ["the same old and new name", ["a=a"], "itself"],
    ["one old name twice", ["a=b", "a=c"], '"a" is renamed twice'],
    ["one new name twice", ["a=c", "b=c"], '"c" is the new name of two'],
    ["a new name that the server reserves", ["a=system.views"], "reserved"],
    [
      "the control collection's name as the new name",
      ["a=_dualsync"],
      '"_dualsync" is reserved for dualsync',
    ],
    [
      "a new name that is reserved for dualsync",
      ["a=_dualsync.lease"],
      '"_dualsync.lease" is reserved for dualsync',
    ],
    [
      "an old name that is reserved for dualsync",
      ["_dualsync_later=a"],
      '"_dualsync_later" is reserved for dualsync',
    ],
    ["a dollar sign in the new name", ["a=b$c"], "no collection may have"],
    ["NUL in the new name", ["a=b\0c"], '"b\\x00c"'],
    ["a dot at the start of the new name", ["a=.b"], "dot"],
    ["a dot at the end of the new name", ["a=b."], "dot"],
    ["a new name of 256 bytes", [`a=${"\u00e4".repeat(128)}`], "longer than 255 bytes"],
    ["control characters, which it shows escaped", ["a=b$\u001b[2J"], "\\x1b[2J"],
  ])("rejects a rename with %s", (_what, values, expected) => {
    const failure = failureOf(() => parseRenames(values));
    expect(failure.exit).toBe("usage");
    expect(failure.message).toContain(expected);
    expect(failure.message).toContain("--rename");
  });
});
