import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TYPE } from "../../../src/bson/elements.ts";
import { fieldDifferences } from "../../../src/core/explain/fields.ts";
import type { FieldDifference } from "../../../src/model/reporter.ts";
import * as bson from "../../bson/bson-bytes.ts";
import { anyId } from "../../bson/id-arbitraries.ts";
import { anyDocument, written } from "./trees.ts";

const SEED = 20_260_202;

const name = fc.constantFrom<string | Buffer>("a", "a", "b", "1", "", "a/~", "é", Buffer.of(0x61, 0xff));
const anyBytes = fc.array(fc.tuple(name, anyId), { minLength: 1, maxLength: 6 }).map(bson.documentBytes);

/** Texts are short and whole, and say something. */
function expectBounded(fields: readonly FieldDifference[]): void {
  expect(fields.length).toBeLessThanOrEqual(20);
  for (const { path, source, target, sourceValue, targetValue, note } of fields) {
    expect(path).toMatch(/^(\/.*)?$/su);
    for (const text of [path, sourceValue ?? "", targetValue ?? ""]) expect(text).not.toMatch(/\p{Cs}/u);
    expect(path.length).toBeLessThanOrEqual(501);
    expect((sourceValue ?? "").length).toBeLessThanOrEqual(121);
    expect((targetValue ?? "").length).toBeLessThanOrEqual(121);
    expect(sourceValue === undefined).toBe(source === undefined);
    expect(targetValue === undefined).toBe(target === undefined);
    expect(source !== undefined || target !== undefined).toBe(true);
    // Whatever differs can be seen: the types, the values, or what is said of them.
    expect(source !== target || sourceValue !== targetValue || note !== undefined).toBe(true);
  }
}

describe("bounds of fieldDifferences", () => {
  it("reports a difference for any flipped bit, and never throws", () => {
    fc.assert(
      fc.property(anyBytes, fc.nat(), fc.nat({ max: 7 }), (bytes, place, bit) => {
        const other = Buffer.from(bytes);
        const at = place % bytes.length;
        other[at] = (other[at] as number) ^ (1 << bit);
        for (const [a, b] of [
          [bytes, other],
          [other, bytes],
        ] as const) {
          const { fields } = fieldDifferences(a, b, { values: true });
          expect(fields).not.toHaveLength(0);
          expectBounded(fields);
        }
      }),
      { seed: SEED, numRuns: 2500 },
    );
  });

  it("reports a difference for truncated documents and for arbitrary bytes", () => {
    const cut = fc.tuple(anyBytes, fc.nat()).map(([bytes, n]) => bytes.subarray(0, n % bytes.length));
    const noise = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(anyBytes, fc.oneof(cut, noise), (bytes, other) => {
        const { fields } = fieldDifferences(bytes, other, { values: true });
        expect(fields.length).toBeGreaterThan(0);
        expectBounded(fields);
      }),
      { seed: SEED, numRuns: 1500 },
    );
  });

  it("returns mirrored differences when the sides are swapped, and none only for the same bytes", () => {
    let equal = 0;
    fc.assert(
      fc.property(anyDocument, anyDocument, (a, b) => {
        const [one, other] = [written(a).bytes, written(b).bytes];
        const there = fieldDifferences(one, other, { values: false });
        const back = fieldDifferences(other, one, { values: false });
        if (one.equals(other)) equal++;
        expect(there.fields.length === 0).toBe(one.equals(other));
        expect(there.fields.length + there.more).toBe(back.fields.length + back.more);
        if (there.more > 0) return;
        const texts = (list: readonly FieldDifference[], mirrored: boolean): string[] =>
          list
            .map(({ path, source, target, note }) =>
              [path, ...(mirrored ? [target, source] : [source, target]), note].join(" "),
            )
            .sort();
        expect(texts(there.fields, false)).toEqual(texts(back.fields, true));
      }),
      { seed: SEED, numRuns: 2500 },
    );
    expect(equal).toBeGreaterThan(10);
  });

  it("reports a difference at the bottom of the deepest document that a server may accept", () => {
    const nested = (value: bson.BsonValue): Buffer => {
      let inner = value;
      for (let depth = 0; depth < 250; depth++) inner = bson.object([["a", inner]]);
      return inner.bytes;
    };
    expect(fieldDifferences(nested(bson.int32(1)), nested(bson.int64(1n)), { values: false }).fields).toEqual(
      [{ path: "/a".repeat(250), source: "int", target: "long" }],
    );
  });

  it("compares 16 MB documents with one large name, one large value or half a million elements", () => {
    const large = Buffer.alloc(15_000_000, "ab/~");
    const texts = [large, Buffer.concat([large, Buffer.of(0x7a)])].map((content) =>
      bson.documentBytes([["v", bson.text(TYPE.string, content)]]),
    );
    expectOne(texts, { path: "/v", note: "equal up to byte 15000000" });
    const names = [bson.int32(1), bson.int32(2)].map((value) => bson.documentBytes([[large, value]]));
    expectOne(names, { path: expect.stringMatching(/^\/ab~1~0ab.{400,}…$/) });
    const numbers = Array.from({ length: 500_001 }, (_, i) => i);
    const arrays = [1, 2].map((last) =>
      bson.documentBytes([["l", { type: TYPE.array, bytes: ofInts(numbers, last) }]]),
    );
    expectOne(arrays, { path: "/l/500000" });
  });

  it("reports that there are too many fields when it cannot hold them all", () => {
    const numbers = Array.from({ length: 200_000 }, (_, i) => i);
    const moved = [ofInts(numbers, 1), ofInts([...numbers.slice(1), 0], 1)];
    expectOne(moved, { path: "", note: "too many fields to name them" });
  });
});

/** A document of small ints, all 1 but the last one. */
function ofInts(names: readonly number[], last: number): Buffer {
  const fields = names.map((name) => `\x10${name}\0\x01\0\0\0`).join("");
  const bytes = Buffer.from(`\0\0\0\0${fields}\0`, "latin1");
  bytes.writeInt32LE(bytes.length);
  bytes[bytes.length - 5] = last;
  return bytes;
}

function expectOne([a, b]: readonly Buffer[], expected: object): void {
  const { fields, more } = fieldDifferences(a as Buffer, b as Buffer, { values: true });
  expect(fields).toMatchObject([expected]);
  expect(more).toBe(0);
  expectBounded(fields);
}
