import { serialize } from "bson";
import fc from "fast-check";
import { expect, it } from "vitest";
import { toOrdered } from "../../../../src/bson/ordered.ts";
import { assertStructure } from "../../../../src/connectors/archive/dump/structure.ts";

const value = fc.object({
  maxDepth: 3,
  values: [
    fc.string(),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array(),
    fc.date({ noInvalidDate: true }),
  ],
});

it("every document is whole, and every part of it that is cut off is not", () => {
  fc.assert(
    fc.property(value, fc.nat(), (document, cut) => {
      const bytes = serialize(document as Record<string, unknown>);
      expect(() => assertStructure(bytes, 0, bytes.length)).not.toThrow();
      expect(() => assertStructure(bytes, 0, cut % bytes.length)).toThrow(RangeError);
    }),
  );
});

it("whatever passes with a wrong byte can be read", () => {
  fc.assert(
    fc.property(value, fc.nat(), fc.integer({ min: 1, max: 255 }), (document, at, flip) => {
      const bytes = serialize(document as Record<string, unknown>);
      bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip;
      try {
        assertStructure(bytes, 0, bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        return;
      }
      toOrdered(bytes);
    }),
  );
});
