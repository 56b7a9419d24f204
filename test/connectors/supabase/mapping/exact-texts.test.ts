import { serialize } from "bson";
import { describe, expect, it } from "vitest";
import { documentsOf } from "../../../../src/connectors/supabase/mapping/documents.ts";
import { classify } from "../../../../src/connectors/supabase/mapping/equivalence/classify.ts";
import { rowOf } from "../../../../src/connectors/supabase/mapping/to-row/row.ts";
import { rowText } from "../../../../src/connectors/supabase/mapping/to-row/row-text.ts";
import { column, pageOf, tableOf } from "../values.ts";

/** Of columns whose text goes into a body, or into what is hashed, without quotes. */
const table = tableOf([
  column("id", "int4"),
  column("b", "bool"),
  column("j", "json"),
  column("n", "numeric"),
]);
const DEEP = `${"[".repeat(95)}${"]".repeat(95)}`;

describe("exact texts in a sidecar", () => {
  const more = [',"n":7', '},{"id":2,"b":true', " ", "x"];
  const forged = [
    ...more.map((text) => ({ _id: 1, b: false, _ds: { b: `false${text}` } })),
    ...more.slice(0, 2).map((text) => ({ _id: 1, j: DEEP + text, _ds: { j: DEEP + text } })),
    { _id: 1, n: 5, _ds: { n: '5,"b":true' } },
  ];
  for (const document of forged) {
    const [text] = Object.values(document._ds);
    it(`ignores a forged exact text: ${String(text).slice(-20)}`, () => {
      const { _ds, ...rest } = document;
      expect(rowOf(table, serialize(document))).toEqual(rowOf(table, serialize(rest)));
      expect(rowText(table, serialize(document))).toBe(rowText(table, serialize(rest)));
    });
  }

  it("uses an exact text that is nested deeper than documents can be", () => {
    const bytes = documentsOf(table, pageOf(table, [["1", "true", DEEP, "1"]])).bytesOf(0);
    expect(rowOf(table, bytes)).toMatchObject({ columns: expect.arrayContaining([["j", DEEP]]) });
  });
});

it("a number midway between two float4 values is different from both", () => {
  const floats = tableOf([column("id", "int4"), column("v", "float4")]);
  const like = (text: string, v: number) =>
    classify(floats, documentsOf(floats, pageOf(floats, [["1", text]])).bytesOf(0), serialize({ _id: 1, v }));
  expect(like("1.6777216e+07", 16_777_216)).toBe("equivalent");
  expect(like("1.6777216e+07", 16_777_217)).toBe("different");
  expect(like("1.677722e+07", 16_777_219)).toBe("different");
  expect(like("0.1", 0.1)).toBe("equivalent");
});
