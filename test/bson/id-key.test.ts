import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareIds } from "../../src/bson/compare-ids.ts";
import { TYPE } from "../../src/bson/elements.ts";
import { idKey } from "../../src/bson/id-key.ts";
import type { BsonValue } from "./bson-bytes.ts";
import * as bson from "./bson-bytes.ts";
import { anyId } from "./id-arbitraries.ts";
import { anyNumber } from "./number-arbitraries.ts";

const SEED = 20_260_103;

function expectKeysToTell(ids: fc.Arbitrary<BsonValue>): void {
  let duplicateIds = 0;
  const list = fc.array(ids, { minLength: 2, maxLength: 40, size: "max" });
  fc.assert(
    fc.property(list, (values) => {
      const keyed = values.map(bson.element).map((id) => ({ id, key: idKey(id) }));
      return keyed.every((a, i) =>
        keyed.slice(i + 1).every((b) => {
          const equal = compareIds(a.id, b.id) === 0;
          if (equal && Buffer.compare(a.id, b.id) !== 0) duplicateIds++;
          return equal === (a.key === b.key);
        }),
      );
    }),
    { seed: SEED, numRuns: 4000 },
  );
  // The test is of no use when ids that are equal and not the same are rare.
  expect(duplicateIds).toBeGreaterThan(100);
}

describe("idKey", () => {
  it("gives two ids of any kind the same key exactly when they are equal", () => expectKeysToTell(anyId));
  it("gives two numbers the same key exactly when they are equal", () => expectKeysToTell(anyNumber));

  it("returns short keys for the usual kinds of id", () => {
    expect(idKey(bson.element({ type: TYPE.objectId, bytes: Buffer.alloc(12) }))).toHaveLength(13);
    expect(idKey(bson.element(bson.int32(17)))).toBe("n17");
    expect(idKey(bson.element(bson.double(5e-324))).length).toBeLessThan(12);
  });

  it("returns different keys for field lists that look alike", () => {
    const keys = [
      bson.object([["a", bson.text(TYPE.string, "x\x001:n1")]]),
      bson.object([
        ["a", bson.text(TYPE.string, "x")],
        ["1", bson.int32(1)],
      ]),
      bson.array([bson.array([bson.int32(1)]), bson.int32(2)]),
      bson.array([bson.array([bson.int32(1), bson.int32(2)])]),
    ].map((value) => idKey(bson.element(value)));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("throws RangeError for ids that are not valid BSON", () => {
    expect(() => idKey(new Uint8Array())).toThrow(RangeError);
    expect(() => idKey(Uint8Array.of(0x20, 1))).toThrow(RangeError);
    const broken = bson.element(bson.object([["a", bson.int32(1)]])).slice(0, -3);
    expect(() => idKey(broken)).toThrow(RangeError);
  });
});
