import fc from "fast-check";
import { expect, it } from "vitest";
import { idKey } from "../../src/bson/id-key.ts";
import { parseId } from "../../src/bson/parse-id.ts";
import { printId } from "../../src/bson/print-id.ts";
import { anyId } from "./id-arbitraries.ts";

const SEED = 20_261_129;

it("an id that is printed whole reads back as one that servers hold equal, or not at all", () => {
  let whole = 0;
  fc.assert(
    fc.property(anyId, (id) => {
      const element = Buffer.from([id.type, ...id.bytes]);
      const text = printId(element);
      const parsed = parseId(text);
      if (parsed === undefined) return;
      whole++;
      expect(idKey(parsed)).toBe(idKey(element));
    }),
    { seed: SEED, numRuns: 2_000 },
  );
  expect(whole).toBeGreaterThan(800);
});

it.each([
  ["17", "int32"],
  ["-3", "int32"],
  ["abc", "string"],
  ["order:2024/17", "string"],
  ['"17"', "string"],
  ["0123456789abcdef01234567", "ObjectId"],
  ['{"$numberLong":"17"}', "Long"],
  ['{"$numberDecimal":"17.00"}', "Decimal128"],
  ['{"$uuid":"6f9619ff-8b86-d011-b42d-00c04fc964ff"}', "UUID"],
  ['{"shop":1,"no":"x y"}', "embedded document"],
  ["true", "boolean"],
])("%s is read as the id that prints so (%s)", (text) => {
  const parsed = parseId(text);
  expect(parsed && printId(parsed)).toBe(text);
});

it.each([["binary 0x0500"], ["a b"], ['{"$oid":"0123456789abcdef01234567"}'], ["1.50"], ["{"], ["007"]])(
  "%s is no id as it is printed",
  (text) => {
    expect(parseId(text)).toBeUndefined();
  },
);
