import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Literal,
  literalText,
  readLiteral,
} from "../../../../src/connectors/supabase/mapping/array-literal.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "NULL", "null", "a b", "{}", '"', "\\", ",", "\u000b", "\u00a0", "[0:1]="),
);
const items: fc.Arbitrary<Literal> = fc.array(fc.option(text), { maxLength: 5 });
const literal = fc.oneof(
  items,
  fc.array(fc.array(fc.option(text), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
);

describe("array literals", () => {
  it("reads back what was written into an array literal", () => {
    fc.assert(
      fc.property(literal, (array) => {
        expect(readLiteral(literalText(array))).toStrictEqual(array);
      }),
    );
  });

  it("quotes array elements only where Postgres does", () => {
    const array = ["a", "", "NULL", "nUll", null, "a b", "{", '"', "\\", "\u00a0", "\u000b", "x\ty", "null!"];
    expect(literalText(array)).toBe(
      '{a,"","NULL","nUll",NULL,"a b","{","\\"","\\\\",\u00a0,"\u000b","x\ty",null!}',
    );
    expect(literalText([["1"], ["2"]])).toBe("{{1},{2}}");
  });

  it("reads an array literal with bounds", () => {
    expect(readLiteral("[0:1][-2:-2]={{1},{2}}")).toStrictEqual([["1"], ["2"]]);
  });

  it("rejects array literals that are broken or nested too deeply", () => {
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
