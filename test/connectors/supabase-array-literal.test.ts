import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Literal,
  literalText,
  readLiteral,
} from "../../src/connectors/supabase/mapping/array-literal.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "NULL", "null", "a b", "{}", '"', "\\", ",", "\u000b", "\u00a0", "[0:1]="),
);
const items: fc.Arbitrary<Literal> = fc.array(fc.option(text), { maxLength: 5 });
const literal = fc.oneof(
  items,
  fc.array(fc.array(fc.option(text), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
);

describe("an array literal", () => {
  it("says what was written into it", () => {
    fc.assert(
      fc.property(literal, (array) => {
        expect(readLiteral(literalText(array))).toStrictEqual(array);
      }),
    );
  });

  it("is set as Postgres sets it: quoted only where it must be", () => {
    const array = ["a", "", "NULL", "nUll", null, "a b", "{", '"', "\\", "\u00a0", "\u000b", "x\ty", "null!"];
    expect(literalText(array)).toBe(
      '{a,"","NULL","nUll",NULL,"a b","{","\\"","\\\\",\u00a0,"\u000b","x\ty",null!}',
    );
    expect(literalText([["1"], ["2"]])).toBe("{{1},{2}}");
  });

  it("is read behind its bounds", () => {
    expect(readLiteral("[0:1][-2:-2]={{1},{2}}")).toStrictEqual([["1"], ["2"]]);
  });

  it("is refused when it is broken, or nests deeper than any array", () => {
    for (const broken of [
      "",
      "{",
      "}",
      "{a",
      '{"a}',
      "{a}b",
      "{a,}",
      "{,}",
      '{"a"b}',
      "{{a}",
      "[0:1]",
      '{"\\',
      "{".repeat(9),
    ])
      expect(() => readLiteral(broken), broken).toThrow(RangeError);
    expect(() => readLiteral("{".repeat(1_000_000))).toThrow(RangeError);
  });
});
