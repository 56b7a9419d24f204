import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TYPE } from "../../../src/bson/elements.ts";
import { equalIgnoringFieldOrder } from "../../../src/core/explain/field-order.ts";
import { fieldDifferences } from "../../../src/core/explain/fields.ts";
import * as bson from "../../bson/bson-bytes.ts";
import { LOOK_ALIKES } from "./look-alikes.ts";
import { anyDocument, shuffled, type Tree, withoutFieldOrder, written } from "./trees.ts";

const SEED = 20_260_201;
const one = bson.int32(1);
const two = bson.int32(2);

const pairs = fc
  .record({ a: anyDocument, b: anyDocument, how: fc.nat({ max: 3 }), random: fc.infiniteStream(fc.nat()) })
  .map(({ a, b, how, random }): readonly [Tree, Tree] => {
    const next = (): number => random.next().value as number;
    return [a, how === 0 ? b : shuffled(a, how === 1, next)];
  });

describe("equalIgnoringFieldOrder", () => {
  it("returns true exactly for documents that differ in nothing but the order of fields", () => {
    const seen = { equal: 0, other: 0 };
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const equal = withoutFieldOrder(a) === withoutFieldOrder(b);
        const [source, target] = [written(a).bytes, written(b).bytes];
        if (equal && !source.equals(target)) seen.equal++;
        if (!equal) seen.other++;
        expect(equalIgnoringFieldOrder(source, target)).toBe(equal);
        expect(equalIgnoringFieldOrder(target, source)).toBe(equal);
        // Explaining agrees: then, and only then, nothing but an order is named.
        const { fields, more } = fieldDifferences(source, target, { values: false });
        expect(fields.every(({ note }) => note === "order of fields") && more === 0).toBe(equal);
      }),
      { seed: SEED, numRuns: 2500 },
    );
    expect(Math.min(seen.equal, seen.other)).toBeGreaterThan(300);
  });

  it("returns false for values that only look alike", () => {
    for (const [what, a, , b] of LOOK_ALIKES) {
      const source = bson.documentBytes([
        ["x", one],
        ["v", a],
      ]);
      expect(
        equalIgnoringFieldOrder(
          source,
          bson.documentBytes([
            ["v", a],
            ["x", one],
          ]),
        ),
        what,
      ).toBe(true);
      expect(
        equalIgnoringFieldOrder(
          source,
          bson.documentBytes([
            ["v", b],
            ["x", one],
          ]),
        ),
        what,
      ).toBe(false);
    }
  });

  it("respects the order of arrays and of misnumbered elements", () => {
    const list = (...names: string[]): Buffer =>
      bson.documentBytes([
        ["l", { type: TYPE.array, bytes: bson.documentBytes(names.map((name) => [name, one])) }],
      ]);
    expect(equalIgnoringFieldOrder(list("0", "1"), list("1", "0"))).toBe(false);
    expect(equalIgnoringFieldOrder(list("1", "0"), list("1", "0"))).toBe(true);
  });

  it("returns false for bytes that cannot be read, unless they are the same", () => {
    const good = bson.documentBytes([
      ["a", one],
      ["b", two],
    ]);
    const other = bson.documentBytes([
      ["b", two],
      ["a", one],
    ]);
    expect(equalIgnoringFieldOrder(good, other)).toBe(true);
    for (let at = 0; at < other.length; at++) {
      const broken = Buffer.from(other);
      broken[at] = 0xee;
      expect(equalIgnoringFieldOrder(good, broken)).toBe(false);
    }
    const tail = Buffer.of(1, 2);
    expect(equalIgnoringFieldOrder(Buffer.concat([good, tail]), Buffer.concat([other, tail]))).toBe(false);
    expect(equalIgnoringFieldOrder(tail, Buffer.of(1, 3))).toBe(false);
    expect(equalIgnoringFieldOrder(tail, Buffer.of(1, 2))).toBe(true);
  });

  it("compares documents that are nested 20,000 levels deep", () => {
    const nested = (inner: bson.BsonValue): Buffer => {
      const depth = 20_000;
      const total = 8 * depth + inner.bytes.length;
      const bytes = Buffer.alloc(total);
      for (let level = 0; level < depth; level++) {
        bytes.writeInt32LE(total - 8 * level, 7 * level);
        bytes.write("\u0003a\0", 7 * level + 4, "latin1");
      }
      inner.bytes.copy(bytes, 7 * depth);
      return bytes;
    };
    const a = nested(
      bson.object([
        ["a", one],
        ["b", two],
      ]),
    );
    const b = nested(
      bson.object([
        ["b", two],
        ["a", one],
      ]),
    );
    expect(equalIgnoringFieldOrder(a, b)).toBe(true);
    expect(
      equalIgnoringFieldOrder(
        a,
        nested(
          bson.object([
            ["b", one],
            ["a", one],
          ]),
        ),
      ),
    ).toBe(false);
    const { fields } = fieldDifferences(a, b, { values: true });
    expect(fields).toMatchObject([{ source: "object", target: "object", note: "stored bytes" }]);
    expect(fields[0]?.path).toHaveLength(501);
  });
});
