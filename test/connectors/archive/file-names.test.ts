import fc from "fast-check";
import { expect, it } from "vitest";
import { collectionFileName, readFileName } from "../../../src/connectors/archive/file-names.ts";

it.each([
  ["mixed ids", "mixed+ids"],
  ["a/b", "a%2Fb"],
  ["100%", "100%25"],
  ["..", ".."],
  ["a\0b", "a%00b"],
  ["größe", "gr%C3%B6%C3%9Fe"],
])("the collection %j has the file name %s", (name, file) => {
  expect(collectionFileName(name)).toBe(file);
  expect(readFileName(file)).toEqual({ kind: "name", name });
});

it("every name is read back from its file name, also where it differs from others only in capitals", () => {
  const names = fc.uniqueArray(
    fc.string({ unit: fc.constantFrom("a", "A", "b", "B", "%", "/", " ", "+", "é") }),
  );
  fc.assert(
    fc.property(names, (all) => {
      const taken = new Set<string>();
      for (const name of all) {
        const file = collectionFileName(name, taken);
        expect(taken.has(file.toLowerCase())).toBe(false);
        taken.add(file.toLowerCase());
        expect(file).toMatch(/^[\w\-.~%+]*$/);
        if (file.length < 238) expect(readFileName(file)).toEqual({ kind: "name", name });
      }
    }),
  );
});

it("a name that is too long is cut, and its hash put behind it", () => {
  const file = collectionFileName(`${"é".repeat(100)}1`);
  expect(file).toHaveLength(238);
  expect(file).not.toBe(collectionFileName(`${"é".repeat(100)}2`));
  expect(readFileName(file)).toEqual({ kind: "cut" });
});
